// A made-up world for development and browser tests: rich, and hostile where the outside may be hostile.
import { UNANSWERED } from './respond.mjs';

export const HOSTILE = '<img src=x onerror="window.__struck=1"><script>window.__struck=2</script>';
const LONG = 'the-name-of-a-server-that-somebody-generated-and-nobody-ever-had-to-say-out-loud-0123456789';
const RTL = 'خادم الويب في الرياض لا يستجيب';

const STATUS_LINES = 'ExtendedStatus On\n<Location "/server-status">\n    SetHandler server-status\n    Require local\n</Location>\n';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const id = (name) => `Q${name.toUpperCase().replace(/[^A-Z0-9]/g, '').padEnd(13, 'Z').slice(0, 13)}`;
const iso = (ms) => new Date(ms).toISOString();

/** What an alert has unless a rule held for it. */
const UNRULED = { urgency: 'high', priority: null, suppressed: null, rules: [] };
const ADA = { id: id('ada'), name: 'Ada Lovelace' };
const GRACE = { id: id('grace'), name: 'Grace Hopper' };
const LIN = { id: id('lin'), name: 'Lin 林 ' + HOSTILE };
const WEB = { id: id('svcweb'), name: 'webserver-01' };
const SHOP = { id: id('svcshop'), name: 'Shop' };
const ODD = { id: id('svcodd'), name: LONG };
const TARGET_WEB = { id: id('tgtweb'), name: 'webserver-01' };
const TARGET_SHOP = { id: id('tgtshop'), name: 'shop-frontend' };
const TARGET_ODD = { id: id('tgtodd'), name: LONG };
const POLICY = { id: id('polweb'), name: 'Web' };

/** The whole world, as of `start` (milliseconds). */
export function world(start) {
  const state = {
    users: people(start),
    targets: watched(start),
    monitors: looks(),
    schedules: turns(start),
    policies: [
      { id: POLICY.id, name: POLICY.name, default: true, repeat: 2, levels: [{ delay_minutes: 5, targets: [{ kind: 'schedule', id: id('sched1') }] }, { delay_minutes: 10, each_must_acknowledge: true, targets: [{ kind: 'user', id: GRACE.id }, { kind: 'user', id: LIN.id }] }] },
      { id: id('polbatch'), name: 'Batch jobs ' + HOSTILE, default: false, repeat: 0, acknowledgement_timeout_minutes: 45, levels: [{ delay_minutes: 30, round_robin: true, targets: [{ kind: 'schedule', id: id('sched2') }, { kind: 'team', id: id('team2') }] }] },
    ],
    services: [
      { ...WEB, escalation_policy_id: POLICY.id, integrations: [] },
      { ...SHOP, escalation_policy_id: POLICY.id, integrations: [] },
      { ...ODD, escalation_policy_id: null, integrations: [] },
    ],
    tokens: [
      { id: id('tok1'), name: 'Deploy job', role: 'responder', user_id: ADA.id, made_by: ADA, created_at: iso(start - 12 * DAY), expires_at: iso(start + 78 * DAY), last_used_at: iso(start - 3 * HOUR) },
      { id: id('tok2'), name: 'Wall display ' + HOSTILE, role: 'viewer', user_id: LIN.id, made_by: LIN, created_at: iso(start - 40 * DAY), expires_at: null, last_used_at: null },
      { id: id('tok3'), name: 'Terraform', role: 'admin', user_id: null, made_by: { id: id('gone'), name: 'a removed person' }, created_at: iso(start - 90 * DAY), expires_at: null, last_used_at: iso(start - 2 * MINUTE) },
    ],
    email: { place: 1, configured: true, host: 'mail.example.org', port: 587, from: 'tocsin@example.org', tls: 'starttls', username: 'tocsin', has_password: true, state: 'ok', detail: 'Took a test message 3 minutes ago.' },
    accounts: ['twilio', 'telegram', 'pushover', 'slack', 'web_push', 'pagerduty'].map((provider) => ({ provider, place: 1, configured: ['twilio', 'web_push'].includes(provider), base_url: null, account_id: provider === 'twilio' ? 'AC0123456789' : null, from: provider === 'twilio' ? '+15005550006' : null, has_token: provider === 'twilio', has_listener_token: false, public_key: provider === 'web_push' ? 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM' : null, state: provider === 'twilio' ? 'ok' : 'unknown', detail: provider === 'twilio' ? 'Took a text 12 minutes ago.' : null })),
    furtherEmail: [{ place: 2, configured: true, host: 'relay.example.net', port: 465, from: 'tocsin@example.org', tls: 'tls', username: null, has_password: false, state: 'ok', detail: null }],
    furtherAccounts: [],
    incidents: [down(start), errors(start), odd(start), killed(start), ...past(start)],
    timelines: new Map(),
    notifications: new Map(),
  };
  for (const incident of state.incidents) state.timelines.set(incident.id, story(incident));
  return state;
}

function incident(start, over) {
  return {
    urgency: 'high', severity: 'critical', service: WEB, target: TARGET_WEB, onset_at: null, onset_uncertainty_ms: null,
    paged_at: null, acknowledged_at: null, acknowledged_by: null, recovered_at: null, resolved_at: null, hold: null, suppressed: null,
    ...UNANSWERED, merged: [], responders: [], alert_count: 1, relapses: 0, postmortem_ready: false, alerts: [], pages: [],
    paging: { policy: POLICY, level: 1, loop: 0, next_escalation_at: null, exhausted: false, recipients: [ADA], acknowledged_by: [] },
    impact: null, changes: [], log_lines: [], chart: { series: [], marks: [] }, runbook_url: null, runbook: null, explanation: [], ...over,
  };
}

function down(start) {
  const onset = start - 252_400;
  const made = incident(start, {
    id: id('inc42'), number: 42, title: 'Apache on webserver-01 is down: its process tree was killed', status: 'triggered',
    opened_at: iso(onset + 61), onset_at: iso(onset), onset_uncertainty_ms: 38, paged_at: iso(onset + 214), alert_count: 2,
    runbook_url: 'https://wiki.example.org/runbooks/apache-down', runbook: 'Look for the reason first: `journalctl -u apache2`. Then start it: `systemctl start apache2`.',
  });
  made.alerts = [
    { id: id('al421'), title: 'Apache is down', severity: 'critical', status: 'firing', monitor: { id: id('mondown'), name: 'Apache is down' }, opened_at: iso(onset + 61), recovered_at: null, summary: 'The parent process 4711 ended by signal 9 (SIGKILL) and nothing listens on 127.0.0.1:8080.', evidence: [{ series: 'apache_parent_up{target="webserver-01"}', at: iso(onset), value: 0 }, { series: 'probe_connect_refused{target="webserver-01",port="8080"}', at: iso(onset + 58), value: 1 }], details: [], source: 'monitor', repeats: 3, ...UNRULED },
    { id: id('al422'), title: 'Logins fail', severity: 'error', status: 'firing', monitor: null, opened_at: iso(onset + 2_310), recovered_at: null, summary: 'Checkout probe: POST /login refused the connection', evidence: [], details: details(), source: 'events_v2', repeats: 41, ...UNRULED },
  ];
  made.pages = [
    page('pg1', ADA, 'email', 'Work', 1, 'failed', onset + 214, [
      [1, onset + 216, 10_000, 'timed_out', 'mail.example.org:587 did not greet within 10 s'],
      [2, onset + 12_300, 12, 'failed', '421 service not available'],
    ], 'High urgency, at once'),
    page('pg2', ADA, 'ntfy', 'Phone', 1, 'delivered', onset + 12_320, [[1, onset + 12_322, 84, 'accepted', '200']], 'After e-mail failed'),
    page('pg3', GRACE, 'webhook', 'Pager bridge', 2, 'planned', start + 47_000, [], 'Level 2, if nobody acknowledges'),
  ];
  made.paging = { policy: POLICY, level: 1, loop: 0, next_escalation_at: iso(start + 47_600), exhausted: false, recipients: [ADA], acknowledged_by: [] };
  made.impact = { since: iso(onset), until: null, requests_failed: 37, requests_total: 41, by_tier: [{ tier: 'free', requests_failed: 25, requests_total: 28, users_failed: 19, expected_requests: { low: 4_890, high: 5_510 }, expected_users: { low: 901, high: 1_240 } }, { tier: 'premium', requests_failed: 12, requests_total: 13, users_failed: 7, expected_requests: { low: 1_150, high: 1_470 }, expected_users: { low: 214, high: 305 } }], expected: { low: 6_140, high: 6_890 }, method: 'The range is computed from the 31,214 requests logged in the 5 minutes before the onset.' };
  made.changes = [
    { at: iso(onset - 6 * MINUTE - 12_000), title: 'mods-enabled/mpm_event.conf changed', detail: '- MaxRequestWorkers 150\n+ MaxRequestWorkers 400' },
    { at: iso(onset - 41 * MINUTE), title: 'Package libapache2-mod-php upgraded', detail: '8.2.18 → 8.2.24' },
    { at: iso(onset - 42 * MINUTE), title: 'Apache reloaded (graceful)', detail: '' },
  ];
  made.log_lines = logLines(onset);
  made.chart = { series: crashSeries(onset, start), marks: marks(made) };
  made.explanation = [
    'At the onset the sample apache_parent_up{target="webserver-01"} was 0: the kernel reported that process 4711 had ended by signal 9.',
    'The monitor “Apache is down” needs no second sample for an exit that no supervisor heals. It opened an alert 61 ms later.',
    'The alert joined no other incident, so it opened #42 on the service webserver-01, which calls the policy Web.',
    'Level 1 of Web is the schedule “Web, first line”. Ada Lovelace has the turn until Monday, 09:00.',
    'Her rules for high urgency send an e-mail at once. It failed twice, so ntfy, her next way, was used without waiting.',
  ];
  return made;
}

function details() {
  return [
    { name: 'Component', value: 'login' },
    { name: 'Client', value: 'Checkout probe' },
    { name: 'Runbook', value: `https://wiki.example.org/runbooks/login?from=${'a'.repeat(90)}` },
    { name: 'response.body', value: 'HTTP/1.1 503\nRetry-After: 30\n\nupstream is gone' },
    ...Array.from({ length: 9 }, (_, index) => ({ name: `hosts.${index}`, value: `10.0.0.${index}` })),
    { name: 'Note', value: "'payload.extra' is not a field of this API and was dropped" },
  ];
}

function errors(start) {
  const onset = start - 38 * MINUTE;
  const made = incident(start, {
    id: id('inc41'), number: 41, title: '8.2 % of requests to shop-frontend fail with 5xx', status: 'acknowledged', severity: 'error', service: SHOP, target: TARGET_SHOP,
    opened_at: iso(onset + 2_400), onset_at: iso(onset), onset_uncertainty_ms: 500, paged_at: iso(onset + 2_610), acknowledged_at: iso(onset + 96_000), acknowledged_by: GRACE, relapses: 1,
    priority: 'P2', snoozed_until: iso(start + 2 * HOUR), acknowledgement_ends_at: iso(start + 2 * HOUR), merged: [36],
    responders: [
      { user: ADA, message: 'The new release of the shop talks to the old database host. Who knows how to roll it back?', asked_at: iso(start - 6 * MINUTE), answer: 'pending', answered_at: null },
      { user: LIN, message: HOSTILE, asked_at: iso(start - 5 * MINUTE), answer: 'declined', answered_at: iso(start - 4 * MINUTE) },
    ],
  });
  made.alerts = [{ id: id('al411'), title: 'Too many server errors', severity: 'error', status: 'firing', monitor: { id: id('mon5xx'), name: 'Too many server errors' }, opened_at: made.opened_at, recovered_at: null, summary: '24 of 293 requests answered 5xx within 60 s (limit 5 % and 20).', evidence: [{ series: 'apache_responses:5xx_ratio60s{target="shop-frontend"}', at: made.opened_at, value: 0.0819 }], details: [], source: 'monitor', repeats: 12, ...UNRULED }];
  made.pages = [page('pg4', GRACE, 'sms', 'Phone', 1, 'delivered', onset + 2_610, [[1, onset + 2_612, 291, 'accepted', '201 queued as SM41']], 'High urgency, at once'),
    { ...page('pg7', ADA, 'ntfy', 'Phone', null, 'delivered', start - 6 * MINUTE, [[1, start - 6 * MINUTE + 4, 88, 'accepted', '200']], 'Grace Hopper asked them to help'), purpose: 'request' },
  ];
  made.pages[0].attempts[0].receipt = { state: 'delivered', at: iso(onset + 6_100), detail: 'carrier: delivered' };
  made.impact = { since: made.onset_at, until: null, requests_failed: 1_893, requests_total: 22_931, by_tier: [{ tier: 'premium', requests_failed: 214, requests_total: 5_120, users_failed: 131, expected_requests: null, expected_users: null }, { tier: 'free', requests_failed: 1_679, requests_total: 17_811, users_failed: 1_020, expected_requests: null, expected_users: null }], expected: null, method: 'Requests were logged all through the failure, so nothing had to be estimated.' };
  made.chart = { series: crashSeries(onset, onset + 8 * MINUTE), marks: marks(made) };
  made.explanation = ['The share of 5xx answers rose above 5 % with more than 20 failures within 60 s.'];
  return made;
}

function odd(start) {
  const onset = start - 3 * HOUR;
  const made = incident(start, {
    id: id('inc40'), number: 40, title: `${RTL} ${HOSTILE} ${LONG}`, status: 'triggered', urgency: 'low', severity: 'warning', service: ODD, target: TARGET_ODD,
    opened_at: iso(onset), suppressed: `Maintenance “${HOSTILE}” until tomorrow`, runbook_url: 'javascript:window.__struck=3', runbook: HOSTILE,
  });
  made.alerts = [{ id: id('al401'), title: HOSTILE, severity: 'warning', status: 'firing', monitor: { id: id('monx'), name: HOSTILE }, opened_at: made.opened_at, recovered_at: null, summary: HOSTILE, evidence: [{ series: HOSTILE, at: made.opened_at, value: 1e9 }], details: [{ name: HOSTILE, value: HOSTILE }, { name: 'Link', value: 'javascript:window.__struck=4' }, { name: LONG, value: LONG.repeat(8) }, { name: 'Text', value: RTL }], source: 'api', repeats: 0, ...UNRULED, suppressed: `rule “${HOSTILE}”`, priority: 'P5', rules: [{ rule_id: id('rule3'), name: HOSTILE, did: ['nobody is paged for it', `note: ${HOSTILE}`] }] }];
  made.log_lines = [{ at: iso(onset), log: 'error', text: `${HOSTILE} ${'A'.repeat(600)}` }, { at: iso(onset), log: 'access', text: `10.0.0.9 - - "GET /${RTL} HTTP/1.1" 404 "\u202E${HOSTILE}"` }];
  made.changes = [{ at: iso(onset - MINUTE), title: HOSTILE, detail: HOSTILE }];
  made.explanation = [HOSTILE];
  made.chart = { series: [{ name: HOSTILE, unit: '<b>ms</b>', points: [[onset, 1], [onset + 1000, null], [onset + 2000, 3]] }], marks: [{ at: iso(onset + 500), label: HOSTILE }] };
  made.paging = { policy: null, level: 0, loop: 0, next_escalation_at: null, exhausted: false, recipients: [], acknowledged_by: [] };
  return made;
}

function killed(start) {
  const onset = start - 20 * HOUR;
  const made = incident(start, {
    id: id('inc39'), number: 39, title: 'Apache on webserver-01 is saturated: 150 of 150 workers busy', status: 'resolved', severity: 'critical',
    opened_at: iso(onset + 3_900), onset_at: iso(onset), onset_uncertainty_ms: 1_000, paged_at: iso(onset + 4_010), acknowledged_at: iso(onset + 53_000), acknowledged_by: ADA,
    recovered_at: iso(onset + 9 * MINUTE), resolved_at: iso(onset + 9 * MINUTE + 15_000), postmortem_ready: true,
  });
  made.alerts = [{ id: id('al391'), title: 'Apache is saturated', severity: 'critical', status: 'recovered', monitor: { id: id('monsat'), name: 'Apache is saturated' }, opened_at: made.opened_at, recovered_at: made.recovered_at, summary: 'All 150 workers are busy and 37 connections wait.', evidence: [{ series: 'apache_workers_busy', at: made.opened_at, value: 150 }, { series: 'apache_accept_queue', at: made.opened_at, value: 37 }], details: [], source: 'monitor', repeats: 540, ...UNRULED }];
  made.pages = [
    page('pg5', ADA, 'email', 'Work', 1, 'delivered', onset + 4_010, [[1, onset + 4_012, 231, 'accepted', '250 queued as 9F2']], 'High urgency, at once'),
    { ...page('pg6', ADA, 'email', 'Work', 1, 'delivered', onset + 9 * MINUTE + 15_000, [[1, onset + 9 * MINUTE + 15_004, 190, 'accepted', '250 queued']], ''), purpose: 'resolved' },
  ];
  made.impact = { since: made.onset_at, until: made.recovered_at, requests_failed: 812, requests_total: 3_410, by_tier: [{ tier: 'premium', requests_failed: 190, requests_total: 802, users_failed: 88, expected_requests: null, expected_users: null }, { tier: 'free', requests_failed: 622, requests_total: 2_608, users_failed: 301, expected_requests: null, expected_users: null }], expected: null, method: 'Requests were logged all through the failure, so nothing had to be estimated.' };
  made.chart = { series: crashSeries(onset, onset + 11 * MINUTE, onset + 9 * MINUTE), marks: marks(made) };
  made.explanation = ['All workers were busy for 3 s and the accept queue grew.'];
  return made;
}

function past(start) {
  const titles = ['Apache on webserver-01 is down', 'shop-frontend refuses connections', 'Configuration on disk does not load', 'Apache hangs: no answer within 4 s', 'Backup job failed'];
  return Array.from({ length: 75 }, (_, index) => {
    const onset = start - (26 + index * 17) * HOUR;
    const quick = index % 4 === 1;
    return incident(start, {
      id: id(`inc${38 - index + 100}`), number: Math.max(1, 138 - index) % 100 || 100, title: titles[index % titles.length], status: 'resolved',
      severity: ['critical', 'critical', 'warning', 'error', 'info'][index % 5], urgency: index % 5 === 2 ? 'low' : 'high',
      opened_at: iso(onset + 300), onset_at: iso(onset), onset_uncertainty_ms: 250,
      paged_at: quick ? null : iso(onset + 800), acknowledged_at: quick ? null : iso(onset + 90_000), acknowledged_by: quick ? null : [ADA, GRACE][index % 2],
      recovered_at: iso(onset + (quick ? 1_400 : 6 * MINUTE)), resolved_at: iso(onset + (quick ? 16_400 : 6 * MINUTE + 15_000)),
      suppressed: index === 5 ? 'muted by Grace Hopper' : null, postmortem_ready: !quick, number_: undefined,
      ...(index % 5 === 1 && { service: SHOP, target: TARGET_SHOP }), ...(index % 5 === 4 && { target: null }),
    });
  }).map((each, index) => ({ ...each, number: 38 - index > 0 ? 38 - index : 0 })).filter((each) => each.number > 0);
}

function page(name, user, channel, label, level, state, due, attempts, why) {
  return {
    id: id(name), user, channel, label, level, purpose: 'page', state, due_at: iso(due), why,
    attempts: attempts.map(([number, at, took, outcome, detail]) => ({ number, started_at: iso(at), finished_at: took === null ? null : iso(at + took), outcome, detail })),
  };
}

function marks(made) {
  return [
    ['onset_at', 'onset'], ['opened_at', 'opened'], ['paged_at', 'paged'], ['acknowledged_at', 'acknowledged'], ['recovered_at', 'recovered'],
  ].flatMap(([key, label]) => (made[key] ? [{ at: made[key], label }] : []));
}

/** Traffic with a break; the same numbers every time. */
function crashSeries(onset, until, healed = Infinity) {
  const noise = (at, size) => size * (Math.sin(at / 3_700) + Math.sin(at / 1_130) + Math.sin(at / 7_900)) / 3;
  const times = Array.from({ length: 420 }, (_, index) => Math.round(onset - 5 * MINUTE + (index * (until - onset + 5 * MINUTE)) / 419));
  const failing = (at) => at >= onset && at < healed;
  const line = (name, unit, value) => ({ name, unit, points: times.map((at) => [at, value(at)]) });
  return [
    line('failed', 'requests/s', (at) => (failing(at) ? (at < onset + 8_000 ? 18 : Math.max(0, 4 + noise(at, 3))) : 0)),
    line('answered', 'requests/s', (at) => (failing(at) ? 0 : Math.max(0, 26 + noise(at, 7)))),
    line('workers busy', 'workers', (at) => (failing(at) ? null : Math.round(34 + noise(at, 12)))),
    line('probe', 'ms', (at) => (failing(at) ? null : 4.2 + noise(at, 1.8) + (at > onset - 30_000 ? 6 : 0))),
  ];
}

function logLines(onset) {
  const error = [
    [-372_000, '[mpm_event:notice] [pid 4711] AH00489: Apache/2.4.62 (Debian) configured -- resuming normal operations'],
    [-2_100, '[core:warn] [pid 4711] AH00045: child process 4790 still did not exit, sending a SIGTERM'],
    [-40, '[proxy:error] [pid 4793] (111)Connection refused: AH00957: http: attempt to connect to 127.0.0.1:9000 failed'],
  ].map(([ms, text]) => ({ at: iso(onset + ms), log: 'error', text }));
  const access = Array.from({ length: 14 }, (_, index) => ({
    at: iso(onset - 1_400 + index * 98), log: 'access',
    text: `203.0.113.${index + 4} - user${index} [23/Nov/2026] "${index % 3 ? 'GET /account' : 'POST /login'} HTTP/1.1" ${index > 11 ? 502 : 200} ${512 + index * 37} "-" "Mozilla/5.0" premium=${index % 4 === 0 ? 1 : 0}`,
  }));
  return [...error, ...access];
}

function story(made) {
  const entry = (at, title, detail, level, actor = { kind: 'system', name: 'Tocsin' }, late = 4) => ({ at, recorded_at: iso(Date.parse(at) + late), title, detail, level, actor });
  const entries = [];
  if (made.onset_at) entries.push(entry(made.onset_at, 'Onset: apache_parent_up became 0', 'Process 4711 ended by signal 9.', 'bad'));
  entries.push(entry(made.opened_at, `Incident #${made.number} opened`, made.alerts[0]?.title ?? '', 'bad'));
  if (made.paging.next_escalation_at) entries.push(entry(made.paged_at, 'Level 1 reached', `Paged: Ada Lovelace. Escalates at ${made.paging.next_escalation_at} unless somebody acknowledges.`, 'info'));
  for (const sent of made.pages) {
    for (const attempt of sent.attempts) entries.push(entry(attempt.finished_at ?? attempt.started_at, `${sent.user.name}: ${sent.channel} ${attempt.outcome ?? 'under way'}`, attempt.detail, attempt.outcome === 'accepted' ? 'good' : 'bad'));
  }
  if (made.acknowledged_at) entries.push(entry(made.acknowledged_at, 'Acknowledged', '', 'person', { kind: 'person', name: made.acknowledged_by.name }));
  if (made.number === 42) entries.push(entry(iso(Date.parse(made.onset_at) + 31_000), 'Checkout probe repeats its alert', `42nd time. ${HOSTILE}`, 'info', { kind: 'integration', name: 'Checkout probe' }, 9_000));
  if (made.number === 41) entries.push(entry(iso(Date.parse(made.onset_at) + 6 * MINUTE), 'Note', 'The new release of the shop talks to the old database host.\nRolling back.', 'person', { kind: 'person', name: 'Grace Hopper' }));
  if (made.recovered_at) entries.push(entry(made.recovered_at, 'Healthy again', 'All alerts recovered.', 'good'));
  if (made.resolved_at) entries.push(entry(made.resolved_at, 'Resolved', 'Healthy for 15 s.', 'good'));
  return entries.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).map((each, index) => ({ position: made.number * 1000 + index, kind: 'mock', ...each }));
}

function people(start) {
  const method = (name, kind, label, hint, verified, last) => ({ id: id(name), kind, label, address_hint: hint, verified, gone: false, set_up: true, last_result: last });
  const rule = (name, urgency, delay, way) => ({ id: id(name), urgency, delay_minutes: delay, contact_method_id: id(way) });
  return [
    { id: ADA.id, name: ADA.name, role: 'admin', email: 'ada@example.org', on_call: true, reachable: true, reach_problem: null,
      contact_methods: [method('cm1', 'email', 'Work', 'a…@example.org', true, { at: iso(start - 240_000), state: 'failed', detail: '421 service not available' }), method('cm2', 'ntfy', 'Phone', 'ntfy.example.org/…k7', true, { at: iso(start - 239_000), state: 'delivered', detail: '' }), method('cm3', 'webhook', 'Pager bridge', 'hooks.example.org/…', false, null)],
      notification_rules: [rule('nr1', 'high', 0, 'cm1'), rule('nr2', 'high', 2, 'cm2'), rule('nr3', 'low', 15, 'cm1')] },
    { id: GRACE.id, name: GRACE.name, role: 'responder', email: 'grace@example.org', on_call: false, reachable: true, reach_problem: null, contact_methods: [method('cm4', 'ntfy', 'Phone', 'ntfy.example.org/…x2', true, null)], notification_rules: [rule('nr4', 'high', 0, 'cm4')] },
    { id: LIN.id, name: LIN.name, role: 'responder', email: 'lin@example.org', on_call: true, reachable: false, reach_problem: 'has no verified contact method', contact_methods: [], notification_rules: [] },
    { id: id('wall'), name: 'Wall display', role: 'viewer', email: 'wall@example.org', on_call: false, reachable: false, reach_problem: 'has no verified contact method', contact_methods: [], notification_rules: [] },
  ];
}

function watched(start) {
  const made = (named, service, over) => ({ ...named, kind: 'apache', state: 'healthy', config_path: '/etc/apache2/apache2.conf', listen: ['127.0.0.1:8080'], found_at: iso(start - 9 * DAY), mute: null, maintenance: [], status_page: { ok: true, reason: null, paste: null }, last_seen_at: iso(start - 800), service, metrics: { workers_busy: 34, workers_max: 150, requests_per_second: 26.4, queue: 0 }, ...over });
  return [
    made(TARGET_WEB, WEB, { state: 'failing', last_seen_at: iso(start - 252_400), metrics: { workers_busy: null, workers_max: 150, requests_per_second: 0, queue: null } }),
    made(TARGET_SHOP, SHOP, { listen: ['0.0.0.0:80', '0.0.0.0:443', '[::]:443'], mute: { until: iso(start + 46 * MINUTE) }, metrics: { workers_busy: 141, workers_max: 150, requests_per_second: 10.05, queue: 12 } }),
    made(TARGET_ODD, ODD, { state: 'unknown', config_path: `/srv/${LONG}/${HOSTILE}.conf`, listen: [], maintenance: [{ id: id('mw1'), from: iso(start - HOUR), until: iso(start + DAY), reason: HOSTILE }], status_page: { ok: false, reason: `http://127.0.0.1:8080/server-status answers with status 404 ${HOSTILE}`, paste: { how: 'add this to /opt/apache/conf/httpd.conf, outside of any <VirtualHost>, then run `apachectl configtest && apachectl graceful`', snippet: STATUS_LINES } }, metrics: { workers_busy: null, workers_max: null, requests_per_second: null, queue: null } }),
  ];
}

function looks() {
  const made = (name, title, severity, expr, recovery, description, over = {}) => ({ id: id(name), name: title, severity, expr, recovery, enabled: true, pack: 'apache', description, firing: [], ...over });
  return [
    made('mondown', 'Apache is down', 'critical', 'apache_parent_up == 0', 'apache_parent_up == 1', 'The parent process ended and nothing took its place.', { firing: [{ target: TARGET_WEB }] }),
    made('monunreach', 'Apache is unreachable', 'critical', 'probe_http_ok == 0 and on (target) apache_parent_up == 1', '', 'The processes live, but a request gets no answer within 4 s.'),
    made('monsat', 'Apache is saturated', 'critical', 'apache_workers_busy >= apache_workers_max and apache_accept_queue > 0', 'apache_workers_busy < 0.9 * apache_workers_max', 'Every worker is busy and connections wait.'),
    made('mon5xx', 'Too many server errors', 'error', 'apache_responses:5xx_ratio60s > 0.05 and apache_responses:5xx_count60s >= 20', 'apache_responses:5xx_ratio60s < 0.02', 'More than 5 % and at least 20 of the answers of a minute are 5xx.', { firing: [{ target: TARGET_SHOP }] }),
    made('monconf', 'Configuration does not load', 'warning', 'apache_config_ok == 0', '', 'The next restart would fail. Pages nobody.', { enabled: false }),
    made('monx', HOSTILE, 'info', HOSTILE, '', HOSTILE, { pack: null }),
  ];
}

/** Rules of rule files, one of each standing. */
export function rules(start) {
  const rule = (name, expr, over = {}) => ({ name, kind: 'alert', expr, standing: 'quiet', severity: 'page', for_ms: 0, error: null, evaluated_at: iso(start - 4_000), evaluation_us: 84, pending: 0, firing: 0, alerts: [], ...over });
  const alert = (firing, labels, summary, over = {}) => ({ firing, labels, summary, active_at: iso(start - 130_000), value: 7.25, ...over });
  return {
    trouble: null,
    groups: [
      { name: 'shop', file: '/etc/tocsin/rules/shop.yml', interval_ms: 15_000, evaluated_at: iso(start - 4_000), rules: [
        rule('job:requests:rate5m', 'sum by (job) (rate(http_requests_total[5m]))', { kind: 'record', severity: null }),
        rule('TooManyErrors', 'sum by (instance) (rate(http_errors_total[5m])) > 5', { standing: 'firing', firing: 2, pending: 1, for_ms: 60_000, alerts: [alert(true, '{instance="shop-1:9117", severity="page"}', 'shop-1 fails 7.25 times a second'), alert(true, '{instance="shop-2:9117", severity="page"}', 'shop-2 fails 6.1 times a second'), alert(false, '{instance="shop-3:9117", severity="page"}', null)] }),
        rule('QueueGrows', 'deriv(queue_length[10m]) > 0', { standing: 'pending', pending: 1, for_ms: 600_000, severity: 'warning', alerts: [alert(false, '{queue="mail"}', null)] }),
        rule('LatencyHigh', 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 2'),
      ] },
      { name: HOSTILE, file: '/etc/tocsin/rules/odd.yml', interval_ms: 60_000, evaluated_at: null, rules: [
        rule(LONG, LONG, { standing: 'unknown', evaluated_at: null, severity: LONG }),
        rule(HOSTILE, HOSTILE, { standing: 'failing', error: HOSTILE, severity: HOSTILE, alerts: [alert(true, HOSTILE, HOSTILE)] }),
      ] },
    ],
  };
}

/** Weekly turns since a Monday, of which the present one is Ada's; a layer of some hours of the day that never holds now. */
function turns(start) {
  const day = start - (start % DAY);
  const monday = day - ((new Date(day).getUTCDay() + 6) % 7) * DAY + 9 * HOUR;
  const first = (monday > start ? monday - 7 * DAY : monday) - 28 * DAY;
  const hour = (plus) => `${String((new Date(start).getUTCHours() + plus) % 24).padStart(2, '0')}:00`;
  const layer = (over) => ({ start: iso(first), until: null, time_zone: null, hand_off: null, turn: { every: 1, unit: 'weeks' }, members: [ADA.id, GRACE.id], restrictions: [], ...over });
  const made = (over) => ({ layers: [], overrides: [], temporary: [], swaps: [], ...over });
  return [
    made({
      id: id('sched1'), name: 'Web, first line', time_zone: 'Europe/Berlin',
      layers: [layer(), layer({ turn: { every: 2, unit: 'days' }, members: [GRACE.id, LIN.id], restrictions: [{ kind: 'daily', from: hour(6), until: hour(14) }] })],
      overrides: [{ id: id('ovr1'), user_id: GRACE.id, from: iso(day + 2 * DAY + 12 * HOUR), until: iso(day + 3 * DAY + 12 * HOUR) }],
      swaps: [{ id: id('swap1'), state: 'offered', one: { user: GRACE, from: iso(first + 35 * DAY), until: iso(first + 36 * DAY) }, other: { user: ADA, from: iso(first + 42 * DAY), until: iso(first + 43 * DAY) }, offered_by: GRACE, awaits: ADA, offered_at: iso(start - HOUR) }],
    }),
    made({ id: id('sched2'), name: 'Night ' + LONG, time_zone: 'Asia/Kathmandu', layers: [layer({ turn: { every: 12, unit: 'hours' }, members: [LIN.id], restrictions: [{ kind: 'daily', from: hour(6), until: hour(9) }] })] }),
    made({
      id: id('sched3'), name: 'Shop, office hours', time_zone: 'America/New_York',
      layers: [layer({ turn: { every: 1, unit: 'days' }, members: [GRACE.id, ADA.id, LIN.id], restrictions: [{ kind: 'weekly', from: { weekday: 'monday', time: '08:00' }, until: { weekday: 'friday', time: '18:00' } }] })],
      temporary: [{ id: id('tmp1'), from: iso(day + 8 * DAY), until: iso(day + 9 * DAY), members: [ADA.id, GRACE.id], turn: { every: 12, unit: 'hours' } }],
    }),
  ];
}

export function onCall(start, state) {
  const [first] = state.schedules;
  return [
    { policy: POLICY, level: 1, via: { kind: 'schedule', id: id('sched1'), name: first?.name ?? 'Web, first line' }, user: ADA, until: iso(start + 2 * DAY), problem: null },
    { policy: POLICY, level: 2, via: { kind: 'user', id: GRACE.id, name: GRACE.name }, user: GRACE, until: null, problem: null },
    { policy: POLICY, level: 2, via: { kind: 'user', id: LIN.id, name: LIN.name }, user: LIN, until: null, problem: 'No verified contact method: this level skips them.' },
    { policy: { id: id('polbatch'), name: 'Batch jobs ' + HOSTILE }, level: 1, via: { kind: 'schedule', id: id('sched2'), name: 'Night' }, user: null, until: null, problem: 'The schedule has a hole now. The fallback, all administrators, would be paged.' },
  ];
}

/** What was changed, the newest first. */
export function audit(start) {
  const by = (one, kind = 'person') => ({ kind, id: one?.id ?? null, token_id: null, name: one?.name ?? 'Tocsin' });
  const of = (kind, name) => ({ kind, id: id(kind), name });
  const record = (position, ago, actor, action, object, kind, title, detail = '') => ({ position, at: iso(start - ago), actor, action, object, kind, title, detail });
  return [
    record(912, 5 * MINUTE, by(ADA), 'updated', of('schedule', 'Web on call'), 'roster.override_added', `Schedule “Web on call”: ${GRACE.name} takes over`),
    record(871, 3 * HOUR, by({ id: id('tok3'), name: 'token “Terraform”' }, 'token'), 'created', of('service', SHOP.name), 'roster.service_set', `The service “${SHOP.name}” was set`),
    record(640, 2 * DAY, by(LIN), 'removed', of('user', 'Old ' + HOSTILE), 'people.user_removed', 'A person was removed'),
    record(1, 90 * DAY, by(null, 'system'), 'created', { kind: 'installation', id: null, name: null }, 'installation.set_up', 'Tocsin was set up'),
  ];
}

export const DOCTOR_FINE = {
  able_to_page: true,
  checks: [
    { name: 'Mail server', state: 'ok', detail: 'mail.example.org:587 took a test message 3 minutes ago.', fix: null, snippet: null },
    { name: 'Disk', state: 'ok', detail: '41 GB free for the data directory.', fix: null, snippet: null },
    { name: 'Clock', state: 'ok', detail: 'Within 3 ms of the server it follows.', fix: null, snippet: null },
    { name: 'watcher', state: 'warn', detail: 'nobody is known to watch this server: no watcher asks with a token, and a failure of the whole machine is told to nobody', fix: 'run `tocsin watch` with a token of its own on a second machine; see docs/guide/peer-watch.md', snippet: null },
    { name: 'Reachable people', state: 'warn', detail: `${LIN.name} is in a policy and has no verified contact method.`, fix: 'Open People, add a way and verify it with the code.', snippet: null },
    { name: 'Status page of ' + LONG, state: 'warn', detail: 'http://127.0.0.1:8080/server-status answers with status 404', fix: 'add this to /opt/apache/conf/httpd.conf, outside of any <VirtualHost>, then run `apachectl configtest && apachectl graceful`', snippet: STATUS_LINES },
  ],
};

export const DOCTOR_ILL = {
  able_to_page: false,
  checks: [
    { name: 'Mail server', state: 'fail', detail: 'mail.example.org:587 refuses the connection since 03:10; 4 pages wait.', fix: 'Check that the mail server runs, or set another under Settings, Mail server.', snippet: null },
    { name: 'Disk', state: 'fail', detail: 'The data directory is full (0 bytes free): nothing new can be recorded.', fix: 'Free space on /var, or move the data directory.', snippet: null },
    ...DOCTOR_FINE.checks.slice(2),
  ],
};

/** Where `[watch]` is switched off, in the server's own words. */
export const DOCTOR_UNWATCHED = {
  able_to_page: true,
  checks: [
    ...DOCTOR_FINE.checks.slice(0, 3),
    { name: 'watch off', state: 'ok', detail: 'this machine is not watched, switched off by enabled = false under [watch] in tocsin.toml: only what others send is paged for', fix: null, snippet: null },
  ],
};

export const POSTMORTEM = `# Postmortem of incident 39: Apache on webserver-01 was saturated

## Issue Summary

From 14:02:11.000 (up to 1.0 s earlier) to 14:11:11.000 UTC **Apache2 on webserver-01** answered slowly or not at all. 812 of 3,410 requests failed, among them 190 of premium users (88 people).

## Timeline

| Time (UTC) | What happened |
|---|---|
| 14:02:11.000 | Onset: all 150 workers busy |
| 14:02:15.010 | Ada Lovelace paged by e-mail |
| 14:03:04.000 | Acknowledged |
| 14:11:11.000 | Healthy again |

## Root Cause and Resolution

- The evidence shows 150 of 150 workers busy \\<img src=x onerror="window.__struck=4"\\>.
- The cause behind it is unknown.

## Corrective and Preventative Measures

1. Raise the limit of workers, and alert at 90 %.

## Lessons Learned

Detection took 3.9 s, paging 0.1 s, acknowledgement 49 s.
`;

export const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 150" font-family="sans-serif" font-size="14"><path d="M60 80H740" stroke="#999" stroke-width="2"/>${['Apache', 'Monitor', 'Page', 'Ada', 'Recovery'].map((name, index) => `<circle cx="${60 + index * 170}" cy="80" r="9" fill="#855314"/><text x="${60 + index * 170}" y="52" text-anchor="middle">${name}</text>`).join('')}</svg>`;
