// The stand-in's schedules: a small rendering of layers and changes by hand, good enough to look at and to click on. Unlike
// the server it knows no clock changes: turns have so many hours, and times of day are those of UTC.
import { id } from './fixtures.mjs';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const UNITS = { hours: HOUR, days: DAY, weeks: 7 * DAY };
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const SHOWN_AHEAD = 14 * DAY;
const ms = (instant) => Date.parse(instant);
const iso = (at) => new Date(at).toISOString();
const clock = (time) => Number(time.slice(0, 2)) * HOUR + Number(time.slice(3, 5)) * 60_000;
const modulo = (value, by) => ((value % by) + by) % by;

/** Whose turn it is by one layer, or null. */
function byLayer(layer, at) {
  if (at < ms(layer.start) || (layer.until && at >= ms(layer.until)) || layer.members.length === 0) return null;
  const inside = ({ kind, from, until }) => {
    const [period, now, start, end] =
      kind === 'daily'
        ? [DAY, modulo(at, DAY), clock(from), clock(until)]
        : [7 * DAY, modulo(at - 4 * DAY, 7 * DAY), WEEKDAYS.indexOf(from.weekday) * DAY + clock(from.time), WEEKDAYS.indexOf(until.weekday) * DAY + clock(until.time)];
    return modulo(now - start, period) < (modulo(end - start, period) || period);
  };
  if (layer.restrictions.length > 0 && !layer.restrictions.some(inside)) return null;
  return layer.members[Math.floor((at - ms(layer.start)) / (layer.turn.every * UNITS[layer.turn.unit])) % layer.members.length];
}

const holds = (span, at) => ms(span.from) <= at && at < ms(span.until);

/** Who is on call and by what; a later rule stands over an earlier one. */
function onCallAt(schedule, at) {
  let found = null;
  for (const [layer, each] of schedule.layers.entries()) {
    const user = byLayer(each, at);
    if (user) found = { user, reason: { kind: 'layer', layer, id: null } };
  }
  for (const each of schedule.temporary) {
    const turn = each.turn ? Math.floor((at - ms(each.from)) / (each.turn.every * UNITS[each.turn.unit])) : 0;
    if (holds(each, at)) found = { user: each.members[turn % each.members.length], reason: { kind: 'temporary', layer: null, id: each.id } };
  }
  for (const each of schedule.swaps.filter((swap) => swap.state === 'agreed')) {
    const user = holds(each.one, at) ? each.other.user.id : holds(each.other, at) ? each.one.user.id : null;
    if (user) found = { user, reason: { kind: 'swap', layer: null, id: each.id } };
  }
  for (const each of schedule.overrides) if (holds(each, at)) found = { user: each.user_id, reason: { kind: 'override', layer: null, id: each.id } };
  return found;
}

function edges(schedule, since, until) {
  const all = new Set([since, until]);
  const add = (at) => at > since && at < until && all.add(at);
  const spans = [...schedule.temporary, ...schedule.overrides, ...schedule.swaps.flatMap((each) => [each.one, each.other])];
  for (const each of spans) for (const at of [ms(each.from), ms(each.until)]) add(at);
  // Every turn and every time of day in the stand-in's world falls on an hour.
  for (let at = Math.ceil(since / HOUR) * HOUR; at < until; at += HOUR) add(at);
  return [...all].sort((a, b) => a - b);
}

function entries(mock, marks, whose) {
  const made = [];
  for (const [index, at] of marks.slice(0, -1).entries()) {
    const found = whose(at);
    const last = made.at(-1);
    const until = iso(marks[index + 1]);
    if (last && last.user?.id === found?.user && last.reason?.id === found?.reason.id && last.reason?.layer === found?.reason.layer) last.until = until;
    else made.push({ from: iso(at), until, gap: !found, user: found ? named(mock, found.user) : null, reason: found?.reason ?? null });
  }
  return made;
}

const named = (mock, user) => ({ id: user, name: mock.users.find((each) => each.id === user)?.name ?? 'a removed person' });

export function render(mock, schedule, since, until) {
  const marks = edges(schedule, ms(since), ms(until));
  const final = entries(mock, marks, (at) => onCallAt(schedule, at));
  const layers = schedule.layers.map((each, layer) => ({ layer, entries: entries(mock, marks, (at) => ((user) => user && { user, reason: { kind: 'layer', layer, id: null } })(byLayer(each, at))) }));
  const gap = final.filter((each) => each.gap).reduce((sum, each) => sum + ms(each.until) - ms(each.from), 0);
  return { name: schedule.name, time_zone: schedule.time_zone, since, until, gap_seconds: gap / 1_000, final, layers };
}

/** A schedule as the API writes it. */
function shown(mock, schedule) {
  const duty = dutyOf(mock, schedule);
  const people = [...new Set(schedule.layers.flatMap((each) => each.members))].map((user) => named(mock, user));
  const overrides = schedule.overrides.map(({ user_id, ...rest }) => ({ ...rest, user: named(mock, user_id) }));
  const temporary = schedule.temporary.map((each) => ({ ...each, members: each.members.map((user) => named(mock, user)) }));
  return { ...schedule, overrides, temporary, people, on_call_now: duty.now?.user ?? null, next_handoff_at: duty.until, next: duty.next };
}

function dutyOf(mock, schedule) {
  const now = Date.now();
  const { final } = render(mock, schedule, iso(now - 28 * DAY), iso(now + 28 * DAY));
  const index = final.findIndex((each) => holds(each, now));
  const current = final[index];
  const after = final.slice(index + 1).filter((each) => !each.gap);
  const since = index > 0 ? current.from : null;
  return { schedule: { id: schedule.id, name: schedule.name }, time_zone: schedule.time_zone, now: current.gap ? null : current, since, until: final.length > index + 1 ? current.until : null, next: after[0] ?? null };
}

export const duties = (mock) => mock.schedules.map((each) => dutyOf(mock, each));

function ownShifts(mock, query) {
  const user = query.get('user') ?? mock.users[0].id;
  const since = query.get('since') ?? iso(Date.now());
  const until = query.get('until') ?? iso(Date.now() + SHOWN_AHEAD);
  const items = mock.schedules.flatMap((schedule) => render(mock, schedule, since, until).final.filter((each) => each.user?.id === user).map((each) => ({ schedule: { id: schedule.id, name: schedule.name }, ...each })));
  return { user: named(mock, user), since, until, items: items.sort((a, b) => ms(a.from) - ms(b.from)) };
}

/** Answers what is about schedules and shifts: `{ status, body }`, or undefined for another route. */
export function scheduleRoutes(mock, method, path, query, body) {
  if (`${method} ${path}` === 'GET /oncall/shifts') return { body: ownShifts(mock, query) };
  const calendar = /^\/users\/[^/]+\/calendars(?:\/([^/]+))?(?:\/(renew))?$/.exec(path);
  if (calendar) return calendarRoutes(mock, method, calendar[1], body);
  const [, noun, key, part, sub, verb] = path.split('/');
  if (noun !== 'schedules' || mock.switches.empty) return undefined;
  if (method === 'GET' && !key) return { body: { items: mock.schedules.map((each) => shown(mock, each)), next_cursor: null } };
  if (`${method} ${key}` === 'POST preview') return { body: preview(mock, body) };
  if (method === 'POST' && !key) {
    const made = { id: id(`new${mock.position}`), ...body, overrides: [], temporary: [], swaps: [] };
    mock.schedules.push(made);
    return { status: 201, body: shown(mock, made), change: 'schedule_set' };
  }
  const schedule = mock.schedules.find((each) => each.id === key);
  if (!schedule) return { status: 404, problem: 'There is no such schedule.' };
  if (method === 'GET' && part === 'rendered') return { body: render(mock, schedule, query.get('since'), query.get('until')) };
  if (method === 'GET') return { body: shown(mock, schedule) };
  if (!part && method === 'DELETE') return (mock.schedules.splice(mock.schedules.indexOf(schedule), 1), { status: 204, change: 'schedule_removed' });
  if (!part) return (Object.assign(schedule, body), { body: shown(mock, schedule), change: 'schedule_set' });
  return handRoutes(mock, schedule, method, part, sub, verb, body);
}

/** Overrides, temporary shifts and swaps. */
function handRoutes(mock, schedule, method, part, sub, verb, body) {
  const list = schedule[part];
  if (!list) return undefined;
  const change = part.slice(0, 4);
  if (part === 'swaps' && method === 'POST' && verb) {
    const swap = list.find((each) => each.id === sub);
    if (verb === 'accept') Object.assign(swap, { state: 'agreed', awaits: null });
    else list.splice(list.indexOf(swap), 1);
    return { body: shown(mock, schedule), change: 'swap_accepted' };
  }
  if (method === 'DELETE') return ((schedule[part] = list.filter((each) => each.id !== sub)), { status: 204, change });
  const made = { id: id(`${change}${mock.position}x`) };
  if (part === 'swaps') {
    const side = ({ user_id, ...span }) => ({ user: named(mock, user_id), ...span });
    list.push({ ...made, state: 'offered', one: side(body.one), other: side(body.other), offered_by: named(mock, body.one.user_id), awaits: named(mock, body.other.user_id), offered_at: iso(Date.now()) });
  } else {
    if (ms(body.until) <= ms(body.from ?? iso(Date.now()))) return { status: 422, problem: 'This cannot be set.', errors: ['until: it has to be after from'] };
    list.push({ ...made, from: iso(Date.now()), ...body });
  }
  return { status: 201, body: list.at(-1), change };
}

function preview(mock, body) {
  const stored = mock.schedules.find((each) => each.id === body.schedule_id);
  const drafted = { overrides: [], temporary: [], swaps: [], ...stored, name: body.name, time_zone: body.time_zone, layers: body.layers };
  const rendered = render(mock, drafted, body.since, body.until);
  const marks = stored ? edges(drafted, ms(body.since), ms(body.until)) : [];
  const changes = [];
  for (const [index, at] of marks.slice(0, -1).entries()) {
    const [before, after] = [stored, drafted].map((each) => onCallAt(each, at)?.user ?? null);
    const last = changes.at(-1);
    if (before === after) continue;
    if (last && ms(last.until) === at && last.before?.id === before && last.after?.id === after) last.until = iso(marks[index + 1]);
    else changes.push({ from: iso(at), until: iso(marks[index + 1]), before: before && named(mock, before), after: after && named(mock, after) });
  }
  return { ...rendered, changes };
}

function calendarRoutes(mock, method, key, body) {
  mock.calendars ??= [];
  const made = (over) => ({ only_own: false, schedule: null, made_at: iso(Date.now()), ...over });
  const url = `https://tocsin.example.org/ical/${'c0ffee'.repeat(6)}${mock.position}.ics`;
  if (method === 'GET') return { body: { items: mock.calendars, next_cursor: null } };
  if (method === 'DELETE') return ((mock.calendars = mock.calendars.filter((each) => each.id !== key)), { status: 204, change: 'calendar_revoked' });
  if (key) return { body: { ...mock.calendars.find((each) => each.id === key), url }, change: 'calendar_set' };
  const schedule = mock.schedules.find((each) => each.id === body.schedule_id);
  mock.calendars.push(made({ id: id(`cal${mock.position}x`), only_own: body.only_own ?? false, schedule: schedule ? { id: schedule.id, name: schedule.name } : null }));
  return { status: 201, body: { ...mock.calendars.at(-1), url }, change: 'calendar_set' };
}

/** The gaps of each schedule in the next 14 days, those at one time of the week as one, and everybody in a layer who cannot be reached. */
export function findings(mock) {
  const none = { until: null, times: 1, schedule: null, user: null, policy: null, level: null };
  const since = Date.now();
  const gaps = mock.schedules.flatMap((schedule) => {
    const found = new Map();
    const end = since + SHOWN_AHEAD;
    // Where a gap ends is seen only in more days than those that are looked at.
    const all = render(mock, schedule, iso(since), iso(end + 7 * DAY)).final.filter((each) => each.gap && ms(each.from) < end);
    for (const { from, until } of all) {
      const key = `gap:${schedule.id}:${modulo(ms(until), 7 * DAY)}`;
      const known = found.get(key);
      const text = `Nobody is on call in "${schedule.name}" from ${(known?.since ?? from).slice(0, 16)} until ${(known?.until ?? until).slice(0, 16)}${known ? `, and ${known.times} more within 14 days` : ''}`;
      found.set(key, { ...none, since: from, until, schedule: { id: schedule.id, name: schedule.name }, ...known, key, kind: 'gap', text, times: (known?.times ?? 0) + 1 });
    }
    return [...found.values()];
  });
  const out = mock.users.filter((user) => !user.reachable && mock.schedules.some((each) => each.layers.some((layer) => layer.members.includes(user.id))));
  const unreachable = out.map(({ id: user, name, reach_problem }) => ({ ...none, key: `unreachable:${user}`, kind: 'unreachable', text: `${name} ${reach_problem}`, since: iso(since), user: { id: user, name } }));
  const [, batch] = mock.policies;
  const level = batch ? [{ ...none, key: 'level', kind: 'empty_level', text: `Level 1 of "${batch.name}" would page nobody`, since: iso(since + 3 * HOUR), policy: { id: batch.id, name: batch.name }, level: 1 }] : [];
  return { days: 14, items: [...unreachable, ...gaps, ...level] };
}

/** Who would be contacted when; the same steps for every service. */
export function simulated(mock, service, query) {
  const from = ms(query.get('at') ?? iso(Date.now()));
  const [ada, grace, lin] = mock.users.map(({ id: user, name }) => ({ id: user, name }));
  const policy = { id: mock.policies[0].id, name: mock.policies[0].name };
  const step = (after, over) => ({ after_ms: after, at: iso(from + after), ...over });
  const level = (after, of, loop, people, skipped) => step(after, { kind: 'level', policy, level: of, loop, people, skipped });
  const contact = (after, user, channel, label, of, loop, why) => step(after, { kind: 'contact', user, channel, label, level: of, loop, why });
  const round = (base, loop) => [
    level(base, 1, loop, [ada], []),
    contact(base, ada, 'email', 'Work', 1, loop, 'High urgency, at once'),
    contact(base + 120_000, ada, 'ntfy', 'Phone', 1, loop, 'High urgency, after 2 minutes'),
    level(base + 300_000, 2, loop, [grace], [`${lin.name} has no verified contact method`]),
    contact(base + 300_000, grace, 'ntfy', 'Phone', 2, loop, 'High urgency, at once'),
  ];
  const steps = [...round(0, 0), ...round(900_000, 1), ...round(1_800_000, 2), step(2_700_000, { kind: 'fallback', people: [ada], why: ['No level was answered.'] }), contact(2_700_000, ada, 'email', 'Work', null, 0, 'List of last resort')];
  const quiet = mock.targets.filter((target) => target.service?.id === service.id && target.mute);
  const quietTargets = quiet.map((target) => ({ target: { id: target.id, name: target.name }, why: 'the target is muted', until: target.mute.until }));
  return { service: { id: service.id, name: service.name }, target: null, at: iso(from), urgency: query.get('urgency') ?? 'high', steps, end: 'repeats', quiet_targets: quietTargets };
}
