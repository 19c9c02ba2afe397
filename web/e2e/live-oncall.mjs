// The walk over the screens of on-call against a real Tocsin of its own ($TOCSIN_BINARY): a way to be reached is proved, turns and
// an escalation policy are made, a shift is taken over, and what then fails is paged up the levels and explained back to its
// sample. The tests follow each other: each begins where the one before ended. $SHOTS names a folder for pictures.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { openBrowser, signIn } from './browser.mjs';
import { startTocsin } from './own-tocsin.mjs';
import { codeIn, isSigned, startReceiver } from './receiver.mjs';

const { SHOTS } = process.env;
const ZONE = 'Europe/Berlin';
const OLIVIA = { name: 'Olivia Oncall', email: 'olivia@example.org' };
const GRACE = { name: 'Grace Hopper', email: 'grace@example.org' };
const TITLE = 'The tills take no money';
const OPEN = 'tills_open{shop="north"} 1\n';
const SHUT = 'tills_open{shop="north"} 0\n';
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 900 };

const RULES = `
groups:
- name: tills
  rules:
  - alert: TillsShut
    expr: tills_open == 0
    labels: { severity: page }
    annotations: { summary: '${TITLE}', tocsin_service: Tills }
`;
const scraping = (exporter) => `
global: { scrape_interval: 1s, scrape_timeout: 1s }
rule_files: [rules.yml]
scrape_configs:
- job_name: tills
  static_configs: [{ targets: ['${exporter}'] }]
`;
const config = (url) => `
public_url = "${url}"
[egress]
allow = ["127.0.0.0/8"]
[watch]
enabled = false
[prometheus]
config = "prometheus.yml"
`;

let receiver, tocsin, browser, page;
before(async () => {
  receiver = await startReceiver();
  receiver.expose(OPEN);
  tocsin = await startTocsin({ admin: OLIVIA, config, files: { 'prometheus.yml': scraping(receiver.address), 'rules.yml': RULES } });
  await addGrace();
  browser = await openBrowser({ viewport: DESK, reducedMotion: 'reduce', timezoneId: ZONE });
  page = await browser.context.newPage();
  await signIn(page, tocsin.loginUrl);
});
after(async () => {
  await browser?.close();
  await tocsin?.stop();
  receiver?.stop();
});

/** Somebody else who takes turns, and can be reached. */
async function addGrace() {
  const { id } = await tocsin.api('POST', '/users', { ...GRACE, role: 'responder' });
  const ways = `/users/${id}/contact-methods`;
  const way = await tocsin.api('POST', ways, { kind: 'webhook', label: 'pager', address: `${receiver.url}/grace` });
  await tocsin.api('POST', `${ways}/${way.id}/test`, {});
  const code = codeIn((await receiver.arrival('/grace')).body);
  await tocsin.api('POST', `${ways}/${way.id}/verify`, { code });
}

const button = (name, within = page) => within.getByRole('button', { name });
const section = (heading) => page.locator('section', { has: page.getByRole('heading', { name: heading }) });
const said = (words) => page.locator('.said').getByText(words).waitFor();
const focused = () => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

async function open(path, ready = 'main h1') {
  await page.goto(tocsin.url + path);
  await page.locator(ready).first().waitFor();
}

/** Looks at what is shown as on a phone and at a desk, by day and by night: nothing is wider than its window. */
async function look(name) {
  const grounds = new Set();
  for (const [size, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      const wide = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll('main, dialog[open]')].map((each) => each.scrollWidth - each.clientWidth));
      assert.deepEqual(wide.filter((px) => px > 0), [], `${name} is too wide at ${viewport.width} px`);
      if (SHOTS) await photograph(`${name}-${size}-${colorScheme}`);
    }
  }
  assert.equal(grounds.size, 2, `${name} is as light by night as by day`);
  await page.setViewportSize(DESK);
  await page.emulateMedia({ colorScheme: 'light' });
}

async function photograph(name, of = page) {
  await mkdir(SHOTS, { recursive: true });
  const fullPage = (await of.locator('dialog[open]').count()) === 0;
  await of.screenshot({ path: `${SHOTS}/oncall-${name}.png`, fullPage, animations: 'disabled' });
}

/** How many pixels lie between one thing and what stands below it. */
async function between(above, below) {
  const [first, second] = await Promise.all([above.boundingBox(), below.boundingBox()]);
  return second.y - first.y - first.height;
}

/** A whole hour of the clock, so many hours from now. */
function hourFromNow(hours) {
  const hour = Number(new Intl.DateTimeFormat('en-US', { hour: 'numeric', hourCycle: 'h23', timeZone: ZONE }).format(new Date()));
  return `${String((hour + hours + 24) % 24).padStart(2, '0')}:00`;
}

async function addWay(kind, label, address) {
  await button('Add a way…').click();
  await page.getByRole('combobox', { name: 'Way', exact: true }).selectOption(kind);
  await page.getByLabel(/^Name/).fill(label);
  await page.getByLabel(kind === 'ntfy' ? 'Topic URL' : 'URL', { exact: true }).fill(address);
  await look(`add-${kind}`);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
}

/** Proves a way by the code that comes to `to`, after a wrong one was refused, and has a test page sent there. */
async function prove(label, to) {
  const row = page.locator('.rows > li', { hasText: label });
  await row.getByText('not verified').waitFor();
  await button('Send the code', row).click();
  const code = codeIn((await receiver.arrival(to)).body);
  assert.match(code ?? 'none', /^\d{6}$/);
  await row.locator('[data-state=delivered]').waitFor();
  const field = row.getByLabel('Six-digit code from the test page');
  await field.fill(code === '000000' ? '000001' : '000000');
  await button('Verify', row).click();
  await row.locator('.notice.bad').waitFor();
  assert.ok((await between(field, row.locator('.notice.bad'))) > 3, 'the refusal touches its field');
  await look(`code-${label}`);
  await field.fill(code);
  await button('Verify', row).click();
  await row.getByText('verified', { exact: true }).waitFor();
  await button('Send a test page', row).click();
  await receiver.arrival(to, (body) => codeIn(body) === undefined);
  await page.reload();
  await row.getByText('verified', { exact: true }).waitFor();
  await row.getByText(/Last: delivered/).waitFor();
}

test('a webhook is proved by the code that arrives there, and a test page arrives, signed', async () => {
  await open('/ui/people/me', '.rows');
  await addWay('webhook', 'pager', `${receiver.url}/olivia`);
  const secret = (await page.locator('main pre').textContent()).trim();
  await button('I have kept it').click();
  await prove('pager', '/olivia');
  assert.ok(isSigned(await receiver.arrival('/olivia'), secret));
  await page.getByText('reachable', { exact: true }).waitFor();
  assert.ok((await between(button('Change the rules…'), page.locator('label', { hasText: 'Word when duty passes on' }))) > 3, 'a button touches what stands below it');
});

test('a push by ntfy is proved in the same way', async () => {
  await addWay('ntfy', 'phone', `${receiver.url}/olivias-phone`);
  await prove('phone', 'olivias-phone');
});

test('a schedule is made in the browser, and its gap is drawn in red', async () => {
  await open('/ui/oncall');
  await page.getByRole('link', { name: 'New schedule…' }).click();
  await page.getByLabel('Name').fill('Tills');
  await page.getByLabel('The first turn starts').fill('2024-01-01T09:00');
  await page.getByLabel('Add a person').selectOption({ label: GRACE.name });
  await button('+ Hours of the day').click();
  await page.getByLabel('Window 1 of layer 1 begins').fill(hourFromNow(-2));
  await page.getByLabel('Window 1 of layer 1 ends').fill(hourFromNow(6));
  await page.getByText(/^Nobody is on call for/).waitFor();
  await look('schedule-new');
  await button('Save the schedule').click();
  await page.getByRole('heading', { level: 1, name: 'Tills' }).waitFor();
  await page.locator('p.now', { hasText: new RegExp(`Now ${GRACE.name}, then nobody from .*, then ${GRACE.name} from`) }).waitFor();
  await page.getByText(/^Nobody is on call for/).waitFor();
  const drawn = await page.locator('button.cell.gap').last().evaluate((each) => {
    const { color, borderTopColor, backgroundImage } = getComputedStyle(each);
    return { color, borderTopColor, isHatched: backgroundImage.startsWith('repeating-linear-gradient') };
  });
  const [red, green, blue] = drawn.color.match(/\d+/g).map(Number);
  assert.ok(red > 2 * Math.max(green, blue), `a gap is drawn in ${drawn.color}`);
  assert.equal(drawn.borderTopColor, drawn.color);
  assert.ok(drawn.isHatched);
  await look('schedule');
});

test('a shift is taken over in two clicks, and who is on call now is another', async () => {
  const now = page.locator('button.cell[tabindex="0"]');
  assert.match(await now.textContent(), new RegExp(GRACE.name));
  await now.click();
  await button('I take it').click();
  await said(/^You are on call from/);
  await page.reload();
  await page.locator('p.now', { hasText: `Now ${OLIVIA.name}` }).waitFor();
  assert.match(await now.textContent(), new RegExp(OLIVIA.name));
  await section('Changed by hand').locator('li', { hasText: OLIVIA.name }).getByText('override', { exact: true }).waitFor();
});

test('a gap is filled by keyboard alone', async () => {
  await page.locator('button.cell[tabindex="0"]').focus();
  for (let step = 0; step < 40 && !(await focused()).startsWith('Gap'); step += 1) await page.keyboard.press('ArrowRight');
  const [, span] = /^Gap, nobody on call, (.*? to (?:\w+, \w+ \d+, )?\d\d:\d\d)/.exec(await focused()) ?? [];
  assert.ok(span, await focused());
  await page.keyboard.press('Enter');
  await page.locator('dialog[open]').getByRole('heading', { name: 'Nobody is on call' }).waitFor();
  await look('shift');
  assert.equal(await focused(), 'I take it');
  await page.keyboard.press('Enter');
  await said(/^You are on call from/);
  await page.reload();
  const overrides = section('Changed by hand').locator('li', { hasText: OLIVIA.name });
  await overrides.getByText(span, { exact: true }).waitFor();
  assert.equal(await overrides.count(), 2);
  await page.locator('button.cell.hand', { hasText: span }).first().waitFor();
  await look('schedule-changed');
});

test('a policy names whoever took the shift over', async () => {
  await open('/ui/oncall');
  await page.locator('article', { has: page.getByRole('link', { name: 'Tills' }) }).locator('.who', { hasText: `${OLIVIA.name} reachable by an override` }).waitFor();
  await look('oncall');
  await page.getByRole('link', { name: 'New policy…' }).click();
  await page.getByLabel('Name').fill('Tills');
  await page.getByLabel('Add to level 1').selectOption({ label: 'Tills' });
  await page.getByLabel('Minutes before level 2').fill('0.1');
  await button('Add a level').click();
  await page.getByLabel('Add to level 2').selectOption({ label: GRACE.name });
  const paged = section('Who would be paged now');
  await paged.getByText('as edited, not saved').waitFor();
  await look('policy-new');
  await button('Save the policy').click();
  await button('Edit the levels…').waitFor();
  const { id } = (await tocsin.api('GET', '/escalation-policies')).items.find((each) => each.name === 'Tills');
  await tocsin.api('POST', '/services', { name: 'Tills', escalation_policy_id: id });
  await open(`/ui/oncall/policies/${id}`, '.steps');
  const first = paged.locator('li').first();
  await first.getByText(OLIVIA.name).waitFor();
  assert.match(await first.textContent(), /at once.*by Tills, until/s);
  assert.equal(await paged.locator('.problem').count(), 0);
  await page.locator('.steps li').first().getByText(OLIVIA.name).waitFor();
  await button(/^Show \d+ more steps$/).click();
  const lines = await page.locator('.steps .after').evaluateAll((all) => all.map((each) => {
    const text = document.createRange();
    text.selectNodeContents(each);
    return text.getClientRects().length;
  }));
  assert.deepEqual(lines.filter((count) => count !== 1), [], 'a time of what would happen is broken into two lines');
  await look('policy');
});

test('what fails is paged up the levels, with the state of each page, and explained back to its sample', async () => {
  receiver.refuse('/grace');
  receiver.expose(SHUT);
  const ofIt = (body) => body.title === TITLE;
  await Promise.all(['/olivia', '/grace'].map((each) => receiver.arrival(each, ofIt)));
  await open('/ui/', 'a.row');
  await page.locator('a.row', { hasText: TITLE }).click();
  await page.getByRole('heading', { level: 1, name: TITLE }).waitFor();
  const level = (number) => section('Who is called').locator('.level', { has: page.getByRole('heading', { name: `Level ${number}`, exact: true }) });
  await level(1).locator('[data-state=delivered]', { hasText: OLIVIA.name }).filter({ hasText: 'Webhook' }).first().waitFor();
  await level(2).locator('[data-state=failed]', { hasText: GRACE.name }).first().waitFor();
  await page.getByText(/pages? could not be delivered\.$/).waitFor();

  const sample = /^The sample: tills_open\{.*shop="north".*\} was 0 at /;
  const reasons = [[1, OLIVIA.name, /on call by the schedule .Tills.[^\n]*: an override/], [2, GRACE.name, /^Level 2 of .Tills. was reached/m]];
  for (const [number, who, because] of reasons) {
    const told = level(number).locator(':scope > div', { hasText: 'Webhook · pager' }).first();
    await told.getByText(`Why ${who}?`).click();
    const steps = told.locator('ol > li');
    await steps.last().waitFor();
    assert.match((await steps.allTextContents()).join('\n'), because);
    assert.match(await steps.last().textContent(), sample);
  }
  assert.match(await section('Why was I paged?').locator('li').last().textContent(), sample);
  await look('incident');
});

test('all of it is read and answered on a phone, by night', async (t) => {
  const phone = await openBrowser({ viewport: PHONE, hasTouch: true, isMobile: true, colorScheme: 'dark', reducedMotion: 'reduce', timezoneId: ZONE });
  t.after(() => phone.close());
  await phone.context.addCookies(await browser.context.cookies());
  const here = await phone.context.newPage();
  const fits = async (name) => {
    assert.ok((await here.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.width, `${name} is too wide`);
    if (SHOTS) await photograph(`${name}-touch`, here);
  };

  await here.goto(`${tocsin.url}/ui/oncall`);
  await here.getByText('you are on call now').waitFor();
  await fits('oncall');
  await here.getByRole('link', { name: /^Fill the gap ?: Nobody is on call in "Tills/ }).first().tap();
  await here.locator('button.cell.gap').first().waitFor();
  await fits('schedule');
  await button('Month', here).tap();
  await button('Month', here).and(here.locator('[aria-pressed=true]')).waitFor();
  await fits('month');
  await here.locator('details li button', { hasText: 'Nobody' }).first().tap();
  await button('I take it', here).waitFor();
  await fits('shift');
  await here.keyboard.press('Escape');
  await button('Edit the layers…', here).tap();
  await here.getByText('Nobody else would be on call').waitFor();
  await fits('schedule-edit');

  await here.goto(`${tocsin.url}/ui/oncall`);
  await here.locator('article').filter({ has: here.locator('.ladder') }).getByRole('link', { name: 'Tills' }).tap();
  await here.locator('.steps').waitFor();
  await fits('policy');
  await button('Edit the levels…', here).tap();
  await here.getByLabel('Add to level 2').waitFor();
  await fits('policy-edit');

  await here.goto(`${tocsin.url}/ui/people/me`);
  await button('Change the rules…', here).tap();
  await button('Save the rules', here).waitFor();
  await fits('rules');

  await here.goto(`${tocsin.url}/ui/incidents/1`);
  await here.getByText(`Why ${OLIVIA.name}?`).first().tap();
  await here.locator('.level').getByText(/^The sample: /).waitFor();
  await fits('incident');
  await button(/^Acknowledge/, here).tap();
  await here.getByText(`${OLIVIA.name} has it. Nobody else is called`).waitFor();
  await fits('acknowledged');
  assert.deepEqual(phone.trouble, []);
});

test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
