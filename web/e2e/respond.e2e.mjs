// What a responder does beyond acknowledging: snooze, give away, escalate, ask for help, merge, rank, undo; several at once.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { id } from '../mock/fixtures.mjs';
import { LOGIN_TOKEN, startMock } from '../mock/server.mjs';
import { afresh, control, gone, openBrowser, signIn, tryAgain } from './browser.mjs';
import { FIRST_IN_WORKER, SHIFT_MS } from './hour.mjs';

/** The least height of what a finger has to hit, in CSS pixels. */
const TOUCH_PX_MIN = 44;
const INCIDENT = id('inc42');

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

const sent = async (at) => (await control(base, 'state')).requests.filter((each) => each.at === at);
const button = (name) => page.getByRole('button', { name });
const dialog = () => page.locator('dialog');
const done = (words) => page.locator('.done').getByText(words);

async function open(path, ready = '.plot canvas') {
  await page.goto(base + path);
  await page.waitForSelector(ready);
}
async function more(choice) {
  await button(/^More…/).click();
  await dialog().getByRole('button', { name: choice }).click();
}

test('an incident is snoozed by two touches, and the snooze is taken back', async () => {
  await open('/ui/incidents/42');
  await button(/^Snooze/).click();
  await dialog().getByRole('button', { name: /^1 hour/ }).click();
  await done(/^Snoozed until \d\d:\d\d: nobody is paged before\.$/).waitFor();
  await page.locator('.head .status', { hasText: 'Snoozed' }).waitFor();
  const [snooze] = await sent(`POST /incidents/${INCIDENT}/snooze`);
  assert.equal(snooze.key.length, 32);
  await button('Undo').click();
  await page.locator('.head .status', { hasText: 'Acknowledged' }).waitFor();
  assert.equal((await sent(`DELETE /incidents/${INCIDENT}/snooze`)).length, 1);
});

test('people to choose from who cannot be loaded are asked for again', async () => {
  await open('/ui/incidents/42');
  await control(base, 'switch', { fail: { at: 'GET /users', status: 503, detail: 'The disk is full.' } });
  await more(/^Give it away/);
  await dialog().getByText('People could not be loaded.').waitFor();
  assert.equal(await dialog().getByText('Loading people…').count(), 0);
  await tryAgain(base, dialog().getByRole('button', { name: 'Try again' }));
  await dialog().getByLabel('Grace Hopper').waitFor();
});

test('a snooze until a time that is past cannot be sent', async () => {
  await open('/ui/incidents/42');
  await page.keyboard.press('s');
  await dialog().getByLabel('Or until').fill('2020-01-01T00:00');
  await dialog().getByText('That is past, or more than a week away.').waitFor();
  assert.equal(await dialog().getByRole('button', { name: 'Snooze', exact: true }).isDisabled(), true);
});

test('a refused snooze says so in the dialog, and its retry works', async () => {
  await control(base, 'switch', { fail: { at: `POST /incidents/${INCIDENT}/snooze`, times: 1, status: 503, detail: 'The disk is full.' } });
  await open('/ui/incidents/42');
  await button(/^Snooze/).click();
  await dialog().getByRole('button', { name: /^30 min/ }).click();
  await dialog().getByText('The disk is full.').waitFor();
  await dialog().getByRole('button', { name: /^30 min/ }).click();
  await done(/^Snoozed until/).waitFor();
});

test('an incident is given to somebody, which the page then says', async () => {
  await open('/ui/incidents/42');
  await more(/^Give it away/);
  await dialog().getByLabel('Grace Hopper').check();
  await dialog().getByRole('checkbox', { name: /^Lin/ }).check();
  await dialog().getByRole('button', { name: 'Give it away' }).click();
  await done(/^Given to Grace Hopper, Lin .*: they are paged now\.$/).waitFor();
  await page.locator('.facts').getByText(/^Grace Hopper, Lin/).waitFor();
  const paging = page.locator('section', { has: page.getByRole('heading', { name: 'Who is called', exact: true }) });
  await paging.locator('.now').getByText(/^Given to Grace Hopper, Lin/).waitFor();
  await paging.getByText(/^Cannot be reached: Lin/).waitFor();
  assert.equal(await page.getByText('Nobody is paged yet.').count(), 0);
});

test('what was given to somebody goes back to its policy, and what they had goes back to them', async () => {
  await open('/ui/incidents/42');
  await more(/^Give it away/);
  await dialog().getByLabel('Grace Hopper').check();
  await dialog().getByRole('button', { name: 'Give it away' }).click();
  await done('Given to Grace Hopper: they are paged now.').waitFor();
  await more(/^Give it away/);
  await dialog().getByRole('button', { name: 'To an escalation policy' }).click();
  assert.equal(await dialog().getByRole('button', { name: 'Give it away' }).isDisabled(), true);
  await dialog().getByLabel('Policy, followed from its first level on').selectOption(id('polweb'));
  await dialog().getByRole('button', { name: 'Give it away' }).click();
  await done('Given to the policy Web: they are paged now.').waitFor();
  await page.locator('.facts').getByText('Given to').waitFor({ state: 'detached' });
  await button('Undo').click();
  await done('Taken back.').waitFor();
  await page.locator('.facts').getByText('Grace Hopper').waitFor();
  await gone(button('Undo'));
  const given = await sent(`POST /incidents/${INCIDENT}/reassign`);
  assert.equal(new Set(given.map((each) => each.key)).size, 3);
});

test('what follows a policy goes back to it when it was given away by mistake', async () => {
  await open('/ui/incidents/42');
  await more(/^Give it away/);
  await dialog().getByLabel('Grace Hopper').check();
  await dialog().getByRole('button', { name: 'Give it away' }).click();
  await done('Given to Grace Hopper: they are paged now.').waitFor();
  await button('Undo').click();
  await done('Taken back.').waitFor();
  await page.locator('.facts').getByText('Given to').waitFor({ state: 'detached' });
  assert.equal((await sent(`POST /incidents/${INCIDENT}/reassign`)).length, 2);
});

test('a reassignment that is refused says so in the dialog, keeps who was chosen, and works when it is sent again', async () => {
  await control(base, 'switch', { fail: { at: `POST /incidents/${INCIDENT}/reassign`, times: 1, status: 503, detail: 'The disk is full.' } });
  await open('/ui/incidents/42');
  await more(/^Give it away/);
  await dialog().getByLabel('Grace Hopper').check();
  await dialog().getByRole('button', { name: 'Give it away' }).click();
  await dialog().getByText('The disk is full.').waitFor();
  assert.equal(await dialog().getByLabel('Grace Hopper').isChecked(), true);
  await dialog().getByRole('button', { name: 'Give it away' }).click();
  await done('Given to Grace Hopper: they are paged now.').waitFor();
});

test('an undo that fails says so and can be tried again', async () => {
  await open('/ui/incidents/42');
  await page.keyboard.press('m');
  await dialog().getByRole('button', { name: /^Priority/ }).click();
  await dialog().getByRole('button', { name: 'P2', exact: true }).click();
  await page.locator('.head .chip', { hasText: 'P2' }).waitFor();
  await control(base, 'switch', { fail: { at: `PUT /incidents/${INCIDENT}/priority`, times: 1, status: 503, detail: 'The disk is full.' } });
  await button('Undo').click();
  await page.getByText('The disk is full.').waitFor();
  await button('Try again').click();
  await page.locator('.head .chip', { hasText: 'P2' }).waitFor({ state: 'detached' });
});

test('what is over can be given to nobody', async () => {
  await open('/ui/incidents/39');
  await button(/^More…/).click();
  assert.equal(await dialog().getByRole('button', { name: /^(Give it away|Merge|Ask for help|Escalate)/ }).count(), 0);
});

test('whoever is asked to help answers on top of the page, and may change their mind', async () => {
  await open('/ui/incidents/41');
  await page.getByText('You are asked to help.').waitFor();
  await button('I come').click();
  await done('You said that you come.').waitFor();
  const response = page.locator('section', { has: page.getByRole('heading', { name: 'Response', exact: true }) });
  await response.getByText('comes', { exact: true }).waitFor();
  await button('Undo').click();
  await response.getByText('comes', { exact: true }).waitFor({ state: 'detached' });
});

test('others are asked for help with a message', async () => {
  await open('/ui/incidents/42');
  await more(/^Ask for help/);
  await dialog().getByLabel('What they read first').fill('The database does not come back.');
  assert.equal(await dialog().getByRole('button', { name: 'Page them' }).isDisabled(), true);
  await dialog().getByLabel('Grace Hopper').check();
  await dialog().getByRole('button', { name: 'Page them' }).click();
  await page.getByText('no answer yet').waitFor();
});

test('it is escalated, made less urgent with a way back, and ranked', async () => {
  await open('/ui/incidents/42');
  await more(/^Escalate now/);
  await done('Escalated: the next level is paged.').waitFor();
  await more(/^Make it not urgent/);
  await page.locator('.head').getByText('low urgency').waitFor();
  await button(/^More…/).click();
  assert.equal(await dialog().getByRole('button', { name: /^Escalate now/ }).count(), 0);
  await page.keyboard.press('Escape');
  await button('Undo').click();
  await page.locator('.head').getByText('low urgency').waitFor({ state: 'detached' });
  await page.keyboard.press('m');
  await dialog().getByRole('button', { name: /^Priority/ }).click();
  await dialog().getByRole('button', { name: 'P1', exact: true }).click();
  await page.locator('.head .chip', { hasText: 'P1' }).waitFor();
});

test('an incident is merged into another one, which is shown then', async () => {
  await open('/ui/incidents/42');
  await more(/^Merge/);
  await dialog().getByText(/of requests to shop-frontend fail/).click();
  await dialog().getByRole('button', { name: 'Merge', exact: true }).click();
  await page.waitForURL((url) => url.pathname.endsWith(`/incidents/${id('inc41')}`));
  await page.locator('.facts').getByRole('link', { name: '#42' }).click();
  await page.locator('.head .status', { hasText: 'Merged into #41' }).waitFor();
});

test('several are chosen and acknowledged at once; what is refused stays chosen with its reason', async () => {
  await open('/ui/', 'a.row');
  await button('Choose several').click();
  await button('All 3 shown').click();
  await page.locator('.bulk').getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('3 incidents acknowledged.').waitFor();
  assert.equal((await sent('POST /incidents/bulk')).length, 1);
  await page.getByLabel('Choose #42').check();
  await page.locator('.bulk').getByRole('button', { name: 'Resolve' }).click();
  await page.getByText('0 incidents resolved, 1 refused.').waitFor();
  await page.locator('.refused').getByText(/^#42 it still fails/).waitFor();
  assert.equal(await page.getByLabel('Choose #42').isChecked(), true);
  await button('Done').click();
  await gone(page.getByLabel('Choose #42'));
});

test('the focused incident is chosen by key', async () => {
  await open('/ui/', 'a.row');
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByText('1 incident chosen').waitFor();
});

test('who may only look is offered none of it', async () => {
  await control(base, 'switch', { role: 'viewer' });
  await open('/ui/incidents/42');
  assert.equal(await button(/^(Snooze|More)/).count(), 0);
  await page.keyboard.press('m');
  assert.equal(await dialog().count(), 0);
  await open('/ui/', 'a.row');
  assert.equal(await button('Choose several').count(), 0);
});

test('on a phone the first three deeds are within reach of a thumb', async () => {
  await page.setViewportSize({ width: 320, height: 640 });
  // The middle incident is not seen failing by a monitor of Tocsin: all three are possible.
  await open('/ui/incidents/40');
  for (const name of [/^Acknowledge/, /^Resolve/, /^Snooze/]) {
    const box = await button(name).boundingBox();
    assert.ok(box.height >= TOUCH_PX_MIN, `${name} is ${box.height} px high`);
    assert.ok(box.y > 400 && box.y + box.height <= 640, `${name} at ${box.y}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('what a provider said of a page, and what came later, stands with it', async () => {
  await open('/ui/incidents/41');
  const paging = page.locator('section', { has: page.getByRole('heading', { name: 'Who is called', exact: true }) });
  await paging.getByText('201 queued as SM41').waitFor();
  await paging.getByText('carrier: delivered').waitFor();
  await paging.getByRole('heading', { name: 'Asked to help' }).waitFor();
});

const why = (title) => page.locator('section', { has: page.getByRole('heading', { name: title, exact: true }) });

test('whoever was paged reads why they were, and of each other message why it was sent', async () => {
  await open('/ui/incidents/42');
  await why('Why was I paged?').getByText(/^Ada Lovelace was paged at .*: After e-mail failed\.$/).waitFor();
  await why('Why was I paged?').getByLabel('Which page').selectOption(id('pg1'));
  await why('Why was I paged?').getByText(/^Ada Lovelace was paged at .*: High urgency, at once\.$/).waitFor();
  await open('/ui/incidents/41');
  await why('Why was I asked to help?').getByLabel('Which page').selectOption(id('pg4'));
  await why('Why was Grace Hopper paged?').getByText(/^Grace Hopper was paged at /).waitFor();
});

test('an explanation that cannot be loaded says so, and is asked for again', async () => {
  await control(base, 'switch', { fail: { at: `GET /notifications/${id('pg2')}/explanation`, status: 503, detail: 'The disk is full.' } });
  await open('/ui/incidents/42');
  await page.getByText('The explanation of this page could not be loaded.').waitFor();
  await tryAgain(base, why('Why was I paged?').getByRole('button', { name: 'Try again' }));
  await why('Why was I paged?').getByText(/^Ada Lovelace was paged at /).waitFor();
});

test('times in what the server says are by the clock of the reader, with UTC at hand', async () => {
  await open('/ui/incidents/42');
  const time = why('Why was I paged?').locator('li').first().locator('time');
  const at = new Date(await time.getAttribute('datetime'));
  const clock = at.toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' });
  assert.match(await time.innerText(), new RegExp(`${clock} GMT\\+[12]$`));
  // A page that scrolls closes the tip, and hears of it only in the next frame.
  await time.scrollIntoViewIfNeeded();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await time.hover();
  await page.locator('[role=tooltip]').getByText(at.toISOString().replace('T', ' ').replace('Z', ' UTC')).waitFor();
  await page.locator('section[aria-label=Timeline]').getByText(/^Paged: Ada Lovelace\. Escalates at .*\d\d:\d\d:\d\d GMT\+[12] unless/).waitFor();
  const raw = /\d{4}-\d\d-\d\dT\d\d:/;
  for (const part of ['.why', 'section[aria-label=Timeline]']) assert.doesNotMatch(await page.locator(part).innerText(), raw, part);
});

test('of an incident that paged nobody it is told why', async () => {
  await open('/ui/incidents/40');
  await page.getByRole('heading', { name: 'Why was nobody paged?' }).waitFor();
});

test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
