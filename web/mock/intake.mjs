// The stand-in's alerts on their way in: rules, settings of services, planned work, heartbeats. Small, and only as clever as the screens need.
import { HOSTILE, id } from './fixtures.mjs';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const iso = (at) => new Date(at).toISOString();

/** The made-up part of the world that this file answers for. */
export function intakeWorld(start, { services, targets }) {
  const [web, shop] = services;
  const office = { time_zone: 'Europe/Berlin', windows: [{ days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'], from: '09:00', until: '17:00' }] };
  const name = ({ id: of, name: called }) => ({ id: of, name: called });
  const beat = (key, called, over) => ({ id: id(key), name: called, service: name(shop), every_seconds: 86_400, grace_seconds: 1_800, severity: 'error', status: 'up', last_call_at: iso(start - 9 * HOUR), started_at: null, failed_at: null, missed_at: iso(start + 15.5 * HOUR), ...over });
  return {
    priorities: ['P1', 'P2', 'P3', 'P4', 'P5'],
    teams: [
      { id: id('team1'), name: 'Web team', members: ['ada', 'grace'].map((key) => ({ id: id(key), name: key === 'ada' ? 'Ada Lovelace' : 'Grace Hopper' })) },
      { id: id('team2'), name: `Night watch ${HOSTILE}`, members: [{ id: id('lin'), name: `Lin 林 ${HOSTILE}` }] },
      { id: id('team3'), name: 'Nobody yet', members: [] },
    ],
    rules: new Map([
      [null, [
        { id: id('rule1'), name: 'Test machines page nobody', when: { any: [{ field: 'source', op: 'matches', text: 'test-*' }, { field: 'details.stage', op: 'equals', text: 'test' }] }, then: [{ do: 'suppress' }], go_on: false, dropped: 0 },
        { id: id('rule2'), name: 'Disks go to the shop', when: { field: 'class', op: 'equals', text: 'disk' }, then: [{ do: 'route', service_id: shop.id }, { do: 'note', text: 'see the wiki, page Disks' }], go_on: true, dropped: 0 },
        { id: id('rule3'), name: `Noise ${HOSTILE}`, when: { all: [{ field: 'title', op: 'contains', text: HOSTILE }, { any: [{ not: { hours: office } }, { field: 'group', op: 'exists' }] }] }, then: [{ do: 'drop' }], go_on: false, dropped: 41 },
      ]],
    ]),
    intake: new Map([[shop.id, { urgency: { by: 'support_hours', during: 'high', outside: 'severity', raise: true, hours: office }, grouping: { by: 'content', fields: ['component', 'details.region'] }, resolve_after_minutes: 1_440 }]]),
    windows: [
      { id: id('win1'), reason: `New disks ${HOSTILE}`, services: [name(shop)], targets: [], active: true, from: iso(start - HOUR), until: iso(start + 2 * HOUR), repeat: null, matchers: [{ name: 'cluster', operator: '=', value: HOSTILE }, { name: 'instance', operator: '=~', value: 'db-.*' }], created_by: `ada ${HOSTILE}` },
      { id: id('win2'), reason: 'Restart of the week', services: [], targets: targets.slice(0, 1).map(name), active: false, from: iso(start + 3 * DAY), until: iso(start + 3 * DAY + HOUR), repeat: { time_zone: 'Europe/Berlin', first: '2026-11-01T03:00', minutes: 60, every: 1, unit: 'weeks', until: null }, matchers: [], created_by: null },
    ],
    heartbeats: [
      beat('hb1', 'Nightly backup', {}),
      beat('hb2', `Invoices ${HOSTILE}`, { status: 'down', severity: 'critical', last_call_at: iso(start - 3 * DAY), failed_at: iso(start - 2 * HOUR), missed_at: null }),
      beat('hb3', 'Certificate renewal', { status: 'new', last_call_at: null, missed_at: null, every_seconds: 604_800, service: name(web) }),
      beat('hb4', 'Queue worker', { every_seconds: 300, grace_seconds: 60, last_call_at: iso(start - 320_000), missed_at: iso(start + 40_000) }),
    ],
  };
}

const PLAIN = { urgency: { by: 'severity' }, grouping: { by: 'nothing' }, resolve_after_minutes: null };

/** Answers what is about the way in: `{ status, body, change }` or `{ status, problem }`; undefined for another route. */
export function intakeRoutes(mock, method, path, body) {
  const [, noun, key, part] = path.split('/');
  if (noun === 'alert-rules' && key === 'dry-run') return { body: tried(mock, body) };
  if (noun === 'alert-rules') return rulesOf(mock, null, method, body);
  if (noun === 'services' && part === 'alert-rules') return rulesOf(mock, key, method, body);
  if (noun === 'services' && part === 'intake') {
    if (method === 'PUT') mock.intake.set(key, body);
    return { body: mock.intake.get(key) ?? PLAIN, change: method === 'PUT' ? 'service_set' : null };
  }
  if (noun === 'priorities') return method === 'PUT' ? ((mock.priorities = body.names), { body, change: 'priorities_set' }) : { body: { names: mock.priorities } };
  if (noun === 'teams') return collection(mock, 'teams', method, key, (made) => ({ name: made.name, members: made.members.map((user) => mock.users.find((each) => each.id === user)).map(({ id: of, name }) => ({ id: of, name })) }), body);
  if (noun === 'heartbeats') return collection(mock, 'heartbeats', method, key, (made) => heartbeatOf(mock, made), body, 'POST', { url: 'https://tocsin.example.org/hb/4hWq0123456789abcdefghijklmnopqr' });
  if (noun === 'maintenance-windows' && part === 'end') {
    Object.assign(mock.windows.find((each) => each.id === key), { active: false, from: null, until: null });
    return { status: 204, change: 'window_ended' };
  }
  if (noun === 'maintenance-windows') return collection(mock, 'windows', method, key, (made) => windowOf(mock, made, mock.windows.find((each) => each.id === key)), body);
  return undefined;
}

function collection(mock, list, method, key, shape, body, extraOn = null, extra = {}) {
  // No server tells of one thing twice: this is what a page must live through.
  const all = mock.switches.empty ? [] : mock.switches.twice ? [...mock[list], ...mock[list]] : mock[list];
  if (method === 'GET') return { body: { items: all, next_cursor: null } };
  const found = mock[list].find((each) => each.id === key);
  if (key && !found) return { status: 404, problem: 'This does not exist.' };
  if (method === 'DELETE') return ((mock[list] = mock[list].filter((each) => each !== found)), { status: 204, change: `${list}_removed` });
  const made = found ? Object.assign(found, shape(body)) : { id: id(`${list}${mock.position}`), ...shape(body) };
  if (!found) mock[list].push(made);
  return { status: found ? 200 : 201, body: method === extraOn ? { ...made, ...extra } : made, change: `${list}_set` };
}

function heartbeatOf(mock, { service_id, ...rest }) {
  const service = mock.services.find((each) => each.id === service_id) ?? mock.services[0];
  return { ...rest, service: { id: service.id, name: service.name }, status: 'new', last_call_at: null, started_at: null, failed_at: null, missed_at: null };
}

function windowOf(mock, { service_ids, target_ids, reason, from = null, until = null, repeat = null, matchers }, known = { matchers: [], created_by: null }) {
  const names = (list, ids) => list.filter((each) => ids.includes(each.id)).map(({ id: of, name }) => ({ id: of, name }));
  const next = repeat ? { from: iso(Date.now() + DAY), until: iso(Date.now() + DAY + repeat.minutes * 60_000) } : { from, until };
  return { matchers: matchers ?? known.matchers, created_by: known.created_by, reason, services: names(mock.services, service_ids), targets: names(mock.targets, target_ids), repeat, active: !repeat && Date.parse(from) <= Date.now(), ...next };
}

function rulesOf(mock, of, method, body) {
  if (method === 'GET') return { body: { rules: mock.rules.get(of) ?? [] } };
  const nameless = body.rules.findIndex((each) => each.then.some((action) => action.do === 'note' && action.text === ''));
  if (nameless >= 0) return { status: 422, problem: 'This cannot be set.', errors: [`rules[${nameless}].then: a text has 1 to 500 characters`] };
  mock.rules.set(of, body.rules.map((rule, index) => ({ dropped: 0, id: id(`rule${mock.position}x${index}`), ...rule })));
  return { body: { rules: mock.rules.get(of) }, change: 'rules_set' };
}

function holds(when, alert) {
  if (when.all) return when.all.every((each) => holds(each, alert));
  if (when.any) return when.any.some((each) => holds(each, alert));
  if (when.not) return !holds(when.not, alert);
  if (when.hours) return true;
  if (!when.field) return true;
  const value = when.field.startsWith('details.') ? alert.details?.[when.field.slice(8)] : ({ title: alert.summary, ...alert, ...alert.details })[when.field];
  const text = String(value ?? '').toLowerCase();
  const wanted = (when.text ?? '').toLowerCase();
  return { equals: text === wanted, contains: text.includes(wanted), starts_with: text.startsWith(wanted), matches: new RegExp(`^${wanted.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text), exists: text !== '' }[when.op];
}

function tried(mock, alert) {
  const service = mock.services.find((each) => each.id === alert.service_id) ?? mock.services[0];
  const hits = [];
  for (const rule of [...mock.rules.get(null), ...(mock.rules.get(service.id) ?? [])]) {
    if (!holds(rule.when, alert)) continue;
    hits.push(rule);
    if (!rule.go_on) break;
  }
  const does = (what) => hits.some((rule) => rule.then.some((action) => action.do === what));
  const outcome = does('drop') ? `It would be thrown away by the rule “${hits.at(-1).name}”.` : does('suppress') ? `It would be kept and shown, and nobody paged: rule “${hits.at(-1).name}”.` : 'It would open an incident and page.';
  return { rules: hits.map((rule) => ({ rule_id: rule.id, name: rule.name, did: rule.then.map((action) => action.do) })), service: { id: service.id, name: service.name }, severity: alert.severity, urgency: 'high', urgency_why: null, priority: null, dropped: does('drop'), pause_seconds: null, quiet_until: null, notes: [], incident_id: null, outcome };
}
