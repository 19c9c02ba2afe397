// Teams and policies that call them, settings of services, rules with their trial, planned work, heartbeats.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { id } from '../mock/fixtures.mjs';
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

const button = (name, exact = false) => page.getByRole('button', { name, exact });
const dialog = () => page.locator('dialog');
const row = (text) => page.locator('.rows > li', { hasText: text });

async function open(path, ready = '.rows') {
  await page.goto(base + path);
  await page.waitForSelector(ready);
}

test('a team is made, changed and called by a policy, in turn', async () => {
  await open('/ui/people/teams');
  await button('New team…').click();
  await dialog().getByLabel('Name', { exact: true }).fill('Shop team');
  await dialog().getByLabel('Grace Hopper').check();
  await button('Save the team').click();
  await row('Shop team').getByText('Grace Hopper').waitFor();
  await open(`/ui/oncall/policies/${id('polweb')}`, '.ladder');
  await button('Edit the levels…').click();
  await page.getByLabel('Add to level 1').selectOption({ label: 'Shop team' });
  await page.getByText('Page one of them in turn').first().click();
  await page.getByText('at once, one of them in turn').waitFor();
  await page.getByLabel('for a time').check();
  await page.getByLabel('Minutes for which an acknowledgement holds').fill('90');
  await page.getByText('an acknowledgement holds for 90 minutes').waitFor();
  await button('Save the policy').click();
  await button('Edit the levels…').waitFor();
  await page.getByText('by Shop team').waitFor();
});

test('a team is removed, and who may not is not offered it', async () => {
  await open('/ui/people/teams');
  await button('Remove… Nobody yet').click();
  await dialog().getByRole('button', { name: 'Remove', exact: true }).click();
  await row('Nobody yet').waitFor({ state: 'detached' });
  await control(base, 'switch', { role: 'responder' });
  await open('/ui/people/teams');
  assert.equal(await button(/^(New team|Change|Remove)/).count(), 0);
});

test('a service pages by its support hours and groups by content', async () => {
  await open('/ui/settings/services');
  await page.getByRole('link', { name: 'webserver-01', exact: true }).click();
  await page.getByText('Critical and error page, warning and info do not.').waitFor();
  await button(/^Change…/).click();
  await page.getByLabel('Which alerts page').selectOption('support_hours');
  await button('Sat', true).click();
  await page.getByLabel('Hours 1 end').fill('20:00');
  await page.getByLabel('Which alerts make one incident').selectOption('content');
  await page.getByLabel('Fields, at most five').fill('component, details.region');
  await page.getByText('An alert of which nothing is heard for long is over').click();
  await button('Save', true).click();
  await page.getByText(/^Mon to Sat 09:00 to 20:00 .*: every alert pages\. Else: no alert pages\./).waitFor();
  await page.getByText('Alerts with the same component and details.region share an incident.').waitFor();
  await page.getByText('nothing is heard for 1 day is over').waitFor();
});

test('a rule is made line by line, told in words, moved, and tried on alerts that came', async () => {
  await open('/ui/settings/alert-rules');
  await button('New rule…').click();
  await dialog().getByLabel('Name', { exact: true }).fill('Logins wait');
  await button('Add a field').click();
  await dialog().getByLabel('Text of condition 1').fill('login');
  await button('Add a field').click();
  await dialog().getByLabel('Field of condition 2').selectOption('further');
  await dialog().getByLabel('Name of the further field of condition 2').fill('Component');
  await dialog().getByLabel('Comparison of condition 2').selectOption('exists');
  await dialog().getByLabel('Action 1').selectOption('pause');
  await dialog().getByLabel('Seconds of action 1').fill('180');
  await button('Save the rule').click();
  await row('Logins wait').getByText('title contains “login” and details.Component is there').waitFor();
  await row('Logins wait').getByText('pages only if it still fails after 3 minutes').waitFor();
  await button('With alerts that came lately').click();
  const outcome = page.getByRole('list', { name: 'Alerts that came lately' });
  await outcome.locator('li', { hasText: 'Logins fail' }).getByText('“Logins wait”').waitFor();
  await button('Move Logins wait up').click();
  await page.locator('.rows > li').nth(2).getByRole('heading', { name: 'Logins wait' }).waitFor();
  // What was said of other rules is gone.
  await gone(outcome);
});

test('a rule whose conditions stand in each other is edited as it is written, and loses nothing', async () => {
  await open('/ui/settings/alert-rules');
  await button(/^Change… Noise/).click();
  const written = dialog().getByLabel('When, as JSON');
  assert.match(await written.inputValue(), /"any"/);
  await written.fill('{');
  await button('Save the rule').click();
  await dialog().getByText('The condition is no JSON.').waitFor();
  await written.fill('{"field": "title", "op": "equals", "text": "x"}');
  await button('Save the rule').click();
  await page.getByText('title is “x”').waitFor();
});

test('an alert that is made up is tried, and a refused rule says why', async () => {
  await open('/ui/settings/alert-rules');
  await page.getByText('With an alert of your own').click();
  await page.getByLabel('What fails').fill('Disk is full');
  await page.getByLabel('Further fields').fill('stage = test');
  await button('Try it').click();
  await page.getByText(/^It would be kept and shown, and nobody paged/).waitFor();
  await button('Change… Test machines page nobody').click();
  await button('Add an action').click();
  await dialog().getByLabel('Note of action 2').evaluate((field) => field.removeAttribute('required'));
  await button('Save the rule').click();
  await dialog().getByText('rules[0].then: a text has 1 to 500 characters').waitFor();
});

test('a service has rules of its own, which send nothing on', async () => {
  await open(`/ui/settings/services/${id('svcshop')}`, 'h1');
  await button('New rule…').click();
  assert.equal(await dialog().getByLabel('Action 1').locator('option[value=route]').count(), 0);
  await dialog().getByLabel('Name', { exact: true }).fill('All quiet');
  await button('Save the rule').click();
  await row('All quiet').getByText('every alert').waitFor();
  await page.getByText('+5 min').first().waitFor();
});

test('work that repeats is planned, and work under way is ended', async () => {
  await open('/ui/targets/maintenance');
  await row('Restart of the week').getByText('every week at 03:00 for 1 hour, by the clocks of Europe/Berlin').waitFor();
  await button('Plan work…').click();
  await dialog().getByLabel('What is done').fill('Backups');
  assert.equal(await button('Plan it').isDisabled(), true);
  await dialog().getByLabel('Shop', { exact: true }).check();
  await button('Again and again').click();
  await dialog().getByLabel('First begins').fill('2026-12-05T22:00');
  await dialog().getByLabel('Every', { exact: true }).fill('2');
  await button('Plan it').click();
  await row('Backups').getByText(/^every 2 weeks at 22:00 for 1 hour/).waitFor();
  await button(/^End it now ?: New disks/).click();
  await row('New disks').getByText('over', { exact: true }).waitFor();
});

test('work is planned on alerts by their labels, by keys alone', async () => {
  await open('/ui/targets/maintenance');
  await button('Plan work…').click();
  await dialog().getByLabel('What is done').fill('New racks');
  await button('Add a label').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('job');
  await page.keyboard.press('Tab');
  for (const key of ['ArrowDown', 'ArrowDown', 'Tab']) await page.keyboard.press(key);
  await page.keyboard.type('web.*');
  assert.equal(await dialog().getByLabel('How label 1 is compared').inputValue(), '=~');
  await button('Add a label').click();
  await page.keyboard.type('stage');
  await dialog().getByLabel('Remove label 2').focus();
  await page.keyboard.press('Enter');
  await dialog().locator(':focus').and(dialog().getByLabel('Remove label 1')).waitFor();
  await page.keyboard.press('Enter');
  await dialog().locator(':focus').and(button('Add a label')).waitFor();
  assert.equal(await button('Plan it').isDisabled(), true);
  await page.keyboard.press('Enter');
  await page.keyboard.type('job');
  await dialog().getByLabel('How label 1 is compared').selectOption('=~');
  await dialog().getByLabel('Value of label 1').fill('web.*');
  await button('Plan it').click();
  await row('New racks').locator('code', { hasText: 'job=~"web.*"' }).waitFor();
});

test('a silence shows its labels and who made it, and keeps its labels when it is changed', async () => {
  await open('/ui/targets/maintenance');
  const silence = row('New disks');
  await silence.locator('code', { hasText: 'instance=~"db-.*"' }).waitFor();
  await silence.getByText('a silence by ada').waitFor();
  await button(/^Change…\s?New disks/).click();
  assert.equal(await dialog().getByLabel('Value of label 2').inputValue(), 'db-.*');
  await dialog().getByLabel('What is done').fill('Other disks');
  await button('Save', true).click();
  await row('Other disks').locator('code', { hasText: 'instance=~"db-.*"' }).waitFor();
  await row('Restart of the week').waitFor();
  assert.equal(await row('Restart of the week').locator('code').count(), 0);
});

test('a heartbeat shows its address once, with the lines by which a job calls it', async () => {
  await open('/ui/targets/heartbeats');
  await row('Invoices').getByText('says that it failed').waitFor();
  await row('Queue worker').getByText('late', { exact: true }).waitFor();
  await button('New heartbeat…').click();
  await dialog().getByLabel('Which job').fill('Nightly report');
  await button('Make its address').click();
  await dialog().locator('pre', { hasText: /^0 3 \* \* \* \/path\/to\/job && curl .*\/hb\// }).waitFor();
  await button('I have kept it').click();
  await row('Nightly report').getByText('never called yet').waitFor();
  await gone(page.getByText('/hb/'));
});

test('the names of priorities are changed', async () => {
  await open('/ui/settings/priorities');
  await button('Change the names…').click();
  await page.getByLabel('Priority 1', { exact: true }).fill('House on fire');
  await button('Save the names').click();
  await row('House on fire').waitFor();
});

test('names that look like markup are text on every new screen', async () => {
  for (const path of ['/ui/people/teams', '/ui/settings/alert-rules', '/ui/targets/maintenance', '/ui/targets/heartbeats']) {
    await open(path);
    await page.getByText('window.__struck').first().waitFor();
    assert.equal(await page.evaluate(() => window.__struck), undefined, path);
    assert.equal(await page.locator('main img, main script').count(), 0, path);
  }
});

test('on a phone the parts of the settings are chosen from a list', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open('/ui/settings/priorities');
  await page.getByLabel('Part of the settings').selectOption({ label: 'Alert rules' });
  await page.getByRole('heading', { level: 1, name: 'Alert rules' }).waitFor();
  await page.setViewportSize({ width: 1280, height: 800 });
});

test('nothing broke the content policy or threw', () => assert.deepEqual(browser.trouble, []));
