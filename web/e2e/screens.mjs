// Every screen that is photographed and examined: its address, and how to bring it into the state worth seeing.
import { id } from '../mock/fixtures.mjs';
import { LOGIN_TOKEN, SETUP_TOKEN } from '../mock/server.mjs';
import { control } from './browser.mjs';

export const SCREENS = [
  { name: 'incidents', path: '/ui/', ready: 'a.row' },
  { name: 'incidents-all', path: '/ui/?status=all', ready: 'a.row' },
  { name: 'incidents-empty', path: '/ui/', ready: '.empty', before: (base) => control(base, 'switch', { empty: true }) },
  { name: 'incident-ringing', path: '/ui/incidents/42', ready: '.plot canvas' },
  { name: 'incident-last-resort', path: '/ui/incidents/42', ready: '.now.alarm', before: (base) => control(base, 'advance', { number: 42, to: 'last resort' }) },
  { name: 'incident-acknowledged', path: '/ui/incidents/41', ready: '.plot canvas' },
  { name: 'incident-hostile', path: '/ui/incidents/40', ready: '.plot canvas' },
  { name: 'incident-resolved', path: '/ui/incidents/39', ready: '.plot canvas', act: async (page) => {
    await page.getByRole('button', { name: 'Read it here' }).click();
    await page.waitForSelector('article h3');
  } },
  { name: 'incident-failed-ack', path: '/ui/incidents/42', ready: '.plot canvas', before: (base) => control(base, 'switch', { fail: { at: `POST /incidents/${id('inc42')}/acknowledge`, status: 503, detail: 'The journal is not writable: the disk is full. Nothing was recorded.' } }), act: async (page) => {
    await page.getByRole('button', { name: /^Acknowledge/ }).click();
    await page.waitForSelector('.notice.bad');
  } },
  { name: 'incident-chosen', path: '/ui/', ready: 'a.row', act: async (page) => {
    await page.getByRole('button', { name: 'Choose several' }).click();
    await page.getByLabel('Choose #42').check();
    await page.locator('.bulk').getByRole('button', { name: 'Resolve' }).click();
    await page.waitForSelector('.refused');
  } },
  { name: 'incident-missing', path: '/ui/incidents/999', ready: 'main .notice.bad' },
  { name: 'snooze', path: '/ui/incidents/42', ready: '.plot canvas', act: (page) => page.keyboard.press('s') },
  { name: 'snoozed', path: '/ui/incidents/42', ready: '.plot canvas', act: async (page) => {
    await page.keyboard.press('s');
    await page.getByRole('button', { name: /^1 hour/ }).click();
    await page.waitForSelector('.done');
  } },
  { name: 'more', path: '/ui/incidents/42', ready: '.plot canvas', act: (page) => page.keyboard.press('m') },
  ...[['reassign', /^Give it away/], ['help', /^Ask for help/], ['merge', /^Merge/], ['priority', /^Priority/]].map(([name, choice]) => ({ name, path: '/ui/incidents/42', ready: '.plot canvas', act: async (page) => {
    await page.keyboard.press('m');
    await page.locator('dialog').getByRole('button', { name: choice }).click();
    await page.waitForSelector('dialog .check, dialog [aria-pressed]');
  } })),
  { name: 'given', path: '/ui/incidents/42', ready: '.plot canvas', act: async (page) => {
    await page.keyboard.press('m');
    await page.locator('dialog').getByRole('button', { name: /^Give it away/ }).click();
    await page.getByLabel('Grace Hopper').check();
    await page.locator('dialog').getByRole('button', { name: 'Give it away' }).click();
    await page.waitForSelector('.done');
  } },
  { name: 'note', path: '/ui/incidents/42', ready: '.plot canvas', act: (page) => page.keyboard.press('n') },
  { name: 'targets', path: '/ui/targets', ready: 'article' },
  { name: 'targets-mute', path: '/ui/targets', ready: 'article', act: (page) => page.getByRole('button', { name: /^Mute/ }).first().click() },
  { name: 'targets-unwatched', path: '/ui/targets', ready: '.empty', before: (base) => control(base, 'switch', { empty: true, unwatched: true }) },
  { name: 'heartbeats', path: '/ui/targets/heartbeats', ready: '.rows' },
  { name: 'heartbeat-new', path: '/ui/targets/heartbeats', ready: '.rows', act: (page) => page.getByRole('button', { name: 'New heartbeat…' }).click() },
  { name: 'heartbeat-made', path: '/ui/targets/heartbeats', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'New heartbeat…' }).click();
    await page.getByLabel('Which job').fill('Nightly report');
    await page.getByRole('button', { name: 'Make its address' }).click();
    await page.waitForSelector('dialog pre');
  } },
  { name: 'maintenance', path: '/ui/targets/maintenance', ready: '.rows' },
  { name: 'maintenance-new', path: '/ui/targets/maintenance', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'Plan work…' }).click();
    await page.getByRole('button', { name: 'Again and again' }).click();
  } },
  { name: 'oncall', path: '/ui/oncall', ready: '.ladder' },
  { name: 'oncall-empty', path: '/ui/oncall', ready: '.notice.bad', before: (base) => control(base, 'switch', { empty: true }) },
  { name: 'schedule', path: `/ui/oncall/schedules/${id('sched1')}`, ready: 'button.cell' },
  { name: 'schedule-month', path: `/ui/oncall/schedules/${id('sched3')}?view=month`, ready: 'button.cell' },
  { name: 'schedule-hostile', path: `/ui/oncall/schedules/${id('sched2')}?view=week`, ready: 'button.cell' },
  { name: 'schedule-shift', path: `/ui/oncall/schedules/${id('sched1')}`, ready: 'button.cell', act: async (page) => {
    await page.locator('button.cell', { hasText: /^\s*Grace/ }).last().click();
    await page.waitForSelector('dialog[open] select');
  } },
  { name: 'schedule-edit', path: `/ui/oncall/schedules/${id('sched1')}`, ready: 'button.cell', act: async (page) => {
    await page.getByRole('button', { name: 'Edit the layers…' }).click();
    await page.getByLabel('Move Ada Lovelace down').first().click();
    await page.getByText(/^Somebody else would be on call/).waitFor();
  } },
  { name: 'schedule-new', path: '/ui/oncall/schedules/new', ready: 'form' },
  { name: 'policy', path: `/ui/oncall/policies/${id('polweb')}`, ready: '.steps' },
  { name: 'policy-edit', path: `/ui/oncall/policies/${id('polweb')}`, ready: '.steps', act: async (page) => {
    await page.getByRole('button', { name: 'Edit the levels…' }).click();
    await page.waitForSelector('form .targets');
  } },
  { name: 'policy-edit-hostile', path: `/ui/oncall/policies/${id('polbatch')}`, ready: '.ladder', act: (page) => page.getByRole('button', { name: 'Edit the levels…' }).click() },
  { name: 'policy-hostile', path: `/ui/oncall/policies/${id('polbatch')}`, ready: '.ladder' },
  { name: 'people', path: '/ui/people', ready: '.list' },
  { name: 'teams', path: '/ui/people/teams', ready: '.rows' },
  { name: 'team-edit', path: '/ui/people/teams', ready: '.rows', act: (page) => page.getByRole('button', { name: 'Change… Web team' }).click() },
  { name: 'person', path: '/ui/people/me', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'Send a test page' }).first().click();
    await page.waitForSelector('.test .page');
  } },
  { name: 'person-add', path: '/ui/people/me', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'Add a way…' }).click();
    await page.getByRole('combobox', { name: 'Way', exact: true }).selectOption('telegram');
    await page.getByText('How this works').click();
  } },
  { name: 'person-rules', path: '/ui/people/me', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'Change the rules…' }).click();
    await page.getByRole('button', { name: 'Add a way…' }).click();
  } },
  { name: 'settings-doctor', path: '/ui/settings/doctor', ready: '.rows' },
  { name: 'settings-mail', path: '/ui/settings/mail', ready: 'form' },
  { name: 'settings-providers', path: '/ui/settings/providers', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'Set up… Slack' }).click();
  } },
  { name: 'settings-services', path: '/ui/settings/services', ready: '.rows' },
  { name: 'service', path: `/ui/settings/services/${id('svcshop')}`, ready: '.steps' },
  { name: 'service-edit', path: `/ui/settings/services/${id('svcshop')}`, ready: '.steps', act: (page) => page.getByRole('button', { name: /^Change… how/ }).click() },
  { name: 'integration-new', path: `/ui/settings/services/${id('svcshop')}`, ready: '.steps', act: (page) => page.getByRole('button', { name: 'Add an integration…' }).click() },
  { name: 'integration-mapping', path: `/ui/settings/services/${id('svcshop')}`, ready: '.steps', act: async (page) => {
    await page.getByRole('button', { name: 'Add an integration…' }).click();
    await page.getByRole('radio', { name: /^JSON of any shape/ }).check();
    await page.getByRole('button', { name: 'Try it', exact: true }).click();
    await page.getByRole('list', { name: 'What it would make' }).scrollIntoViewIfNeeded();
  } },
  ...[['prometheus', /^Prometheus/], ['grafana', /^Grafana/], ['mail', /^Mail/]].map(([name, kind]) => ({ name: `integration-made-${name}`, path: `/ui/settings/services/${id('svcshop')}`, ready: '.steps', act: async (page) => {
    await page.getByRole('button', { name: 'Add an integration…' }).click();
    await page.getByRole('radio', { name: kind }).check();
    await page.getByLabel('What will use it').fill('Another one');
    await page.getByRole('button', { name: 'Make its key' }).click();
    await page.waitForSelector('dialog pre');
  } })),
  { name: 'integration-sample', path: `/ui/settings/services/${id('svcshop')}`, ready: '.steps', act: (page) => page.getByRole('button', { name: /^Try a sample… ?on Storage/ }).click() },
  { name: 'last-resort', path: '/ui/settings/last-resort', ready: 'ol.rows' },
  { name: 'last-resort-empty', path: '/ui/settings/last-resort', ready: '.panel .notice.bad', before: (base) => control(base, 'switch', { empty: true }) },
  { name: 'last-resort-edit', path: '/ui/settings/last-resort', ready: 'ol.rows', act: (page) => page.getByRole('button', { name: 'Change the list…' }).click() },
  { name: 'maintenance-silence', path: '/ui/targets/maintenance', ready: '.rows', act: (page) => page.getByRole('button', { name: /^Change… ?New disks/ }).click() },
  { name: 'alert-rules', path: '/ui/settings/alert-rules', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'With alerts that came lately' }).click();
    await page.getByRole('list', { name: 'Alerts that came lately' }).waitFor();
  } },
  { name: 'alert-rule-edit', path: '/ui/settings/alert-rules', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'Change… Test machines page nobody' }).click();
    await page.getByRole('button', { name: 'Add hours' }).click();
  } },
  { name: 'alert-rule-written', path: '/ui/settings/alert-rules', ready: '.rows', act: (page) => page.getByRole('button', { name: /^Change… Noise/ }).click() },
  { name: 'priorities', path: '/ui/settings/priorities', ready: '.rows', act: (page) => page.getByRole('button', { name: 'Change the names…' }).click() },
  { name: 'settings-monitors', path: '/ui/settings/monitors', ready: '.rows' },
  { name: 'settings-rules', path: '/ui/settings/rules', ready: '.rows' },
  { name: 'settings-tokens', path: '/ui/settings/tokens', ready: '.rows', act: async (page) => {
    await page.getByRole('button', { name: 'New token…' }).click();
    await page.getByLabel('What it is for').fill('Deploy job');
    await page.getByRole('button', { name: 'Make the token' }).click();
    await page.waitForSelector('dialog pre');
  } },
  { name: 'settings-audit', path: '/ui/settings/audit', ready: '.rows' },
  { name: 'welcome', path: '/ui/welcome', ready: '.rows' },
  { name: 'cannot-page', path: '/ui/', ready: '.banner.bad', before: (base) => control(base, 'switch', { ill: true }) },
  { name: 'connection-lost', path: '/ui/', ready: 'a.row', act: async (page, base) => {
    await control(base, 'switch', { stream_down: true });
    await page.waitForSelector('.banner.warn');
  } },
  { name: 'shortcuts', path: '/ui/', ready: 'a.row', act: (page) => page.keyboard.press('?') },
  { name: 'menu', path: '/ui/people', ready: '.list', act: (page) => page.getByLabel('Account and appearance').click() },
  { name: 'login', path: '/ui/login', ready: 'form', signedOut: true },
  { name: 'login-link', path: `/ui/login?token=${LOGIN_TOKEN}`, ready: '.wide', signedOut: true },
  { name: 'setup', path: `/ui/setup?token=${SETUP_TOKEN}`, ready: 'form', signedOut: true, before: (base) => control(base, 'switch', { setup_needed: true }) },
];

/** Opens a screen in a page that is signed in where the screen needs it. */
export async function openScreen(page, base, screen) {
  await page.goto(base + screen.path);
  await page.waitForSelector(screen.ready);
  await screen.act?.(page, base);
}
