// A stand-in for the Tocsin server, for development and browser tests only: the same contract over a made-up world,
// the same headers, and a few switches under /__mock/ to make things go wrong. Node's own modules only.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { intakeRoutes, intakeWorld } from './intake.mjs';
import { integrationRoutes, integrationWorld } from './integrations.mjs';
import { bulkProblem, deed } from './respond.mjs';
import { duties, findings, scheduleRoutes, simulated } from './schedules.mjs';
import { audit, DOCTOR_FINE, DOCTOR_ILL, DOCTOR_UNWATCHED, id, onCall, PICTURE, POSTMORTEM, rules, world } from './fixtures.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const API = '/api/tocsin/v1';
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
export const LOGIN_TOKEN = 'one-time-login';
export const SETUP_TOKEN = 'one-time-setup';
export const PASSWORD = 'correct horse battery';
const CODE = '123456';
const TEST_PAGE_MS = 1_500;

/**
 * Starts the stand-in on a port of loopback (0: any) and returns its address and how to stop it. `story`: incidents move on by
 * themselves. `first`: what a worker of its pages runs before its own code.
 */
export async function startMock({ port = 0, story = false, first = '' } = {}) {
  const mock = { story, first, ...fresh() };
  const server = createServer((request, response) => {
    // Node writes a date of its own past a clock that tests have moved.
    response.setHeader('Date', new Date().toUTCString());
    handle(mock, request, response).catch((cause) => problem(response, 500, String(cause)));
  });
  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  const stop = () => new Promise((done) => (server.closeAllConnections(), server.close(done)));
  return { url: `http://127.0.0.1:${server.address().port}`, mock, stop };
}

function fresh() {
  const start = Date.now();
  const made = world(start);
  return {
    start, ...made, ...intakeWorld(start, made), ...integrationWorld(made), position: 100, streams: new Set(), sessions: new Map(), keys: new Map(), requests: [],
    switches: { setup_needed: false, ill: false, empty: false, unwatched: false, twice: false, stream_down: false, hold: false, fail: null, role: null },
  };
}

async function handle(mock, request, response) {
  // What came before a reset is answered by the switches of its own time.
  const { switches } = mock;
  const url = new URL(request.url, 'http://mock');
  const body = await bodyOf(request);
  if (url.pathname.startsWith('/__mock/')) return control(mock, url, body, response);
  if (url.pathname === '/') return redirect(response, '/ui/');
  if (url.pathname.startsWith('/ui')) return file(mock, response, url.pathname);
  if (!url.pathname.startsWith(API)) return problem(response, 404, 'Nothing is here.');
  const path = url.pathname.slice(API.length);
  mock.requests.push({ at: `${request.method} ${path}`, key: request.headers['idempotency-key'] ?? null, resumes: request.headers['last-event-id'] ?? null });
  while (request.method !== 'GET' && switches.hold) await new Promise((go) => setTimeout(go, 20));
  const { fail } = switches;
  // Without a number of times it fails until it is switched off.
  if (fail && `${request.method} ${path}` === fail.at && (fail.times === undefined || fail.times-- > 0)) return problem(response, fail.status, fail.detail, fail.errors);
  return api(mock, request, response, url, path, body);
}

async function bodyOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return {};
  }
}

function control(mock, url, body, response) {
  switch (url.pathname) {
    case '/__mock/reset':
      for (const stream of mock.streams) stream.destroy();
      Object.assign(mock, fresh(), { sessions: mock.sessions });
      return json(response, {});
    case '/__mock/switch':
      Object.assign(mock.switches, body);
      if (body.stream_down) for (const stream of mock.streams) stream.destroy();
      if (body.ill !== undefined) change(mock, 'channel', null);
      return json(response, mock.switches);
    case '/__mock/advance':
      advance(mock, body.number, body.to);
      return json(response, {});
    default:
      return json(response, { streams: mock.streams.size, requests: mock.requests });
  }
}

/** Routes that need no session come first; everything else is refused without one. */
async function api(mock, request, response, url, path, body) {
  const method = request.method;
  const at = `${method} ${path}`;
  if (at === 'GET /setup') return json(response, { setup_needed: mock.switches.setup_needed });
  if (at === 'POST /setup') {
    if (body.setup_token !== SETUP_TOKEN) return problem(response, 401, 'This set-up link was used already or is not known.');
    if ((body.password ?? '').length < 12) return problem(response, 422, 'The password is too short.', ['password: at least 12 characters']);
    mock.switches.setup_needed = false;
    return signIn(mock, response, 201, true);
  }
  if (at === 'POST /session') {
    const right = body.login_token === LOGIN_TOKEN || (body.email === 'ada@example.org' && body.password === PASSWORD);
    return right ? signIn(mock, response, 200, !body.login_token) : problem(response, 401, body.login_token ? 'This link was used already or is too old.' : 'The mail address or the password is wrong.');
  }
  const session = mock.sessions.get(/(?:^|; )tocsin=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]);
  if (!session) return problem(response, 401, 'You are signed out.');
  if (at === 'GET /session') return json(response, mock.switches.role ? { ...session, user: { ...session.user, role: mock.switches.role } } : session);
  if (method !== 'GET' && request.headers['x-csrf-token'] !== session.csrf_token) return problem(response, 403, 'The CSRF token is missing or wrong.');
  if (at === 'DELETE /session') {
    mock.sessions.clear();
    for (const stream of mock.streams) stream.destroy();
    return json(response, undefined, 204);
  }
  if (at === 'GET /stream') return stream(mock, response);
  const found = scheduleRoutes(mock, method, path, url.searchParams, body) ?? intakeRoutes(mock, method, path, body) ?? integrationRoutes(mock, method, path, body);
  if (found?.problem) return problem(response, found.status, found.problem, found.errors);
  if (found?.change) change(mock, `roster.${found.change}`, null);
  if (found) return json(response, found.body, found.status);
  return incidentRoutes(mock, response, url, method, path, body) ?? thingRoutes(mock, response, url, method, path, body) ?? problem(response, 404, 'Nothing is here.');
}

function signIn(mock, response, status, hasPassword) {
  const key = `s${mock.sessions.size}${mock.start}`;
  const [user] = mock.users;
  const session = { user: { id: user.id, name: user.name, role: user.role, email: user.email }, csrf_token: `csrf-${key}`, setup_needed: false, has_password: hasPassword };
  mock.sessions.set(key, session);
  response.setHeader('Set-Cookie', `tocsin=${key}; HttpOnly; SameSite=Strict; Path=/`);
  return json(response, session, status);
}

function stream(mock, response) {
  if (mock.switches.stream_down) return problem(response, 503, 'The stream is down.');
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(`id: ${mock.position}\nevent: hello\ndata: {}\n\n`);
  mock.streams.add(response);
  const beat = setInterval(() => response.write(': keepalive\n\n'), 15_000);
  response.on('close', () => {
    clearInterval(beat);
    mock.streams.delete(response);
  });
  return true;
}

function change(mock, kind, incident) {
  mock.position += 1;
  const data = { position: mock.position, kind, incident_id: incident?.id ?? null, target_id: incident?.target?.id ?? null };
  for (const each of mock.streams) each.write(`id: ${mock.position}\nevent: change\ndata: ${JSON.stringify(data)}\n\n`);
}

const summaryOf = ({ alerts, pages, paging, impact, changes, log_lines, chart, runbook_url, runbook, explanation, merged, responders, ...summary }) => summary;

function incidentRoutes(mock, response, url, method, path, body) {
  if (path === '/incidents' && method === 'GET') return json(response, listIncidents(mock, url.searchParams));
  if (path === '/incidents') return json(response, summaryOf(declare(mock, body)), 201);
  if (path === '/incidents/bulk') return json(response, bulk(mock, body));
  const [, key, verb] = /^\/incidents\/([^/]+)(?:\/([\w/]+))?$/.exec(path) ?? [];
  if (!key) return undefined;
  const incident = mock.incidents.find((each) => each.id === key || String(each.number) === key);
  if (!incident) return problem(response, 404, 'There is no such incident.');
  const timeline = mock.timelines.get(incident.id);
  switch (`${method} ${verb ?? ''}`) {
    case 'GET ':
      return json(response, incident);
    case 'GET timeline':
      return json(response, { items: timeline, next_cursor: null });
    case 'GET postmortem':
      return postmortem(response, url.searchParams.get('format'));
    case 'GET evidence':
      return json(response, { evidence: [] });
    case 'POST acknowledge':
      if (incident.status === 'triggered') act(mock, incident, 'acknowledged', 'Acknowledged', '');
      return json(response, summaryOf(incident));
    case 'POST resolve':
      if (incident.status === 'resolved') return problem(response, 409, 'This incident is resolved already.');
      if (incident.alerts.some((each) => each.status === 'firing' && each.source === 'monitor')) return problem(response, 409, 'It still fails: it resolves by itself once it has recovered.');
      act(mock, incident, 'resolved', 'Resolved', body.note ?? '');
      return json(response, summaryOf(incident));
    case 'POST notes':
      act(mock, incident, null, 'Note', body.text);
      return json(response, timeline.at(-1), 201);
    case 'GET explanation':
      return json(response, { incident: { id: incident.id, number: incident.number, title: incident.title }, notification: null, steps: incident.explanation.map((text) => ({ kind: 'nobody', at: null, text })) });
    default:
      return respond(mock, response, incident, `${method} ${verb}`, body);
  }
}

function respond(mock, response, incident, at, body) {
  const done = deed(mock, incident, at, body);
  if (!done) return undefined;
  if (done.problem) return problem(response, done.code, done.problem);
  act(mock, incident, done.status, done.title, done.detail);
  return json(response, summaryOf(incident));
}

function bulk(mock, { action, incidents }) {
  const results = incidents.map((key) => {
    const incident = mock.incidents.find((each) => each.id === key);
    const refused = bulkProblem(incident, action);
    if (!refused) act(mock, incident, action === 'resolve' ? 'resolved' : 'acknowledged', action === 'resolve' ? 'Resolved' : 'Acknowledged', '');
    return { incident: key, problem: refused };
  });
  return { results };
}

function listIncidents(mock, query) {
  if (mock.switches.empty) return { items: [], next_cursor: null };
  const status = query.get('status') ?? 'all';
  const fits = mock.incidents.filter((each) => (status === 'all' || (status === 'resolved') === (each.status === 'resolved')) && (!query.get('target') || each.target?.id === query.get('target')));
  const from = Number(query.get('cursor') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  return { items: fits.slice(from, from + limit).map(summaryOf), next_cursor: from + limit < fits.length ? String(from + limit) : null };
}

function declare(mock, body) {
  const now = new Date().toISOString();
  const service = mock.services.find((each) => each.id === body.service_id) ?? mock.services[0];
  const made = { ...structuredClone(mock.incidents[2]), id: id(`dec${mock.position}`), number: 43 + mock.incidents.filter((each) => each.number > 42).length, title: body.title, status: 'triggered', urgency: body.urgency ?? 'high', severity: 'error', service: { id: service.id, name: service.name }, target: null, opened_at: now, suppressed: null, alerts: [], alert_count: 0, changes: [], log_lines: [], chart: { series: [], marks: [] }, runbook_url: null, explanation: [] };
  mock.incidents.unshift(made);
  mock.timelines.set(made.id, []);
  change(mock, 'incident.opened', made);
  return made;
}

function act(mock, incident, status, title, detail) {
  const now = new Date().toISOString();
  const person = { id: mock.users[0].id, name: mock.users[0].name };
  if (status) incident.status = status;
  if (status === 'acknowledged') {
    Object.assign(incident, { acknowledged_at: now, acknowledged_by: person });
    incident.paging.next_escalation_at = null;
    for (const page of incident.pages) if (page.state === 'planned') page.state = 'cancelled';
    incident.chart.marks.push({ at: now, label: 'acknowledged' });
    if (mock.story) {
      setTimeout(() => advance(mock, incident.number, 'recovered'), 8_000).unref();
      setTimeout(() => advance(mock, incident.number, 'resolved'), 14_000).unref();
    }
  }
  if (status === 'resolved') incident.resolved_at = now;
  record(mock, incident, title, detail, 'person', { kind: 'person', name: person.name });
}

function record(mock, incident, title, detail, level, actor) {
  const now = new Date().toISOString();
  mock.timelines.get(incident.id).push({ position: 1_000_000 + mock.position, at: now, recorded_at: now, kind: 'mock', title, detail, actor, level });
  change(mock, 'incident.changed', incident);
}

function advance(mock, number, to) {
  const incident = mock.incidents.find((each) => each.number === number);
  const now = new Date().toISOString();
  if (to === 'last resort') {
    Object.assign(incident.paging, { exhausted: true, level: 0, recipients: [{ id: mock.users[1].id, name: mock.users[1].name }], next_escalation_at: new Date(Date.now() + 900_000).toISOString() });
    return change(mock, 'incident.changed', incident);
  }
  incident.recovered_at ??= now;
  for (const alert of incident.alerts) Object.assign(alert, { status: 'recovered', recovered_at: now });
  if (to === 'resolved') Object.assign(incident, { status: 'resolved', resolved_at: now, postmortem_ready: true });
  record(mock, incident, to === 'resolved' ? 'Resolved' : 'Healthy again', '', 'good', { kind: 'system', name: 'Tocsin' });
}

function postmortem(response, format) {
  if (format === 'svg') return send(response, 200, 'image/svg+xml', PICTURE);
  if (format === 'html') return send(response, 200, TYPES['.html'], `<!doctype html><html lang="en"><title>Postmortem</title><pre>${POSTMORTEM.replace(/</g, '&lt;')}</pre>`);
  return send(response, 200, 'text/markdown; charset=utf-8', POSTMORTEM);
}

function thingRoutes(mock, response, url, method, path, body) {
  const parts = path.split('/').slice(1);
  const [noun, key, part, sub, verb] = parts;
  const list = (items) => json(response, { items, next_cursor: null });
  const done = (answer, status = 200) => (change(mock, noun, null), json(response, answer, status));
  const collections = { 'users': mock.users, 'targets': mock.targets, 'monitors': mock.monitors, 'schedules': mock.schedules, 'escalation-policies': mock.policies, 'services': mock.services, 'api-tokens': mock.tokens };
  const items = collections[noun];
  if (method === 'GET' && items && !key) return list(mock.switches.empty && noun !== 'users' ? [] : items);
  switch (`${method} ${noun}${noun === 'oncall' && key ? ` ${key}` : ''}`) {
    case 'GET me':
      return json(response, mock.users[0]);
    case 'GET oncall':
      return json(response, mock.switches.empty ? { items: [], schedules: [] } : { items: onCall(mock.start, mock), schedules: duties(mock), next_cursor: null });
    case 'GET oncall findings':
      return json(response, mock.switches.empty ? { days: 14, items: [] } : findings(mock));
    case 'GET audit':
      return list(mock.switches.empty ? [] : audit(mock.start));
    case 'GET rules':
      return json(response, mock.switches.empty ? { trouble: null, groups: [] } : rules(mock.start));
    case 'GET doctor':
      return json(response, mock.switches.ill ? DOCTOR_ILL : mock.switches.unwatched ? DOCTOR_UNWATCHED : DOCTOR_FINE);
    case 'GET channels':
      return json(response, { email: mock.email, accounts: mock.accounts, further_email: mock.furtherEmail, further_accounts: mock.furtherAccounts });
    case 'PUT channels':
      if (key === 'accounts') return saveAccount(mock, part, Number(sub ?? 1), body, done);
      if (part) return saveFurtherMail(mock, Number(part), body, done);
      mock.email = { place: 1, configured: true, host: body.host, port: body.port, from: body.from, tls: body.tls, username: body.username ?? null, has_password: true, state: 'unknown', detail: null };
      return done(mock.email);
    case 'DELETE channels':
      if (key === 'email') return (mock.furtherEmail = mock.furtherEmail.filter((each) => each.place !== Number(part))), done(undefined, 204);
      if (sub) return (mock.furtherAccounts = mock.furtherAccounts.filter((each) => each.provider !== part || each.place !== Number(sub))), done(undefined, 204);
      Object.assign(mock.accounts.find((each) => each.provider === part), { configured: false, account_id: null, from: null, has_token: false, state: 'unknown', detail: null });
      return done(undefined, 204);
    case 'POST channels':
      return json(response, { notification_id: sendTest(mock, mock.users[0], mock.users[0].contact_methods[0]) }, 202);
    case 'GET notifications':
      if (part === 'explanation') return json(response, explained(mock, key));
      return json(response, testPage(mock.notifications.get(key)));
    default:
  }
  const item = items?.find((each) => each.id === key);
  if (method === 'GET' && item && !part) return json(response, item);
  if (!items || (key && !item)) return undefined;
  if (noun === 'users' && part === 'contact-methods') return methodRoutes(mock, response, method, item, sub, verb, body, done);
  if (noun === 'services' && part === 'simulation') return json(response, simulated(mock, item, url.searchParams));
  if (part === 'notices') return (item.hand_off = method === 'PUT' ? body.hand_off : (item.hand_off ?? true)), json(response, { hand_off: item.hand_off });
  if (part === 'notification-rules') return (item.notification_rules = body.map((rule, index) => ({ id: id(`r${index}`), ...rule }))), done(item);
  if (part === 'mute') return (item.mute = method === 'DELETE' ? null : { until: new Date(Date.now() + body.minutes * 60_000).toISOString() }), done(item);
  if (part === 'maintenance') return (item.maintenance = method === 'DELETE' ? item.maintenance.filter((each) => each.id !== sub) : [...item.maintenance, { id: id(`mw${mock.position}`), ...body }]), done(item, 201);
  if (part === 'password') return json(response, undefined, 204);
  if (method === 'DELETE') return items.splice(items.indexOf(item), 1), done(undefined, 204);
  if (noun === 'escalation-policies' && ('id' in body || 'default' in body)) return problem(response, 400, 'This cannot be set.', ['unknown field']);
  if (method === 'POST') return items.push(newItem(noun, mock, body)), done({ ...items.at(-1), ...(noun === 'api-tokens' && { token: 'QTKN-0123456789ABCDE' }) }, 201);
  return Object.assign(item, body), done(item);
}

function saveFurtherMail(mock, place, body, done) {
  const { password, ...rest } = body;
  const known = mock.furtherEmail.find((each) => each.place === place);
  const server = { username: null, ...rest, place, configured: true, has_password: Boolean(password) || (known?.has_password ?? false), state: 'unknown', detail: null };
  mock.furtherEmail = [...mock.furtherEmail.filter((each) => each !== known), server];
  return done(server);
}

function saveAccount(mock, provider, place, body, done) {
  const all = place > 1 ? mock.furtherAccounts : mock.accounts;
  let account = all.find((each) => each.provider === provider && each.place === place);
  if (!account) all.push((account = { ...mock.accounts.find((each) => each.provider === provider), place, has_token: false, detail: null }));
  const { token, listener_token, ...rest } = body;
  return done(Object.assign(account, rest, { configured: true, has_token: Boolean(token) || account.has_token, has_listener_token: Boolean(listener_token) || account.has_listener_token, state: 'unknown' }));
}

function newItem(noun, mock, body) {
  const base = { id: id(`new${mock.position}`), ...body };
  if (noun === 'users') return { ...base, contact_methods: [], notification_rules: [], on_call: false, reachable: false, reach_problem: 'has no verified contact method' };
  if (noun === 'services') return { ...base, integrations: [] };
  if (noun === 'escalation-policies') return { ...base, default: false };
  if (noun === 'api-tokens') {
    const { owner, ...token } = base;
    const [ada] = mock.users;
    return { expires_at: null, created_at: new Date().toISOString(), last_used_at: null, user_id: owner === 'installation' ? null : ada.id, made_by: { id: ada.id, name: ada.name }, ...token };
  }
  return base;
}

function methodRoutes(mock, response, method, user, key, verb, body, done) {
  const found = user.contact_methods.find((each) => each.id === key);
  if (method === 'POST' && !key) {
    const made = { id: id(`cm${mock.position}`), kind: body.kind, label: body.label, address_hint: `${body.address.slice(0, 1)}…`, verified: false, gone: false, set_up: isSetUp(mock, body.kind), last_result: null };
    user.contact_methods.push(made);
    return done({ ...made, ...(body.kind === 'webhook' && { webhook_secret: 'whsec_0123456789abcdef' }) }, 201);
  }
  if (!found) return undefined;
  if (method === 'DELETE') return (user.contact_methods = user.contact_methods.filter((each) => each !== found)), done(undefined, 204);
  if (verb === 'verify') {
    if (body.code !== CODE) return problem(response, 422, 'This code is not the one that was sent.');
    joinRules(user, found);
    found.verified = true;
    if (found.set_up) Object.assign(user, { reachable: true, reach_problem: null });
    return done(found);
  }
  if (!found.set_up) return problem(response, 409, 'It is not set up here, so no test page was sent; an administrator sets it up under Settings, or by `tocsin channel`');
  return json(response, { notification_id: sendTest(mock, user, found) }, 202);
}

/** Whether the mail server or the account is there that a kind needs. */
function isSetUp(mock, kind) {
  const provider = { sms: 'twilio', voice: 'twilio', telegram: 'telegram', pushover: 'pushover' }[kind];
  if (kind === 'email') return mock.email.configured;
  return provider === undefined || mock.accounts.some((each) => each.provider === provider && each.configured);
}

/** A way joins the rules of whoever wrote none: at once by every verified way. */
function joinRules(user, way) {
  const rules = user.notification_rules;
  const names = (method) => rules.some((rule) => rule.contact_method_id === method.id);
  const areFirst = rules.every((rule) => rule.urgency === 'high' && rule.delay_minutes === 0) && user.contact_methods.every((each) => !each.verified || names(each));
  if (areFirst && !names(way)) rules.push({ id: id(`r${way.id}`), urgency: 'high', delay_minutes: 0, contact_method_id: way.id });
}

function explained(mock, key) {
  const incident = mock.incidents.find((each) => each.pages.some((page) => page.id === key));
  const page = incident.pages.find((each) => each.id === key);
  const steps = [`${page.user.name} was paged at ${page.due_at}: ${page.why || 'level 1 of the policy'}.`, ...incident.explanation.toReversed()];
  return { incident: { id: incident.id, number: incident.number, title: incident.title }, notification: page, steps: steps.map((text) => ({ kind: 'message', at: null, text })) };
}

function sendTest(mock, user, method) {
  const notification = { id: id(`n${mock.notifications.size}`), user, method, at: Date.now() };
  mock.notifications.set(notification.id, notification);
  return notification.id;
}

function testPage({ id: key, user, method, at }) {
  const over = Date.now() - at > TEST_PAGE_MS;
  const when = (ms) => new Date(ms).toISOString();
  if (over) method.last_result = { at: when(at + TEST_PAGE_MS), state: 'delivered', detail: '' };
  return { id: key, user: { id: user.id, name: user.name }, channel: method.kind, label: method.label, level: null, purpose: 'test', state: over ? 'delivered' : 'sending', due_at: when(at), attempts: [{ number: 1, started_at: when(at + 2), finished_at: over ? when(at + TEST_PAGE_MS) : null, outcome: over ? 'accepted' : null, detail: over ? '250 queued' : 'mail.example.org' }], why: '' };
}

async function file(mock, response, path) {
  if (path === '/ui') return redirect(response, '/ui/');
  const name = normalize(decodeURIComponent(path.slice('/ui/'.length))).replace(/^(\.\.[/\\])+/, '');
  const wanted = extname(name) === '' ? 'index.html' : name;
  try {
    const content = await readFile(join(DIST, wanted));
    const worker = wanted.startsWith('assets/worker-') && extname(wanted) === '.js';
    return send(response, 200, TYPES[extname(wanted)] ?? 'application/octet-stream', worker ? mock.first + content : content);
  } catch {
    return problem(response, 404, 'There is no such file.');
  }
}

function json(response, value, status = 200) {
  return send(response, status, 'application/json', value === undefined ? '' : JSON.stringify(value));
}

function problem(response, status, detail, errors) {
  return send(response, status, 'application/problem+json', JSON.stringify({ type: 'about:blank', title: detail, status, detail, errors }));
}

function redirect(response, to) {
  response.setHeader('Location', to);
  return send(response, 302, 'text/plain', '');
}

function send(response, status, type, content) {
  response.writeHead(status, { 'Content-Type': type, 'Content-Security-Policy': CSP, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' });
  response.end(status === 204 ? undefined : content);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock({ port: Number(process.env.PORT ?? 8701), story: true });
  console.log(`The stand-in is ready at ${url}/ui/login?token=${LOGIN_TOKEN}`);
}
