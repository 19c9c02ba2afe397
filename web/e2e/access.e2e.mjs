// Getting in: nothing happens by merely opening a link, and the first administrator is led to a page that arrives.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { LOGIN_TOKEN, PASSWORD, SETUP_TOKEN, startMock } from '../mock/server.mjs';
import { control, openBrowser, streamsAre } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';

let base, stop, browser, page;
before(async () => {
  ({ url: base, stop } = await startMock({ first: FIRST_IN_WORKER }));
  browser = await openBrowser({ shiftMs: SHIFT_MS });
});
after(async () => {
  await browser?.close();
  await stop?.();
});
beforeEach(async () => {
  await page?.close();
  await streamsAre(base, 0);
  await control(base, 'reset');
  await browser.context.clearCookies();
  page = await browser.context.newPage();
});

const posts = async () => (await control(base, 'state')).requests.filter((each) => each.at === 'POST /session').length;

test('a login link is used by the button, not by opening it', async () => {
  await page.goto(`${base}/ui/login?token=${LOGIN_TOKEN}&next=%2Ftargets`);
  const button = page.getByRole('button', { name: 'Sign in', exact: true });
  await button.waitFor();
  assert.equal(await posts(), 0);
  await button.click();
  await page.getByRole('heading', { name: 'Targets', exact: true }).waitFor();
  assert.equal(await posts(), 1);
});

test('a screen that needs a session comes back after signing in by password', async () => {
  await page.goto(`${base}/ui/incidents/42`);
  await page.getByLabel('Mail address').fill('ada@example.org');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('The mail address or the password is wrong.').waitFor();
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: /Apache on webserver-01 is down/ }).waitFor();
});

test('a place outside the application is not gone to after signing in', async () => {
  await page.goto(`${base}/ui/login?token=${LOGIN_TOKEN}&next=https://elsewhere.example/`);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Incidents', exact: true }).waitFor();
  assert.ok(page.url().startsWith(base));
});

test('the first administrator sets up and is asked whether a page would arrive', async () => {
  await control(base, 'switch', { setup_needed: true });
  await page.goto(`${base}/ui/`);
  await page.getByText('Tocsin is not set up yet').waitFor();
  await page.goto(`${base}/ui/setup?token=${SETUP_TOKEN}`);
  await page.getByLabel('Your name').fill('Ada Lovelace');
  await page.getByLabel('Your mail address').fill('ada@example.org');
  await page.getByLabel('A password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Become administrator' }).click();
  await page.getByRole('heading', { name: 'Would a page reach you?' }).waitFor();
  await page.getByText('Your web server is found').waitFor();
});

test('signing out ends the session in every tab', async () => {
  await page.goto(`${base}/ui/login?token=${LOGIN_TOKEN}`);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Incidents', exact: true }).waitFor();
  const other = await browser.context.newPage();
  await other.goto(`${base}/ui/targets`);
  await other.getByRole('heading', { name: 'Targets', exact: true }).waitFor();
  await page.getByLabel('Account and appearance').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  for (const each of [page, other]) await each.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  await other.close();
});

test('nothing broke the content policy or threw', () => {
  assert.deepEqual(browser.trouble, []);
});
