// Every screen, examined by axe in light, dark and on a narrow phone: no violation, nothing too wide, nothing too small to touch.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { control, openBrowser, signIn } from './browser.mjs';
import { openScreen, SCREENS } from './screens.mjs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** The least height of what a finger has to hit, in CSS pixels; rounding may take half of one. */
const TOUCH_PX_MIN = 43.5;
const LOOKS = [
  { look: 'light', options: { colorScheme: 'light' } },
  { look: 'dark', options: { colorScheme: 'dark' } },
  { look: 'phone', options: { colorScheme: 'dark', viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true } },
];

let base, stop;
before(async () => ({ url: base, stop } = await startMock()));
after(() => stop?.());

for (const { look, options } of LOOKS) {
  describe(`in ${look}`, () => {
    let browser;
    before(async () => {
      browser = await openBrowser({ ...options, reducedMotion: 'reduce' });
    });
    after(() => browser?.close());

    for (const screen of SCREENS) {
      test(screen.name, async () => {
        await control(base, 'reset');
        await screen.before?.(base);
        const page = await browser.context.newPage();
        if (screen.signedOut) await browser.context.clearCookies();
        else if ((await browser.context.cookies()).length === 0) await signIn(page, `${base}/ui/login?token=${LOGIN_TOKEN}`);
        await openScreen(page, base, screen);
        assert.deepEqual(await violations(page), []);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, 'it is too wide');
        if (look === 'phone') assert.deepEqual(await page.evaluate(smallTargets, TOUCH_PX_MIN), []);
        await page.close();
      });
    }

    test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
  });
}

async function violations(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] }), RULES);
  return found.violations.map((each) => `${each.id}: ${each.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 140)} (${node.any[0]?.message ?? ''})`).join(' | ')}`);
}

/** Runs in the page. Times explain themselves on touch but need not be touched; links within a sentence are exempt, and a box to tick is as large as its label. */
function smallTargets(least) {
  const wanted = 'button:not(:has(> time)), a.button, nav a, a.row, select, summary, input:not([type=checkbox], [type=radio])';
  return [...document.querySelectorAll(wanted)]
    .filter((element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }))
    .map((element) => ({ text: element.textContent.trim().slice(0, 30) || element.id, height: element.getBoundingClientRect().height }))
    .filter(({ height }) => height < least)
    .map(({ text, height }) => `${text}: ${Math.round(height)} px`);
}
