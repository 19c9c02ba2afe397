// What a responder does at 3 a.m., with the keyboard and by touch, when all goes well and when it does not.
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';
import { id } from '../mock/fixtures.mjs';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { afresh, control, gone, openBrowser, signIn, streamsAre } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';

/** What the first screen may cost on the wire, in bytes. */
const FIRST_LOAD_BYTES_MAX = 60_000;
const TABS = 8;

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

const state = () => control(base, 'state');
const sent = async (at) => (await state()).requests.filter((each) => each.at === at);
const INCIDENT = id('inc42');
const acknowledge = () => page.getByRole('button', { name: /^Acknowledge/ });

async function open(path, ready) {
  await page.goto(base + path);
  await page.waitForSelector(ready);
}

test('an acknowledgement is shown as being sent until the server confirms it', async () => {
  await control(base, 'switch', { hold: true });
  await open('/ui/incidents/42', '.plot canvas');
  await acknowledge().click();
  await page.getByText('Sending acknowledgement…').waitFor();
  await control(base, 'switch', { hold: false });
  await page.getByText('by Ada Lovelace', { exact: true }).waitFor();
  await page.getByText('Ada Lovelace has it.').waitFor();
  await gone(page.getByText('Sending acknowledgement…'));
  assert.equal((await sent(`POST /incidents/${INCIDENT}/acknowledge`)).length, 1);
});

test('an acknowledgement that fails says so and its retry carries the same key', async () => {
  await control(base, 'switch', { fail: { at: `POST /incidents/${INCIDENT}/acknowledge`, times: 1, status: 503, detail: 'The disk is full.' } });
  await open('/ui/incidents/42', '.plot canvas');
  await acknowledge().click();
  await page.getByText('The disk is full.').waitFor();
  assert.equal(await acknowledge().isEnabled(), true);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByText('by Ada Lovelace', { exact: true }).waitFor();
  const keys = (await sent(`POST /incidents/${INCIDENT}/acknowledge`)).map((each) => each.key);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.equal(keys[0].length, 32);
});

test('the list is walked with j and k, opened with Enter, answered with a, and annotated with n', async () => {
  await open('/ui/', 'a.row');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.plot canvas');
  await page.keyboard.press('a');
  await page.getByText('by Ada Lovelace', { exact: true }).waitFor();
  await page.keyboard.press('n');
  await page.locator('dialog textarea:focus').waitFor();
  await page.keyboard.type('acknowledged by hand: a n r j k');
  await page.keyboard.press('Control+Enter');
  await page.locator('section[aria-label=Timeline]').getByText('acknowledged by hand: a n r j k').waitFor();
  await gone(page.locator('dialog'));
});

test('g leads to the screens and ? lists the keys, which can be turned off', async () => {
  await open('/ui/', 'a.row');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.getByRole('heading', { name: 'Targets', exact: true }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  await page.getByRole('heading', { name: 'On call', exact: true }).waitFor();
  await page.keyboard.press('?');
  await page.getByLabel('Single-key shortcuts are on').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  assert.ok(page.url().endsWith('/ui/oncall'));
  await page.evaluate(() => localStorage.clear());
});

test('the filter lives in the address and older incidents are loaded on demand', async () => {
  await open('/ui/', 'a.row');
  assert.equal(await page.locator('a.row').count(), 3);
  await page.getByRole('link', { name: 'Resolved', exact: true }).click();
  await page.waitForURL(/status=resolved/);
  await page.getByText('Apache on webserver-01 is saturated').waitFor();
  await page.getByRole('combobox', { name: 'Target' }).selectOption({ label: 'shop-frontend' });
  await page.waitForURL(/target=/);
  await page.reload();
  await page.waitForSelector('a.row');
  assert.match(page.url(), /status=resolved&target=/);
  await page.goBack();
  await page.goBack();
  await page.waitForURL((url) => url.search === '');
});

test('a link to an incident that is not there leads back, also on a phone', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const main = page.getByRole('navigation', { name: 'Main' });
  await open('/ui/incidents/999', 'main .notice.bad');
  await page.getByRole('link', { name: '‹ Incidents' }).waitFor();
  await main.getByRole('link', { name: 'Incidents' }).click();
  await page.locator('a.row').first().click();
  await page.waitForSelector('.plot canvas');
  assert.equal(await main.isVisible(), false, 'its own bar stands there');
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('what a monitor still sees failing cannot be resolved by hand, and the page says so', async () => {
  await open('/ui/incidents/41', '.plot canvas');
  await page.getByText('Resolves by itself once it is healthy.').waitFor();
  await page.keyboard.press('r');
  assert.equal(await page.getByRole('button', { name: /^Resolve/ }).count(), 0);
  assert.equal(await page.locator('dialog').count(), 0);
});

test('an incident is declared by hand and resolved with a word on how', async () => {
  await open('/ui/', 'a.row');
  await page.getByRole('button', { name: 'Declare an incident' }).click();
  await page.getByLabel('What is wrong').fill('Customers report blank pages');
  await page.getByRole('button', { name: 'Declare and page' }).click();
  await page.getByRole('heading', { level: 1, name: 'Customers report blank pages' }).waitFor();
  await page.getByRole('button', { name: /^Resolve/ }).click();
  await page.getByLabel('How it was resolved').fill('Rolled back.');
  await page.locator('dialog').getByRole('button', { name: 'Resolve' }).click();
  await page.getByRole('heading', { name: 'Postmortem' }).waitFor();
  await gone(page.getByRole('button', { name: /^Resolve/ }));
});

test('what comes from outside is text: nothing of it runs', async () => {
  for (const path of ['/ui/?status=all', '/ui/incidents/40', '/ui/targets', '/ui/oncall', '/ui/people', '/ui/settings/monitors', '/ui/settings/rules', '/ui/settings/tokens', '/ui/settings/audit', '/ui/settings/doctor']) {
    await open(path, 'main h1');
    await page.getByText('window.__struck').first().waitFor();
    assert.equal(await page.evaluate(() => window.__struck), undefined, path);
    assert.equal(await page.locator('main img, main script').count(), 0, path);
  }
  await open('/ui/incidents/40', '.plot canvas');
  assert.equal(await page.locator('a[href^="javascript"]').count(), 0);
});

test('what an event carried is shown as text, its address as a link, and more on demand', async () => {
  await open('/ui/incidents/42', '.plot canvas');
  const alerts = page.locator('section', { has: page.getByRole('heading', { name: 'Alerts', exact: true }) });
  await alerts.getByText('Checkout probe', { exact: true }).waitFor();
  assert.match(await alerts.locator('dd a').first().getAttribute('href'), /^https:\/\/wiki\.example\.org\//);
  const note = alerts.getByText('was dropped');
  assert.equal(await note.isVisible(), false);
  await alerts.getByText('6 more details').click();
  await note.waitFor();
});

test('each page tells on demand why it was sent to this person', async () => {
  await open('/ui/incidents/42', '.plot canvas');
  const paging = page.locator('section', { has: page.getByRole('heading', { name: 'Who is called', exact: true }) });
  await paging.getByText('Why Ada Lovelace?').last().click();
  await paging.getByText(/^Ada Lovelace was paged at .*: After e-mail failed\.$/).waitFor();
  await paging.getByText(/^At the onset the sample apache_parent_up/).waitFor();
});

test('at the last resort the page names who is paged and when again', async () => {
  await control(base, 'advance', { number: 42, to: 'last resort' });
  await open('/ui/incidents/42', '.plot canvas');
  await page.getByText('Nobody who was to be paged first can be reached.').waitFor();
  assert.match(await page.locator('.now').innerText(), /Last resort: Grace Hopper; again at \d\d:\d\d/);
});

test('only the lines to paste are copied, and why they are needed stands apart', async () => {
  await open('/ui/targets', 'article');
  const lines = await page.locator('figure pre').innerText();
  assert.match(lines, /^ExtendedStatus On\n<Location/);
  assert.doesNotMatch(lines, /404|add this/);
  await page.getByText('answers with status 404').waitFor();
  await page.getByText('add this to /opt/apache/conf/httpd.conf').waitFor();
});

test('who may not stop the watch of a server is not offered it', async () => {
  await control(base, 'switch', { role: 'responder' });
  await open('/ui/targets', 'article');
  await page.getByRole('button', { name: /^Mute/ }).first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Stop watching…' }).count(), 0);
  await control(base, 'switch', { role: 'admin' });
  await page.reload();
  await page.getByRole('button', { name: 'Stop watching…' }).first().waitFor();
});

test(`${TABS} tabs share one stream and all of them change`, async () => {
  const tabs = [];
  for (let each = 0; each < TABS; each += 1) {
    const tab = await browser.context.newPage();
    await tab.goto(`${base}/ui/incidents/42`);
    tabs.push(tab);
  }
  for (const tab of tabs) await tab.locator('.status', { hasText: 'Ringing' }).waitFor();
  await streamsAre(base, 1);
  await control(base, 'advance', { number: 42, to: 'resolved' });
  for (const tab of tabs) await tab.locator('.status', { hasText: 'Resolved' }).waitFor();
  assert.equal((await state()).streams, 1);
  for (const tab of tabs) await tab.close();
});

test('a lost connection is said, resumed where it ended, and what was missed is caught up', async () => {
  await open('/ui/incidents/42', '.plot canvas');
  await streamsAre(base, 1);
  // What is shown by a change proves that the stream was read: only then is there a place to resume from.
  await control(base, 'advance', { number: 42, to: 'last resort' });
  await page.getByText('Nobody who was to be paged first can be reached.').waitFor();
  await control(base, 'switch', { stream_down: true });
  await page.getByText('No live connection.').waitFor();
  await control(base, 'advance', { number: 42, to: 'recovered' });
  // The connection may come back by itself before the button is pressed; it is gone then.
  const again = await page.getByRole('button', { name: 'Try now' }).elementHandle();
  await control(base, 'switch', { stream_down: false });
  await again.evaluate((button) => button.click());
  await page.getByText('No live connection.').waitFor({ state: 'detached' });
  await page.getByText('Healthy again after').waitFor();
  const streams = await sent('GET /stream');
  assert.match(streams.at(-1).resumes, /^10[01]$/);
});

test('a Tocsin that cannot page says so on every screen', async () => {
  await control(base, 'switch', { ill: true });
  await open('/ui/people', '.list');
  await page.getByText('Tocsin cannot page anyone.').waitFor();
  await page.getByRole('link', { name: 'How to mend it' }).click();
  await page.getByText('Tocsin cannot page.', { exact: true }).waitFor();
});

test('a way to be reached is added, verified by its code and tried by a test page', async () => {
  await open('/ui/people/me', '.rows');
  await page.getByRole('button', { name: 'Add a way…' }).click();
  await page.getByRole('combobox', { name: 'Way', exact: true }).selectOption('ntfy');
  await page.getByLabel('Topic URL').fill('https://ntfy.example.org/topic');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  // The new way is the fourth: waiting for it keeps the test from using the third.
  const row = page.locator('.rows > li').nth(3);
  await row.getByRole('button', { name: 'Send the code' }).click();
  await row.getByText('Delivered').waitFor();
  await row.getByLabel('Six-digit code').fill('000000');
  await row.getByRole('button', { name: 'Verify' }).click();
  await row.getByText('This code is not the one that was sent.').waitFor();
  await row.getByLabel('Six-digit code').fill('123456');
  await row.getByRole('button', { name: 'Verify' }).click();
  await row.getByText('verified', { exact: true }).waitFor();
  // Ada has rules of her own, which stay as she wrote them.
  await row.getByText(/^Not used by any rule yet/).waitFor();
  await row.getByRole('link', { name: 'Change the rules' }).click();
  await page.waitForURL('**/ui/people/me#rules');
});

test('a test page by a way that is not set up says so at once, and what is missing leads to the settings', async () => {
  await open('/ui/people/me', '.rows');
  await page.getByRole('button', { name: 'Add a way…' }).click();
  await page.getByRole('combobox', { name: 'Way', exact: true }).selectOption('telegram');
  await page.getByLabel('Number of the chat').fill('123456789');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const row = page.locator('.rows > li').nth(3);
  await row.getByText(/^No Telegram bot is set up/).waitFor();
  await row.getByRole('button', { name: 'Send the code' }).click();
  await row.getByRole('alert').getByText(/no test page was sent; an administrator sets it up/).waitFor();
  assert.equal(await row.getByText('Delivered').count(), 0);
  await row.getByRole('link', { name: 'Set it up' }).click();
  await page.getByRole('button', { name: 'Set up… Telegram' }).waitFor();
});

test('a target is muted and the mute is ended', async () => {
  await open('/ui/targets', 'article');
  const card = page.locator('article', { hasText: 'webserver-01' }).first();
  await card.getByRole('button', { name: 'Mute…' }).click();
  await page.getByRole('button', { name: '4 hours' }).click();
  await page.locator('dialog').getByRole('button', { name: 'Mute', exact: true }).click();
  await card.getByText('Nobody is paged until').waitFor();
  await card.getByRole('button', { name: 'End the mute' }).click();
  await card.getByText('Nobody is paged until').waitFor({ state: 'detached' });
});

test('where nothing is looked for, the targets and the checklist say so and where it is switched on', async () => {
  await control(base, 'switch', { empty: true });
  await open('/ui/targets', '.empty');
  await page.getByText('No web server found yet').waitFor();
  await control(base, 'switch', { empty: true, unwatched: true });
  for (const path of ['/ui/targets', '/ui/welcome']) {
    await open(path, 'main h1');
    await page.getByText('This machine is not watched, switched off by enabled = false under [watch] in tocsin.toml').waitFor();
    assert.equal(await page.getByText(/No web server found yet|Tocsin looks for running|No running Apache/).count(), 0, path);
  }
});

test('the first screen stays within its budget', async () => {
  const files = new Set();
  const fresh = await browser.context.newPage();
  fresh.on('response', (answer) => {
    const path = new URL(answer.url()).pathname;
    if (path.startsWith('/ui/')) files.add(path === '/ui/' ? 'index.html' : path.slice('/ui/'.length));
  });
  await fresh.goto(`${base}/ui/`);
  await fresh.waitForSelector('a.row');
  await fresh.close();
  let bytes = 0;
  for (const file of files) {
    const at = new URL(`../dist/${file}`, import.meta.url);
    bytes += await stat(new URL(`${at}.br`)).then((found) => found.size, async () => (await readFile(at)).length);
  }
  console.log(`first load: ${bytes} bytes of brotli in ${files.size} files`);
  assert.ok(bytes < FIRST_LOAD_BYTES_MAX, `${bytes} bytes`);
});

test('nothing broke the content policy, threw or opened a dialog', () => {
  assert.deepEqual(browser.trouble, []);
});
