// By what other programs raise alerts on a service, from the key to a mapping that is tried; and who is paged when nobody else is left.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { id } from '../mock/fixtures.mjs';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { afresh, control, gone, openBrowser, signIn } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';

const SHOP = `/ui/settings/services/${id('svcshop')}`;
const KEY = 'R0123456789ABCDEFGHIJKLMNOPQRSTU';

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

const sent = async (at) => (await control(base, 'state')).requests.filter((each) => each.at === at).length;
const button = (name, exact = false) => page.getByRole('button', { name, exact });
const dialog = () => page.locator('dialog');
const listed = () => page.locator('section', { has: page.getByRole('heading', { name: 'Integrations', exact: true }) });
const row = (text) => listed().locator('li', { hasText: text });
const pasted = (text) => dialog().locator('pre', { hasText: text });

async function open(path, ready = '.rows') {
  await page.goto(base + path);
  await page.waitForSelector(ready);
}
/** Opens the form of a new integration of the kind, with its name. */
async function begin(kind, name) {
  await button('Add an integration…').click();
  await dialog().getByRole('radio', { name: kind }).check();
  await dialog().getByLabel('What will use it').fill(name);
}

test('each integration of a service is told with its kind', async () => {
  await open(SHOP);
  await row('Checkout probe').getByText('Events API v2', { exact: true }).waitFor();
  await row('Prometheus of the shop').getByText('Prometheus', { exact: true }).waitFor();
  await row('Storage').getByText('JSON of any shape', { exact: true }).waitFor();
  await open('/ui/settings/services');
  await page.locator('.integrations li', { hasText: 'Prometheus of the shop' }).getByText('Prometheus', { exact: true }).waitFor();
});

test('an integration for Prometheus shows its key once, with the block to paste, and is listed', async () => {
  await open(SHOP);
  await begin(/^Prometheus/, 'Prometheus of the site');
  await dialog().getByLabel(/^Label that names the service/).fill('team');
  await button('Make its key').click();
  await pasted(new RegExp(`^${KEY}$`)).waitFor();
  const block = await pasted('alertmanagers:').textContent();
  assert.match(block, /scheme: https\n +path_prefix: "\/alertmanager"\n[^]*targets: \["tocsin\.example\.org"\]\n[^]*credentials: "R0123/);
  await button('I have kept it').click();
  await row('Prometheus of the site').waitFor();
  await gone(page.getByText(KEY));
  await button(/^Change… ?Prometheus of the site/).click();
  await dialog().getByLabel(/^Label that names the service/).waitFor();
  assert.equal(await dialog().getByLabel(/^Label that names the service/).inputValue(), 'team');
});

/** Opens what is shown once, each in its own way. */
const SHOWN_ONCE = {
  integration: async () => {
    await open(SHOP);
    await begin(/^Prometheus/, 'Prometheus of the site');
    await button('Make its key').click();
  },
  token: async () => {
    await open('/ui/settings/tokens', 'h1');
    await button('New token…').click();
    await dialog().getByLabel('What it is for').fill('Deploy job');
    await button('Make the token').click();
  },
  heartbeat: async () => {
    await open('/ui/targets/heartbeats');
    await button('New heartbeat…').click();
    await dialog().getByLabel('Which job').fill('Nightly report');
    await button('Make its address').click();
  },
};
for (const [what, make] of Object.entries(SHOWN_ONCE)) {
  test(`what is shown only once is not lost by Escape: ${what}`, async () => {
    await make();
    const shown = dialog().locator('pre').first();
    const text = await shown.textContent();
    // A browser itself closes a dialog on the second Escape in a row.
    for (let pressed = 0; pressed < 3; pressed += 1) await page.keyboard.press('Escape');
    await page.locator('dialog[open]').getByRole('alert').getByText('shown only now').waitFor();
    assert.equal(await shown.textContent(), text);
    await button('Stay here').click();
    await gone(dialog().getByRole('alert'));
    await button('Close', true).click();
    await button('Close it', true).click();
    await gone(dialog());
  });
}

test('what is to be pasted is copied by a button', async () => {
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: base });
  await open(SHOP);
  await begin(/^Grafana/, 'Grafana of the site');
  await button('Make its key').click();
  const place = dialog().locator('figure', { hasText: 'URL of the contact point' });
  await place.getByRole('button', { name: 'Copy' }).click();
  await place.getByText('Copied', { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `https://tocsin.example.org/intake/${KEY}`);
});

test('on a phone the key that is shown once is in sight, however far the form was scrolled', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(SHOP);
  await begin(/^Mail/, 'Mails of the storage');
  await button('Make its key').click();
  const key = pasted(new RegExp(`^${KEY.toLowerCase()}$`));
  await key.waitFor();
  assert.equal(await key.evaluate((block) => block === document.activeElement), true);
  const [box, head] = await Promise.all([key.boundingBox(), dialog().locator('header').boundingBox()]);
  assert.ok(box.y >= head.y + head.height && box.y + box.height <= 844, `the key is at ${box.y}`);
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('an integration is also made from the list of services', async () => {
  await open('/ui/settings/services');
  await button(/^Add an integration… ?to Shop$/).click();
  await dialog().getByRole('radio', { name: /^Opsgenie/ }).check();
  await dialog().getByLabel('What will use it').fill('Deploy bot');
  await button('Make its key').click();
  await pasted(/GenieKey R0123/).waitFor();
  await button('I have kept it').click();
  await page.locator('.integrations li', { hasText: 'Deploy bot' }).getByText('Opsgenie', { exact: true }).waitFor();
});

test('a mapping is tried on a sample before it is saved, and one that cannot be read says so', async () => {
  await open(SHOP);
  await begin(/^JSON of any shape/, 'Own checks');
  const outcome = dialog().getByRole('list', { name: 'What it would make' });
  await button('Try it').click();
  await outcome.getByText('disk on db1', { exact: true }).waitFor();
  await outcome.getByText('raises an alert').waitFor();
  await dialog().getByLabel('What the sender would send, as JSON').fill('{"host": "db2", "check": "disk", "state": "ok"}');
  await button('Try it').click();
  await outcome.getByText('ends an alert').waitFor();
  const mapping = dialog().getByLabel('Mapping, as JSON');
  await mapping.fill('{"title": ');
  await button('Try it').click();
  await dialog().getByText(/^The mapping is no JSON/).waitFor();
  assert.equal(await outcome.count(), 0);
  await mapping.fill('{"summary": "x"}');
  await button('Make its key').click();
  await dialog().getByText('title: is needed: a template of the line that people read').first().waitFor();
  await dialog().getByLabel('Begin with').selectOption('grafana');
  await button('Try it').click();
  await outcome.getByText('The disk of db1 is full', { exact: true }).waitFor();
  assert.equal(await sent(`POST /services/${id('svcshop')}/integrations`), 1);
  await button('Make its key').click();
  await pasted(/Authorization: Bearer R0123/).waitFor();
});

test('a sample is tried on an integration that is there', async () => {
  await open(SHOP);
  await button(/^Try a sample… ?on Storage/).click();
  await dialog().getByLabel('What the sender would send, as JSON').fill('{"title": "Array degraded", "id": "a1"}');
  await button('Try it').click();
  await dialog().getByText('Array degraded', { exact: true }).waitFor();
  await dialog().getByText('key a1', { exact: true }).waitFor();
});

test('details of one name from two places of a sample are both shown', async () => {
  await open(SHOP);
  await begin(/^JSON of any shape/, 'Own checks');
  await dialog().getByLabel('Mapping, as JSON').fill('{"title": "{{ .title }}", "details_from": [".labels", ".annotations"]}');
  await dialog().getByLabel('What the sender would send, as JSON').fill('{"title": "Disk", "labels": {"summary": "full"}, "annotations": {"summary": "The disk is full"}}');
  await button('Try it').click();
  const outcome = dialog().getByRole('list', { name: 'What it would make' });
  await outcome.getByText('summary: full', { exact: true }).waitFor();
  await outcome.getByText('summary: The disk is full', { exact: true }).waitFor();
});

test('a mail address is shown with the mail that ends an alert, and where no mail is taken it is said', async () => {
  await control(base, 'switch', { no_mail: true });
  await open(SHOP);
  await begin(/^Mail/, 'Mails of the storage');
  await button('Make its key').click();
  await dialog().getByText(/^this server takes no mail/).waitFor();
  await control(base, 'switch', { no_mail: false });
  await button('Try it').click();
  await dialog().getByText('PROBLEM: disk full', { exact: true }).waitFor();
  await button('Make its key').click();
  await pasted(new RegExp(`^${KEY.toLowerCase()}@alerts\\.example\\.org$`)).waitFor();
  await pasted("mail -s 'RESOLVED Disk full'").waitFor();
});

test('an integration is renamed with its mapping kept, and removed only when that is confirmed', async () => {
  await open(SHOP);
  await button(/^Change… ?Storage/).click();
  await dialog().getByLabel('What will use it').fill('Storage');
  assert.match(await dialog().getByLabel('Mapping, as JSON').inputValue(), /"dedup_key": "\{\{ \.id \}\}"/);
  await button('Save', true).click();
  await row('Storage').waitFor();
  await button('Remove… Storage', true).click();
  await dialog().getByText('Its key is refused from now on').waitFor();
  await button('Keep it').click();
  assert.equal(await sent(`DELETE /services/${id('svcshop')}/integrations/${id('int3')}`), 0);
  await button('Remove… Storage', true).click();
  await dialog().getByRole('button', { name: 'Remove', exact: true }).click();
  await row('Storage').waitFor({ state: 'detached' });
});

test('who may not is offered no integration, and sees those that are there', async () => {
  await control(base, 'switch', { role: 'viewer' });
  await open(SHOP);
  await row('Checkout probe').waitFor();
  assert.equal(await button(/^(Add an integration|Try a sample|Change…|Remove…)/).count(), 0);
});

test('the list of last resort says what it is for, who is on it, and who of them would not hear', async () => {
  for (const path of ['/ui/oncall', '/ui/settings/last-resort']) {
    await open(path, '#last-resort-title');
    await page.getByText(/^Who is paged when a policy is through/).waitFor();
    await page.getByRole('list', { name: 'List of last resort' }).getByRole('link', { name: 'Ada Lovelace' }).waitFor();
    await page.getByText(/^Lin .* has no verified contact method\.$/).waitFor();
  }
});

test('an administrator orders the list of last resort, takes people off and puts others on', async () => {
  await open('/ui/settings/last-resort', '#last-resort-title');
  await button('Change the list…').click();
  await button(/^Remove Lin/).click();
  await button('Remove Ada Lovelace').click();
  await page.getByText('The list is never empty: add somebody.').waitFor();
  assert.equal(await button('Save the list').isDisabled(), true);
  await page.getByLabel('Add a person').selectOption({ label: 'Ada Lovelace' });
  await page.getByLabel('Add a person').selectOption({ label: 'Grace Hopper' });
  await button('Move Grace Hopper up').click();
  await button('Save the list').click();
  await page.getByText('The list is saved.').waitFor();
  const names = page.getByRole('list', { name: 'List of last resort' }).getByRole('link');
  await names.nth(0).getByText('Grace Hopper').waitFor();
  assert.deepEqual(await names.allTextContents(), ['Grace Hopper', 'Ada Lovelace']);
  assert.equal(await page.locator('.panel .notice').count(), 0);
});

test('a list of last resort that nobody would hear, or that is empty, is an alarm', async () => {
  await open('/ui/settings/last-resort', '#last-resort-title');
  await button('Change the list…').click();
  await button('Remove Ada Lovelace').click();
  await button('Save the list').click();
  await page.locator('.notice.bad').getByText(/^Nobody on the list can be reached/).waitFor();
  await control(base, 'switch', { empty: true });
  await open('/ui/settings/last-resort', '#last-resort-title');
  await page.locator('.notice.bad').getByText(/^Nobody is on the list/).waitFor();
  await open('/ui/oncall', '#last-resort-title');
  const above = page.locator('.notice.bad', { hasText: 'List of last resort.' });
  await above.waitFor();
  assert.ok((await above.boundingBox()).y < 300, 'the alarm is below the fold');
});

test('a list of last resort that cannot be saved says why and stays open', async () => {
  await open('/ui/settings/last-resort', '#last-resort-title');
  await button('Change the list…').click();
  await control(base, 'switch', { fail: { at: 'PUT /fallback', times: 1, status: 503, detail: 'The disk is full.' } });
  await button('Save the list').click();
  await page.getByText('The disk is full.').waitFor();
  await button('Save the list').click();
  await page.getByText('The list is saved.').waitFor();
});

test('who is no administrator sees the list of last resort and cannot change it', async () => {
  await control(base, 'switch', { role: 'responder' });
  await open('/ui/settings/last-resort', '#last-resort-title');
  await page.getByRole('list', { name: 'List of last resort' }).waitFor();
  assert.equal(await button('Change the list…').count(), 0);
});

test('names that look like markup are text here, too', async () => {
  for (const path of [SHOP, '/ui/settings/last-resort']) {
    await open(path, path === SHOP ? '.rows' : '#last-resort-title');
    await page.getByText('window.__struck').first().waitFor();
    assert.equal(await page.evaluate(() => window.__struck), undefined, path);
    assert.equal(await page.locator('main img, main script').count(), 0, path);
  }
});

test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
