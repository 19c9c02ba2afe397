// The stand-in's integrations of services, their mappings tried on samples, and the list of last resort. It reads a mapping only as far as the screens need.
import { HOSTILE, id } from './fixtures.mjs';

const KEY = 'R0123456789ABCDEFGHIJKLMNOPQRSTU';
const URL_OF_ALL = 'https://tocsin.example.org';
const NO_TITLE = 'title: is needed: a template of the line that people read';
const PRESETS = [
  { preset: 'grafana', mapping: { each: '$.alerts[*]', action: { from: '{{ .status }}', map: { firing: 'trigger', resolved: 'resolve' }, default: 'trigger' }, dedup_key: '{{ .fingerprint }}', title: '{{ .annotations.summary }}', severity: { from: '{{ .labels.severity }}', map: { p3: 'warning' }, default: 'critical' }, details_from: ['.labels'] } },
  { preset: 'opsgenie', mapping: { dedup_key: '{{ .alias }}', title: '{{ .message }}', severity: { from: '{{ .priority }}', map: { P1: 'critical', P2: 'critical', P4: 'warning', P5: 'info' }, default: 'error' } } },
  { preset: 'email', mapping: { dedup_key: '{{ .key }}', title: '{{ .title }}', summary: '{{ .text }}', severity: 'error' } },
];

/** The made-up part of the world that this file answers for; services carry their integrations. */
export function integrationWorld({ services, users }) {
  const detail = (key, name, kind, over) => ({ id: id(key), name, kind, service_id: services[1].id, mapping: null, service_label: null, ...over });
  const details = [
    detail('int1', 'Checkout probe', 'events_v2'),
    detail('int2', 'Prometheus of the shop', 'alertmanager', { service_label: 'team' }),
    detail('int3', `Storage ${HOSTILE}`, 'webhook', { mapping: { title: '{{ .title }}', dedup_key: '{{ .id }}' } }),
  ];
  services[1].integrations = details.map(shown);
  return { integrations: new Map(details.map((each) => [each.id, each])), fallback: [users[0], users[2]].map(named) };
}

const named = ({ id: of, name }) => ({ id: of, name });
const shown = ({ id: of, name, kind }) => ({ id: of, name, kind });

/** Answers for these routes: `{ status, body, change }` or `{ status, problem }`; undefined for another route. */
export function integrationRoutes(mock, method, path, body) {
  const [, noun, key, part, sub] = path.split('/');
  if (noun === 'fallback') return fallbackOf(mock, method, body);
  if (noun === 'intake' && key === 'presets') return { body: { presets: PRESETS } };
  if (noun === 'intake' && key === 'dry-run') return tried(mock, body);
  if (noun === 'services' && part === 'integrations') return integrationOf(mock, method, key, sub, body);
  return undefined;
}

const refused = (problem, status = 400) => ({ status, problem, errors: status === 400 ? [problem] : [] });

function fallbackOf(mock, method, { users }) {
  if (method === 'GET') return { body: { users: mock.switches.empty ? [] : mock.fallback } };
  if (users.length === 0 || users.length > 50) return refused('users: the list of last resort holds 1 to 50 people');
  const found = users.map((each) => mock.users.find((user) => user.id === each));
  if (found.includes(undefined)) return refused(`There is no person ${users[found.indexOf(undefined)]}.`, 404);
  mock.fallback = found.map(named);
  return { body: { users: mock.fallback }, change: 'fallback_set' };
}

function integrationOf(mock, method, of, key, body) {
  const service = mock.services.find((each) => each.id === of);
  const known = mock.integrations.get(key);
  if (!service || (key && known?.service_id !== of)) return refused(`There is no integration ${key} of service ${of}.`, 404);
  if (method === 'GET') return { body: known };
  if (method === 'DELETE') return (mock.integrations.delete(key), keep(mock, service), { status: 204, change: 'integration_removed' });
  const kind = known?.kind ?? body.kind ?? 'events_v2';
  if (kind === 'webhook' && !body.mapping) return refused('mapping: needed for a webhook; GET /api/tocsin/v1/intake/presets shows some');
  if (body.mapping && !body.mapping.title) return refused(NO_TITLE);
  if (kind === 'email' && mock.switches.no_mail) return refused('this server takes no mail: set [mail_intake] in tocsin.toml and start it again', 409);
  const made = { id: known?.id ?? id(`in${mock.position}`), name: body.name, kind, service_id: of, mapping: body.mapping ?? null, service_label: body.service_label ?? null };
  mock.integrations.set(made.id, made);
  keep(mock, service);
  if (known) return { body: made, change: 'integration_changed' };
  return { status: 201, body: { ...shown(made), ...address(kind) }, change: 'integration_added' };
}

function keep(mock, service) {
  service.integrations = [...mock.integrations.values()].filter((each) => each.service_id === service.id).map(shown);
}

function address(kind) {
  const key = kind === 'email' ? KEY.toLowerCase() : KEY;
  const at = { events_v2: `${URL_OF_ALL}/v2/enqueue`, webhook: `${URL_OF_ALL}/intake/${key}`, grafana: `${URL_OF_ALL}/intake/${key}`, opsgenie: URL_OF_ALL, alertmanager: `${URL_OF_ALL}/alertmanager`, email: `${key}@alerts.example.org` };
  return { routing_key: key, address: at[kind] };
}

function tried(mock, { mapping, preset, integration_id, body, mail }) {
  const known = mock.integrations.get(integration_id);
  const by = mapping ?? known?.mapping ?? PRESETS.find((each) => each.preset === (preset ?? known?.kind))?.mapping;
  if (!by?.title) return refused(NO_TITLE);
  const sample = mail === undefined ? body : mailOf(mail);
  const things = by.each ? sample.alerts ?? [] : [sample];
  return { body: { alerts: things.map((thing) => mapped(by, thing)), ignored: 0 } };
}

function mailOf(mail) {
  const [head, ...text] = mail.split('\r\n\r\n');
  const subject = /^Subject: (.*)$/im.exec(head)?.[1] ?? '';
  return { subject, title: subject, key: subject.replace(/^[A-Z]+: /, '').toLowerCase(), text: text.join('\n') };
}

function mapped(by, thing) {
  const filled = (template) => String(template ?? '').replace(/\{\{ \.([\w.]+) \}\}/g, (_, path) => path.split('.').reduce((value, name) => value?.[name], thing) ?? '');
  const chosen = (choice, otherwise) => (typeof choice === 'object' ? (choice.map[filled(choice.from)] ?? (choice.default || otherwise)) : choice || otherwise);
  const title = filled(by.title);
  return { action: chosen(by.action, 'trigger'), dedup_key: filled(by.dedup_key) || title, severity: chosen(by.severity, 'critical'), title, summary: filled(by.summary), details: (by.details_from ?? []).flatMap((path) => Object.entries(thing[path.slice(1)] ?? {}).map(([name, value]) => ({ name, value }))), at: null, notes: title === '' ? ['the title is empty'] : [] };
}
