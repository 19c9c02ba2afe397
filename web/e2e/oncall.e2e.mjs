// The on-call screens: an override in two clicks and by keyboard alone, layers with their preview, swaps, calendar links,
// and who would be paged.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { id } from '../mock/fixtures.mjs';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { afresh, control, openBrowser, signIn, streamsAre, tryAgain } from './browser.mjs';
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

const WEB = `/ui/oncall/schedules/${id('sched1')}`;
const SHOP = `/ui/oncall/schedules/${id('sched3')}`;
const sent = async (at) => (await control(base, 'state')).requests.filter((each) => each.at === at).length;
const cells = (who) => page.locator('button.cell', { hasText: new RegExp(`^\\s*${who}`) });
const said = () => page.locator('.said');
const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim());

const API = '/api/tocsin/v1';
/** What somebody does in another browser. */
const elsewhere = (path, body, method = 'POST') => page.evaluate(async ([at, api, body, method]) => {
  const { csrf_token } = await (await fetch(`${api}/session`)).json();
  await fetch(api + at, { method, headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf_token }, body: JSON.stringify(body) });
}, [path, API, body, method]);

async function open(path, ready = 'button.cell') {
  await page.goto(base + path);
  await page.waitForSelector(ready);
}

test('a shift is taken over in two clicks', async () => {
  await open(WEB);
  await cells('Grace').last().click();
  await page.getByRole('button', { name: 'I take it' }).click();
  await said().getByText(/^You are on call from/).waitFor();
  assert.equal(await page.locator('dialog').count(), 0);
  assert.equal(await sent(`POST /schedules/${id('sched1')}/overrides`), 1);
  await page.locator('section', { hasText: 'Changed by hand' }).getByText('Ada Lovelace', { exact: true }).last().waitFor();
});

test('a gap is filled by keyboard alone, from the rota and back to it', async () => {
  await open(`${SHOP}?view=month`);
  await page.locator('button.cell[tabindex="0"]').focus();
  for (let step = 0; step < 40 && !(await focused()).startsWith('Gap'); step += 1) await page.keyboard.press('ArrowRight');
  assert.match(await focused(), /^Gap, nobody on call, .* to /);
  await page.locator('[role=tooltip]').getByText('your time').waitFor();
  // A page that scrolls under the focus keeps the tip, at its cell.
  await page.evaluate(() => new Promise((done) => (addEventListener('scroll', done, { once: true }), scrollBy(0, scrollY > 40 ? -40 : 40))));
  const [tip, cell] = await Promise.all(['[role=tooltip]', 'button.cell:focus'].map((each) => page.locator(each).boundingBox()));
  assert.ok(Math.min(Math.abs(tip.y + tip.height - cell.y), Math.abs(tip.y - cell.y - cell.height)) < 12, 'the tip is away from its cell');
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor();
  assert.equal(await focused(), 'I take it');
  await page.keyboard.press('Enter');
  await said().getByText(/^You are on call from/).waitFor();
  assert.equal(await said().getAttribute('role'), 'status');
  assert.equal(await page.locator('dialog').count(), 0);
  await page.locator('button.cell:focus').waitFor();
});

test('arrow keys walk the rota and only one of its cells is a stop of the Tab key', async () => {
  await open(WEB);
  assert.equal(await page.locator('button.cell[tabindex="0"]').count(), 1);
  await page.locator('button.cell[tabindex="0"]').focus();
  await page.keyboard.press('Home');
  const first = await focused();
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await focused(), first);
  await page.keyboard.press('ArrowLeft');
  assert.equal(await focused(), first);
  await page.keyboard.press('ArrowDown');
  assert.notEqual(await focused(), first);
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineWidth);
  assert.equal(outline, '3px');
});

test('the tip over a shift that was taken over names who has it now', async () => {
  await open(WEB);
  await cells('Grace').last().focus();
  await page.locator('[role=tooltip]', { hasText: 'Grace Hopper' }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('dialog').waitFor();
  await page.keyboard.press('Enter');
  await said().getByText(/^You are on call from/).waitFor();
  await page.locator('[role=tooltip]', { hasText: 'Ada Lovelace' }).waitFor();
  assert.equal(await page.locator('[role=tooltip]', { hasText: 'Grace Hopper' }).count(), 0);
});

test('a shift that changes hands while it is looked at says so', async () => {
  await open(WEB);
  await cells('Grace').last().click();
  await page.locator('dialog').getByRole('heading', { name: 'Grace Hopper is on call' }).waitFor();
  await streamsAre(base, 1);
  const [from, until] = [0, 60].map((days) => new Date(Date.now() + days * 86_400_000).toISOString());
  await elsewhere(`/schedules/${id('sched1')}/overrides`, { user_id: id('ada'), from, until });
  await page.locator('dialog').getByRole('heading', { name: 'You are on call' }).waitFor();
});

test('a rota that cannot be loaded says so, and is asked for again', async () => {
  await control(base, 'switch', { fail: { at: `GET /schedules/${id('sched1')}/rendered`, status: 503, detail: 'The disk is full.' } });
  await open(WEB, 'h1');
  await page.getByText('The rota could not be loaded.').waitFor();
  await page.getByText('The disk is full.').waitFor();
  assert.equal(await page.getByText(/^Loading/).count(), 0);
  await tryAgain(base, page.getByRole('button', { name: 'Try again' }));
  await page.waitForSelector('button.cell');
});

test('somebody else is put on call for a part of a shift, and the override is taken back', async () => {
  await open(WEB);
  await cells('Ada').last().click();
  await page.getByText('Only a part of it').click();
  const until = page.getByLabel('Until');
  await until.fill('2020-01-01T00:00');
  await page.getByText('It has to end after it begins.').waitFor();
  const from = await page.getByLabel('From').inputValue();
  await until.fill(from.replace(/T.*/, 'T23:59'));
  await page.getByLabel('Somebody else takes it').selectOption({ label: 'Grace Hopper' });
  await page.getByRole('button', { name: 'Put on call' }).click();
  await said().getByText(/^Grace Hopper is on call from/).waitFor();
  await page.getByRole('button', { name: /^Take back the override for Grace/ }).last().click();
  await said().getByText('The override is taken back.').waitFor();
});

test('a refusal is shown where it was asked for', async () => {
  await control(base, 'switch', { fail: { at: `POST /schedules/${id('sched1')}/overrides`, times: 1, status: 409, detail: 'The schedule was removed meanwhile.' } });
  await open(WEB);
  await cells('Grace').last().click();
  await page.getByRole('button', { name: 'I take it' }).click();
  await page.locator('dialog').getByText('The schedule was removed meanwhile.').waitFor();
});

test('a refusal for one reason tells it once', async () => {
  const reason = 'the override has to end after it begins';
  await control(base, 'switch', { fail: { at: `POST /schedules/${id('sched1')}/overrides`, times: 1, status: 400, detail: reason, errors: [reason] } });
  await open(WEB);
  await cells('Grace').last().click();
  await page.getByRole('button', { name: 'I take it' }).click();
  await page.locator('dialog').getByText(reason).first().waitFor();
  assert.equal(await page.locator('dialog').getByText(reason).count(), 1);
});

test('a refusal is gone when the form that it was about is opened anew', async () => {
  const detail = 'Somebody else changed it meanwhile.';
  for (const [path, edit, save, at] of [[WEB, 'Edit the layers…', 'Save the schedule', `PUT /schedules/${id('sched1')}`], [`/ui/oncall/policies/${id('polweb')}`, 'Edit the levels…', 'Save the policy', `PUT /escalation-policies/${id('polweb')}`]]) {
    await control(base, 'switch', { fail: { at, times: 1, status: 409, detail } });
    await open(path, 'main h1');
    await page.getByRole('button', { name: edit }).click();
    await page.getByRole('button', { name: save }).click();
    await page.getByText(detail).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: edit }).click();
    await page.getByRole('button', { name: save }).waitFor();
    assert.equal(await page.getByText(detail).count(), 0, path);
  }
});

test('an unsaved change of the layers is drawn with who else would be on call, and then saved', async () => {
  await open(WEB);
  await page.getByRole('button', { name: 'Edit the layers…' }).click();
  await page.getByText('Nobody else would be on call').waitFor();
  await page.getByLabel('Move Ada Lovelace down').first().click();
  await page.getByText(/^Somebody else would be on call: \d+ changes/).waitFor();
  assert.equal(await sent(`PUT /schedules/${id('sched1')}`), 0);
  // A preview is looked at, not changed.
  await page.locator('button.cell').last().click();
  assert.equal(await page.locator('dialog').count(), 0);
  await page.getByRole('button', { name: '+ Hours of the day' }).first().click();
  await page.getByText(/^Nobody is on call for/).waitFor();
  await page.getByRole('button', { name: 'Save the schedule' }).click();
  await said().getByText('The schedule is saved.').waitFor();
  await page.getByText('only daily 08:00 to 18:00').waitFor();
});

test('a new schedule is previewed before it exists', async () => {
  await open('/ui/oncall/schedules/new', 'form');
  await page.getByText('The preview appears once every layer has somebody.').waitFor();
  await page.getByLabel('Add a person').waitFor();
  assert.equal(await page.getByText(/^Loading/).count(), 0);
  await page.getByLabel('Name').fill('Nights');
  await page.getByLabel('Add a person').selectOption({ label: 'Grace Hopper' });
  await cells('Grace').first().waitFor();
  await page.getByRole('button', { name: 'Save the schedule' }).click();
  await page.getByRole('heading', { level: 1, name: 'Nights' }).waitFor();
});

test('people for a new schedule who cannot be loaded are asked for again', async () => {
  await control(base, 'switch', { fail: { at: 'GET /users', status: 503, detail: 'The disk is full.' } });
  await open('/ui/oncall/schedules/new', 'form');
  await page.getByText('People could not be loaded.').waitFor();
  await tryAgain(base, page.getByRole('button', { name: 'Try again' }));
  await page.getByLabel('Add a person').selectOption({ label: 'Grace Hopper' });
  await cells('Grace').first().waitFor();
});

test('a swap that was offered to me is accepted, and I offer one', async () => {
  await open(WEB);
  await page.getByRole('button', { name: 'Accept' }).click();
  await said().getByText('The swap is agreed.').waitFor();
  await page.getByText('swap agreed').waitFor();
  await cells('Ada').last().click();
  await page.getByRole('button', { name: 'Swap it…' }).click();
  await page.getByLabel('Which shift I take instead').selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Offer the swap' }).click();
  await said().getByText(/^The swap is offered to/).waitFor();
  await page.getByText('swap offered').waitFor();
});

test('a temporary shift is set and taken back', async () => {
  await open(WEB);
  await page.getByRole('button', { name: 'Temporary shift…' }).click();
  await page.locator('dialog').getByLabel('Add a person').selectOption({ label: 'Ada Lovelace' });
  await page.getByRole('button', { name: 'Set the shift' }).click();
  await said().getByText(/^The temporary shift is set/).waitFor();
  await page.getByRole('button', { name: /^Take back the temporary shift/ }).click();
  await said().getByText('The temporary shift is taken back.').waitFor();
});

test('a calendar link is shown once and can be revoked', async () => {
  await open(WEB);
  await page.getByRole('button', { name: 'Make a link' }).click();
  await page.locator('pre', { hasText: '/ical/' }).waitFor();
  await page.reload();
  const revoke = page.getByRole('button', { name: 'Revoke My shifts of Web, first line' });
  await revoke.waitFor();
  assert.equal(await page.locator('pre').count(), 0);
  await revoke.click();
  await revoke.waitFor({ state: 'detached' });
});

test('the day on which the clocks change is as wide as it is long', async () => {
  await open(`${WEB}?view=week&at=2027-03-28`);
  await page.getByText('23 h').waitFor();
  const widths = await page.locator('.day').evaluateAll((days) => days.map((day) => Number.parseFloat(day.style.width)));
  assert.equal(widths.length, 7);
  assert.ok(Math.abs(widths[6] / widths[0] - 23 / 24) < 1e-6);
});

test('who may only look is offered no change', async () => {
  await control(base, 'switch', { role: 'viewer' });
  await open(WEB);
  assert.equal(await page.getByRole('button', { name: /^Edit the layers|^Take back|^Accept/ }).count(), 0);
  await cells('Grace').last().click();
  await page.getByText('Your role may look').waitFor();
  assert.equal(await page.getByRole('button', { name: 'I take it' }).count(), 0);
});

test('what will go wrong is on top, and leads to where it is mended', async () => {
  await open('/ui/oncall', '.chip.bad');
  await page.getByRole('heading', { name: /things would keep a page from somebody in the next 14 days/ }).waitFor();
  await page.getByText('you are on call now').waitFor();
  await page.getByRole('link', { name: /^Fill the gap ?: Nobody is on call in "Shop/ }).first().click();
  await page.getByRole('heading', { level: 1, name: 'Shop, office hours' }).waitFor();
  await page.locator('button.cell.gap').first().waitFor();
});

test('a gap that comes every day is one line, and each of its days is told on demand', async () => {
  await open('/ui/oncall', '.chip.bad');
  const line = page.locator('.line', { hasText: /^\s*Gap\s*Nobody is on call in "Night/ });
  await line.getByText(/ every day \d\d:\d\d to \d\d:\d\d \(Asia\/Kathmandu\) until .*; 15 times$/).first().waitFor();
  assert.equal(await line.count(), 1);
  const each = line.locator('details li');
  assert.equal(await each.first().isVisible(), false);
  await line.getByText('Each of these').click();
  await each.first().waitFor();
  assert.equal(await each.count(), 7);
});

test('a policy that is edited shows whom it would page, before it is saved', async () => {
  await open(`/ui/oncall/policies/${id('polweb')}`, '.steps');
  await page.getByText('+5 min').first().waitFor();
  await page.getByRole('button', { name: 'Edit the levels…' }).click();
  await page.getByLabel('Minutes before level 2').fill('7');
  await page.getByText('after 7 min').waitFor();
  await page.getByLabel('Add to level 1').selectOption({ label: 'Grace Hopper' });
  await page.getByRole('button', { name: 'Save the policy' }).click();
  await page.getByRole('button', { name: 'Edit the levels…' }).waitFor();
  assert.equal(await sent(`PUT /escalation-policies/${id('polweb')}`), 1);
});

test('a policy says what of it cannot be told now, and asks for it again', async () => {
  await control(base, 'switch', { fail: { at: 'GET /teams', status: 503, detail: 'The disk is full.' } });
  await open(`/ui/oncall/policies/${id('polweb')}`, '.steps');
  await page.getByText('Whom it would page could not be loaded.').waitFor();
  assert.equal(await page.getByText('then the list of last resort').count(), 0);
  await tryAgain(base, page.getByRole('button', { name: 'Try again' }));
  await page.getByText('+5 min').first().waitFor();
  await page.getByText('then the list of last resort').waitFor();
});

test('the policy of services that name none is played through for one of them', async () => {
  const policy = `/ui/oncall/policies/${id('polweb')}`;
  await open('/ui/oncall', '.ladder');
  for (const service of ['svcweb', 'svcshop', 'svcodd']) await elsewhere(`/services/${id(service)}`, { name: service, escalation_policy_id: null }, 'PUT');
  await open(policy, '.steps');
  await page.getByText('Every service that names no policy of its own follows this one.').waitFor();
  const played = page.waitForRequest((request) => request.url().includes(`/services/${id('svcodd')}/simulation`));
  await page.getByLabel('Service', { exact: true }).selectOption({ label: 'svcodd' });
  await played;
  await open(`/ui/oncall/policies/${id('polbatch')}`, '.ladder');
  await page.getByText('No service follows this policy, so there is no failure to play through.').waitFor();
});

test('the policy of services that name none is not offered to be removed, and says why', async () => {
  const remove = page.getByRole('button', { name: 'Remove…' });
  const why = page.getByText('That is why it cannot be removed.');
  await open(`/ui/oncall/policies/${id('polweb')}`, '.steps');
  await page.getByRole('button', { name: 'Edit the levels…' }).waitFor();
  await why.waitFor();
  assert.equal(await remove.count(), 0);
  await open(`/ui/oncall/policies/${id('polbatch')}`, '.ladder');
  await remove.waitFor();
  assert.equal(await why.count(), 0);
});

test('what is simulated is chosen anew without losing the place', async () => {
  await open(`/ui/oncall/policies/${id('polweb')}`, '.steps');
  const urgency = page.getByLabel('Urgency');
  await urgency.focus();
  const field = await urgency.elementHandle();
  await urgency.selectOption('low');
  await page.waitForSelector('.steps');
  assert.equal(await field.evaluate((each) => each === document.activeElement), true);
});

test('rules for what wakes people and for what can wait are kept apart', async () => {
  await open('/ui/people/me', '.rows');
  await page.getByRole('button', { name: 'Change the rules…' }).click();
  await page.getByLabel(/^Way \d, low urgency/).waitFor();
  assert.equal(await page.getByLabel(/^Way \d, high urgency/).count(), 2);
  assert.equal(await page.getByLabel(/^Way \d, low urgency/).count(), 1);
  await page.getByRole('button', { name: 'Remove rule 1, low urgency' }).click();
  await page.getByRole('button', { name: 'Save the rules' }).click();
  await page.getByText('what wakes nobody is not sent at all').waitFor();
});

test('a way that needs an account says so, and leads an administrator to it', async () => {
  await open('/ui/people/me', '.rows');
  await page.getByRole('button', { name: 'Add a way…' }).click();
  const kind = page.getByRole('combobox', { name: 'Way', exact: true });
  await kind.selectOption('sms');
  await page.getByLabel('Phone number').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Set it up' }).count(), 0);
  await kind.selectOption('telegram');
  await page.getByRole('link', { name: 'Set it up' }).click();
  await page.getByRole('button', { name: 'Set up… Telegram' }).click();
  await page.getByLabel('Token of the bot').fill('123:abc');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Change… Telegram' }).waitFor();
});

test('names that look like markup are text in every cell, tip and list', async () => {
  for (const path of [`/ui/oncall/schedules/${id('sched2')}`, WEB, `/ui/oncall/policies/${id('polbatch')}`]) {
    await open(path, 'main h1');
    await page.getByText('window.__struck').filter({ visible: true }).first().waitFor();
    for (const cell of await cells('Lin').all()) await cell.hover({ force: true });
    assert.equal(await page.evaluate(() => window.__struck), undefined, path);
    assert.equal(await page.locator('main img, main script').count(), 0, path);
  }
});

test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
