// Photographs every screen in every size and theme into $SHOTS (default: shots/). Arguments name single screens.
import { mkdir } from 'node:fs/promises';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { control, openBrowser, signIn } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';
import { openScreen, SCREENS } from './screens.mjs';

const SIZES = { 1280: { width: 1280, height: 860 }, 390: { width: 390, height: 844 }, 320: { width: 320, height: 640 } };
const folder = process.env.SHOTS ?? 'shots';
const sizes = (process.env.SIZES ?? '1280,390,320').split(',');
const themes = (process.env.THEMES ?? 'light,dark').split(',');
const names = process.argv.slice(2);

await mkdir(folder, { recursive: true });
const { url, stop } = await startMock({ first: FIRST_IN_WORKER });
for (const size of sizes) {
  for (const theme of themes) {
    const { context, close } = await openBrowser({ shiftMs: SHIFT_MS, viewport: SIZES[size], colorScheme: theme, hasTouch: size !== '1280', isMobile: size !== '1280', reducedMotion: 'reduce' });
    for (const screen of SCREENS.filter((each) => names.length === 0 || names.includes(each.name))) {
      await control(url, 'reset');
      await screen.before?.(url);
      const page = await context.newPage();
      try {
        if (screen.signedOut) await context.clearCookies();
        else if ((await context.cookies()).length === 0) await signIn(page, `${url}/ui/login?token=${LOGIN_TOKEN}`);
        await openScreen(page, url, screen);
        await page.waitForTimeout(350);
        await page.screenshot({ path: `${folder}/${screen.name}-${size}-${theme}.png` });
        const tall = await page.evaluate(() => document.documentElement.scrollHeight > innerHeight + 40 && !document.querySelector('dialog'));
        if (tall && process.env.FULL) await page.screenshot({ path: `${folder}/${screen.name}-${size}-${theme}-full.png`, fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) console.log(`${screen.name} at ${size} is ${wide} px too wide`);
      } catch (cause) {
        console.log(`${screen.name} at ${size} ${theme}: ${cause.message.split('\n')[0]}`);
        await page.screenshot({ path: `${folder}/${screen.name}-${size}-${theme}-broken.png` });
      }
      await page.close();
    }
    await close();
  }
}
await stop();
