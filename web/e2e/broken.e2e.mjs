// A part that breaks while it is shown: it says so, everything around it goes on, and it can be loaded anew.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { afresh, control, gone, openBrowser, signIn } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';

let base, stop, browser, page;
before(async () => {
  ({ url: base, stop } = await startMock({ first: FIRST_IN_WORKER }));
  browser = await openBrowser({ shiftMs: SHIFT_MS });
  page = await browser.context.newPage();
  await signIn(page, `${base}/ui/login?token=${LOGIN_TOKEN}`);
});
after(async () => {
  await browser?.close();
  await stop?.();
});
beforeEach(() => afresh(page, base));

const broken = () => page.getByRole('alert').getByText('This part could not be shown.');
const goTo = (name) => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click();

test('a part that breaks says so, and the others are reached from there', async () => {
  await control(base, 'switch', { twice: true });
  await Promise.all([page.waitForEvent('pageerror'), page.goto(`${base}/ui/people/teams`)]);
  await broken().waitFor();
  assert.ok(browser.trouble.some((each) => each.startsWith('error: ')), 'the fault is not hidden from the console');
  await goTo('Targets');
  await page.getByRole('heading', { name: 'Targets', exact: true }).waitFor();
  await gone(broken());
});

test('a part that broke is loaded anew by its button', async () => {
  await control(base, 'switch', { twice: true });
  await page.goto(`${base}/ui/people/teams`);
  await broken().waitFor();
  await control(base, 'switch', { twice: false });
  await page.getByRole('button', { name: 'Load the page again' }).click();
  await page.locator('.rows').first().waitFor();
  await gone(broken());
});
