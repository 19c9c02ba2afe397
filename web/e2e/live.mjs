// The smoke test against a real Tocsin: signs in by a login link, opens a ringing incident, acknowledges it in the
// browser and sees it turn resolved. Needs $TOCSIN_URL, $TOCSIN_LOGIN_URL and $TOCSIN_INCIDENT (id or number);
// $TOCSIN_WAIT_MS bounds the wait for the recovery, $SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { openBrowser, signIn } from './browser.mjs';

const { TOCSIN_URL, TOCSIN_LOGIN_URL, TOCSIN_INCIDENT, SHOTS } = process.env;
const wait = Number(process.env.TOCSIN_WAIT_MS ?? 120_000);
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };

test('a person acknowledges a real incident in the browser and sees it resolved', { timeout: wait + 90_000 }, async (t) => {
  for (const [name, value] of Object.entries({ TOCSIN_URL, TOCSIN_LOGIN_URL, TOCSIN_INCIDENT })) assert.ok(value, `$${name} is not set`);
  const { context, trouble, close } = await openBrowser({ viewport: PHONE });
  t.after(close);
  const page = await context.newPage();
  const status = (words) => page.locator('.head .status', { hasText: words });
  const photograph = async (name) => {
    if (!SHOTS) return;
    await mkdir(SHOTS, { recursive: true });
    for (const [size, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
      for (const colorScheme of ['light', 'dark']) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        await page.waitForTimeout(300);
        await page.screenshot({ path: `${SHOTS}/live-${name}-${size}-${colorScheme}.png`, fullPage: size === 'desk' });
      }
    }
    await page.setViewportSize(PHONE);
  };

  await signIn(page, TOCSIN_LOGIN_URL);
  await page.goto(`${TOCSIN_URL.replace(/\/$/, '')}/ui/incidents/${TOCSIN_INCIDENT}`);
  await page.locator('.head h1').waitFor();
  await photograph('opened');

  await page.getByRole('button', { name: /^Acknowledge/ }).click();
  await status('Acknowledged').waitFor();
  t.diagnostic('acknowledged in the browser');
  await photograph('acknowledged');

  await status('Resolved').waitFor({ timeout: wait });
  t.diagnostic('seen to resolve, without a reload');
  await page.getByRole('link', { name: /Open the document/ }).waitFor({ timeout: 30_000 });
  await photograph('resolved');
  assert.deepEqual(trouble, []);
});
