// The kinds of integrations: what each is for, and what is pasted where, ready with its key. Pure.
import type { IntegrationKind, MadeIntegration } from '../../lib/api/index.ts';

export interface KindWords {
  title: string;
  /** What speaks so. */
  what: string;
  /** A name that one may have. */
  example: string;
}

/** In the order in which they are offered. */
export const KINDS: Record<IntegrationKind, KindWords> = {
  events_v2: { title: 'Events API v2', what: 'PagerDuty’s own: scripts, and most tools that can page.', example: 'Backup job' },
  alertmanager: { title: 'Prometheus', what: 'Sends its alerts here in place of an Alertmanager; so do Thanos, Mimir and Loki.', example: 'Prometheus of the shop' },
  grafana: { title: 'Grafana', what: 'A contact point of the type Webhook, or a webhook of Alertmanager.', example: 'Grafana' },
  opsgenie: { title: 'Opsgenie', what: 'Whatever can make and close alerts at Opsgenie.', example: 'Deploy bot' },
  email: { title: 'Mail', what: 'An address for what can only send mails.', example: 'Mails of the storage' },
  webhook: { title: 'JSON of any shape', what: 'By a mapping that you write and try out here.', example: 'Own checks' },
};

export const KIND_NAMES = Object.keys(KINDS) as IntegrationKind[];

/** Which of them read what comes by a mapping, so that a sample can be tried. */
export const hasMapping = (kind: IntegrationKind): boolean => kind !== 'events_v2' && kind !== 'alertmanager';

/** Which of them may bring a mapping of their own. */
export const takesMapping = (kind: IntegrationKind): boolean => kind === 'webhook' || kind === 'email';

/** Something to copy. */
export interface Line {
  label: string;
  text: string;
}

/** What a sender is given, the most needed first, and what to know about it. */
export interface Paste {
  lines: Line[];
  note: string;
}

const TEST = 'A test from a shell: an info, which pages nobody unless the service says so';

export function pasteOf(made: Pick<MadeIntegration, 'kind' | 'routing_key' | 'address'>, sample?: string): Paste {
  const { kind, routing_key: key, address } = made;
  switch (kind) {
    case 'events_v2':
      return {
        lines: [{ label: 'Address', text: address }, { label: TEST, text: post(address, null, { routing_key: key, event_action: 'trigger', dedup_key: 'test', payload: { summary: 'A test', source: 'shell', severity: 'info' } }) }],
        note: 'Where a tool asks for PagerDuty’s address, give it this one; it asks for the key as a routing key or integration key.',
      };
    case 'alertmanager':
      return {
        lines: [{ label: 'Into prometheus.yml', text: prometheus(address, key) }, { label: TEST, text: post(`${address}/api/v2/alerts`, `Bearer ${key}`, [{ labels: { alertname: 'Test', severity: 'info' } }]) }],
        note: 'Two replicas open one incident when alert_relabel_configs drop the label that tells them apart.',
      };
    case 'grafana':
      return {
        lines: [{ label: 'URL of the contact point, which holds the key', text: address }, { label: 'Or into a file of Grafana’s provisioning, with the key in a header', text: contactPoint(intake(address, key), key) }, { label: TEST, text: post(intake(address, key), `Bearer ${key}`, GRAFANA_TEST) }],
        note: 'An alert without the label severity is critical and pages; so does the Test button of Grafana.',
      };
    case 'opsgenie':
      return {
        lines: [{ label: 'API address', text: address }, { label: TEST, text: post(`${address}/v2/alerts`, `GenieKey ${key}`, { message: 'A test', alias: 'test', priority: 'P5' }) }],
        note: 'The key is the API key. Alerts are closed by their alias; P1 to P3 page.',
      };
    case 'email':
      return {
        lines: [{ label: 'Address', text: address }, { label: 'A test from a shell, which pages', text: `echo 'Since 10:00.' | mail -s 'Disk full' ${quoted(address)}` }, { label: 'It is over', text: `echo 'Since 10:20.' | mail -s 'RESOLVED Disk full' ${quoted(address)}` }],
        note: 'A mail is an error, and critical when it is marked as important. Whoever knows the address can raise alerts.',
      };
    case 'webhook':
      return {
        lines: [{ label: 'Address, which holds the key', text: address }, { label: 'Or with the key in a header; it pages where the mapping says so', text: post(intake(address, key), `Bearer ${key}`, sample ?? '{}') }],
        note: 'Addresses end up in logs: a sender that can set a header does better with it.',
      };
  }
}

/** The address without the key, for senders that put it into a header. */
function intake(address: string, key: string): string {
  return address.endsWith(`/${key}`) ? address.slice(0, -key.length - 1) : address;
}

/** One argument of a shell, whatever is in it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function post(url: string, authorization: string | null, body: unknown): string {
  const json = typeof body === 'string' ? body : JSON.stringify(body);
  const header = authorization === null ? '' : ` -H ${quoted(`Authorization: ${authorization}`)}`;
  return `curl -sS ${quoted(url)}${header} -H 'Content-Type: application/json' -d ${quoted(json)}`;
}

/** A text of YAML in quotes, so that no key is read as a number. */
const text = (value: string): string => JSON.stringify(value);

function prometheus(address: string, key: string): string {
  const { protocol, host, pathname } = new URL(address);
  return [
    'alerting:',
    '  alertmanagers:',
    `    - scheme: ${protocol.replace(':', '')}`,
    `      path_prefix: ${text(pathname)}`,
    '      static_configs:',
    `        - targets: [${text(host)}]`,
    '      authorization:',
    `        credentials: ${text(key)}`,
  ].join('\n');
}

function contactPoint(url: string, key: string): string {
  return [
    'apiVersion: 1',
    'contactPoints:',
    '  - orgId: 1',
    '    name: Tocsin',
    '    receivers:',
    '      - uid: tocsin',
    '        type: webhook',
    '        settings:',
    `          url: ${text(url)}`,
    '          authorization_scheme: Bearer',
    `          authorization_credentials: ${text(key)}`,
  ].join('\n');
}

const GRAFANA_TEST = { alerts: [{ status: 'firing', fingerprint: 'test', labels: { alertname: 'Test', severity: 'info' }, annotations: { summary: 'A test' } }] };
