// The smoke test against a real Tocsin: signs in by a login link, answers a ringing incident in the browser, sees it turn
// resolved without a reload, reads whom it paged and why, and opens every screen; it changes nothing else, since whoever broke
// something here counts what follows. The screens that change who is on call are walked by `live-oncall.mjs`. Needs $TOCSIN_URL, $TOCSIN_LOGIN_URL and $TOCSIN_INCIDENT (id or
// number). If that incident is over already, its page is read and another one is declared, answered and resolved by hand.
// $TOCSIN_WAIT_MS bounds the wait for a recovery; $SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { openBrowser, signIn } from './browser.mjs';

const { TOCSIN_URL, TOCSIN_LOGIN_URL, TOCSIN_INCIDENT, SHOTS } = process.env;
const base = (TOCSIN_URL ?? '').replace(/\/$/, '');
const wait = Number(process.env.TOCSIN_WAIT_MS ?? 120_000);
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };
const SCREENS = {
  incidents: '/ui/?status=all', targets: '/ui/targets', heartbeats: '/ui/targets/heartbeats', maintenance: '/ui/targets/maintenance', oncall: '/ui/oncall', people: '/ui/people', teams: '/ui/people/teams', person: '/ui/people/me', welcome: '/ui/welcome',
  doctor: '/ui/settings/doctor', mail: '/ui/settings/mail', providers: '/ui/settings/providers', services: '/ui/settings/services', 'alert-rules': '/ui/settings/alert-rules', priorities: '/ui/settings/priorities', monitors: '/ui/settings/monitors', rules: '/ui/settings/rules', tokens: '/ui/settings/tokens', audit: '/ui/settings/audit',
};

let browser, page;
before(async () => {
  for (const [name, value] of Object.entries({ TOCSIN_URL, TOCSIN_LOGIN_URL, TOCSIN_INCIDENT })) assert.ok(value, `$${name} is not set`);
  browser = await openBrowser({ viewport: PHONE });
  page = await browser.context.newPage();
  await signIn(page, TOCSIN_LOGIN_URL);
});
after(() => browser?.close());

const status = (words) => page.locator('.head .status', { hasText: words });
const button = (name) => page.getByRole('button', { name });

/** The window is a phone's: what is wider has to be moved to be read. */
async function fits(what) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${what} is ${wide} px too wide`);
}

async function photograph(name) {
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
}

async function acknowledge(name) {
  await button(/^Acknowledge/).click();
  await status('Acknowledged').waitFor();
  await photograph(`${name}-acknowledged`);
}

test('an incident is answered in the browser and seen to resolve', { timeout: wait + 120_000 }, async (t) => {
  await page.goto(`${base}/ui/incidents/${TOCSIN_INCIDENT}`);
  await page.locator('.head h1').waitFor();
  const wasOver = (await status('Resolved').count()) > 0;
  if (wasOver) t.diagnostic('the incident given is over already');
  else {
    await photograph('ringing');
    if ((await button(/^Acknowledge/).count()) > 0) await acknowledge('given');
    await status('Resolved').waitFor({ timeout: wait });
  }
  await page.getByRole('link', { name: /Open the document/ }).waitFor({ timeout: 30_000 });
  await photograph('resolved');
  if (!wasOver) return;

  await page.goto(`${base}/ui/`);
  await button('Declare an incident').click();
  await page.getByLabel('What is wrong').fill('A trial of the bell');
  await button('Declare and page').click();
  await page.getByRole('heading', { level: 1, name: 'A trial of the bell' }).waitFor();
  await acknowledge('declared');
  await button(/^Resolve/).click();
  await page.locator('dialog').getByRole('button', { name: 'Resolve' }).click();
  await status('Resolved').waitFor();
});

test('the incident shows what came of each page, and why it was sent, back to its cause', async () => {
  await page.goto(`${base}/ui/incidents/${TOCSIN_INCIDENT}`);
  const level = page.locator('.level', { has: page.getByRole('heading', { name: 'Level 1', exact: true }) });
  await level.locator('[data-state=delivered]').first().waitFor();
  assert.equal(await level.locator('[data-state]').count(), await level.getByText(/^Why .*\?$/).count());
  await level.getByText(/^Why .*\?$/).first().click();
  const steps = level.locator('ol > li').filter({ visible: true });
  await steps.last().waitFor();
  for (const told of [steps, page.locator('.why li')]) assert.match(await told.last().textContent(), /^The sample: .* was .* at |^That was (asked for|due) at /);
  await fits('an incident');
  await photograph('why');
});

test('a schedule and a policy are shown as they stand now', async () => {
  await page.goto(`${base}/ui/oncall`);
  await page.locator('a[href^="/ui/oncall/schedules/Q"]').first().click();
  await page.locator('button.cell').first().waitFor();
  const onCall = await page.locator('p.now strong').first().textContent();
  await fits('a schedule');
  await photograph('schedule');
  await page.goto(`${base}/ui/oncall`);
  await page.locator('a[href^="/ui/oncall/policies/Q"]').first().click();
  await page.getByRole('heading', { name: 'Who would be paged now' }).waitFor();
  await page.locator('.ladder li', { hasText: 'at once' }).getByText(onCall, { exact: true }).waitFor();
  await fits('a policy');
  await photograph('policy');
});

test('every screen shows what the server says', async () => {
  for (const [name, path] of Object.entries(SCREENS)) {
    await page.goto(base + path);
    await page.locator('main h1').waitFor();
    await page.locator('main .wait').first().waitFor({ state: 'detached' });
    const refused = await page.locator('main .notice.bad[role=alert]', { hasText: 'could not be loaded' }).allTextContents();
    assert.deepEqual(refused, [], path);
    await fits(path);
    await photograph(name);
  }
});

test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
