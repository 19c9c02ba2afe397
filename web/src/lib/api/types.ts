// The nouns of the native API as the browser sees them; it must not know how they are fetched or shown.
// Swapped for the types generated from openapi.json (`npm run generate`) without touching a screen.

export * from './intake-types.ts';
export * from './oncall-types.ts';

import type { RuleHit } from './intake-types.ts';

/** An RFC 3339 instant in UTC with milliseconds. */
export type Instant = string;

export interface Named {
  id: string;
  name: string;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Role = 'viewer' | 'responder' | 'admin';
export type Urgency = 'high' | 'low';
export type Severity = 'critical' | 'error' | 'warning' | 'info';
export type IncidentStatus = 'triggered' | 'acknowledged' | 'resolved';

export interface Session {
  user: { id: string; name: string; role: Role; email: string };
  csrf_token: string;
  setup_needed: boolean;
  has_password: boolean;
}

export interface IncidentSummary {
  id: string;
  number: number;
  title: string;
  status: IncidentStatus;
  urgency: Urgency;
  severity: Severity;
  service: Named;
  target: Named | null;
  opened_at: Instant;
  onset_at: Instant | null;
  onset_uncertainty_ms: number | null;
  paged_at: Instant | null;
  acknowledged_at: Instant | null;
  acknowledged_by: Named | null;
  /** When the acknowledgement ends by itself, by a snooze or by the policy. */
  acknowledgement_ends_at: Instant | null;
  snoozed_until: Instant | null;
  /** The people a person gave it to. */
  assigned_to: Named[];
  /** A name of the installation's list. */
  priority: string | null;
  /** The number of the incident it ended in. */
  merged_into: number | null;
  recovered_at: Instant | null;
  resolved_at: Instant | null;
  hold: { until: Instant; why: string } | null;
  suppressed: string | null;
  alert_count: number;
  relapses: number;
  postmortem_ready: boolean;
}

export interface Alert {
  id: string;
  title: string;
  severity: Severity;
  status: 'firing' | 'recovered';
  monitor: Named | null;
  opened_at: Instant;
  recovered_at: Instant | null;
  summary: string;
  evidence: { series: string; at: Instant; value: number | null }[];
  /** What else its sender said; only ever shown as text. */
  details: { name: string; value: string }[];
  source: 'monitor' | 'events_v2' | 'api' | 'rule' | 'heartbeat' | 'alertmanager';
  repeats: number;
  urgency: Urgency;
  priority: string | null;
  /** Why nobody is paged for it, if a rule says so. */
  suppressed: string | null;
  /** The rules that held for it, in order. */
  rules: RuleHit[];
}

export type PageState = 'planned' | 'together' | 'sending' | 'retrying' | 'delivered' | 'failed' | 'cancelled';

export interface Attempt {
  number: number;
  started_at: Instant;
  finished_at: Instant | null;
  outcome: null | 'accepted' | 'failed' | 'refused' | 'timed_out' | 'unanswered';
  /** Nothing was sent, so that nothing failed. */
  not_sent: boolean;
  detail: string;
  /** What the provider said later about the message it took. */
  receipt?: null | { state: 'unknown' | 'delivered' | 'read' | 'failed'; at: Instant; detail: string };
  /** By which account it went, where its channel may have several: its place, from 1, and its host. */
  via?: null | { place: number; name: string };
}

/** What a message is for. */
export type Purpose = 'page' | 'notice' | 'request' | 'resolved' | 'acknowledged' | 'test' | 'word';

/** One notification to one contact method of one person. */
export interface Notification {
  id: string;
  user: Named;
  channel: ChannelKind;
  label: string;
  /** From 1; null where it belongs to no level, as a page to whom it was given and a test page do. */
  level: number | null;
  purpose: Purpose;
  state: PageState;
  due_at: Instant;
  attempts: Attempt[];
  why: string;
}

/** Why a notification was sent, from the message back to the sample. */
export interface Explanation {
  steps: { kind: string; at: Instant | null; text: string }[];
}

export interface Paging {
  policy: Named | null;
  /** From 1; 0 when no level was reached. */
  level: number;
  loop: number;
  next_escalation_at: Instant | null;
  exhausted: boolean;
  recipients: Named[];
  /** Who acknowledged for their part, where each must. */
  acknowledged_by: Named[];
}

/** Somebody who was asked to help. */
export interface Responder {
  user: Named;
  message: string;
  asked_at: Instant;
  answer: 'pending' | 'accepted' | 'declined';
  answered_at: Instant | null;
}

/** How a bulk action went with one incident; null is well. */
export interface BulkResult {
  incident: string;
  problem: string | null;
}

export interface Estimate {
  low: number;
  high: number;
}

export interface TierImpact {
  tier: string;
  requests_failed: number;
  requests_total: number;
  users_failed: number;
  expected_requests: Estimate | null;
  expected_users: Estimate | null;
}

export interface Impact {
  since: Instant;
  until: Instant | null;
  requests_failed: number;
  requests_total: number;
  by_tier: TierImpact[];
  /** Requests that were to be expected while nothing was logged. */
  expected: Estimate | null;
  /** How that was estimated, or why it was not. */
  method: string;
}

export interface Change {
  at: Instant;
  title: string;
  detail: string;
}

export interface LogLine {
  at: Instant;
  log: 'access' | 'error';
  text: string;
}

export interface ChartSeries {
  name: string;
  unit: string;
  /** Pairs of milliseconds since 1970 and the value, or null where nothing was measured. */
  points: [number, number | null][];
}

export interface ChartData {
  series: ChartSeries[];
  marks: { at: Instant; label: string }[];
}

export interface IncidentDetail extends IncidentSummary {
  alerts: Alert[];
  pages: Notification[];
  paging: Paging;
  impact: Impact | null;
  changes: Change[];
  log_lines: LogLine[];
  chart: ChartData;
  runbook_url: string | null;
  /** First steps, in words. */
  runbook: string | null;
  explanation: string[];
  /** Numbers of the incidents that were merged into it. */
  merged: number[];
  responders: Responder[];
}

export interface TimelineEntry {
  position: number;
  at: Instant;
  recorded_at: Instant;
  kind: string;
  title: string;
  detail: string;
  actor: { kind: 'person' | 'system' | 'integration'; name: string };
  level: 'info' | 'good' | 'bad' | 'person';
}

export type ChannelKind = 'email' | 'webhook' | 'ntfy' | 'slack' | 'telegram' | 'pushover' | 'sms' | 'voice' | 'web_push' | 'pagerduty';

export interface ContactMethod {
  id: string;
  kind: ChannelKind;
  label: string;
  address_hint: string;
  verified: boolean;
  /** Whether its address is gone for ever: nothing is sent there any more, and it cannot be verified again. */
  gone: boolean;
  /** Whether the mail server or account that its address needs is there; without that nothing can be sent by it. */
  set_up: boolean;
  last_result: null | { at: Instant; state: PageState; detail: string };
}

export interface RuleInput {
  urgency: Urgency;
  delay_minutes: number;
  contact_method_id: string;
}

export interface NotificationRule extends RuleInput {
  id: string;
}

export interface User {
  id: string;
  name: string;
  role: Role;
  email: string;
  contact_methods: ContactMethod[];
  notification_rules: NotificationRule[];
  on_call: boolean;
  reachable: boolean;
  /** Why no page would reach them, as it is said after their name. */
  reach_problem: string | null;
}

/** Its routing key is shown once, when it is made. */
/** How a foreign system speaks to a service. */
export type IntegrationKind = 'events_v2' | 'alertmanager' | 'grafana' | 'opsgenie' | 'webhook' | 'email';

/** A way by which another program raises alerts on a service; its key is not kept. */
export interface Integration extends Named {
  kind: IntegrationKind;
}

export interface Service {
  id: string;
  name: string;
  /** Null for the policy of the installation. */
  escalation_policy_id: string | null;
  integrations: Integration[];
}

export interface Target {
  id: string;
  name: string;
  kind: 'apache';
  state: 'healthy' | 'failing' | 'unknown';
  config_path: string;
  listen: string[];
  found_at: Instant;
  mute: { until: Instant } | null;
  maintenance: { id: string; from: Instant; until: Instant; reason: string }[];
  /** `paste`: where something goes (words without a full stop) and exactly what. */
  status_page: { ok: boolean; reason: string | null; paste: { how: string; snippet: string } | null };
  last_seen_at: Instant | null;
  service: Named;
  metrics: {
    workers_busy: number | null;
    workers_max: number | null;
    requests_per_second: number | null;
    queue: number | null;
  };
}

export interface Monitor {
  id: string;
  name: string;
  severity: Severity;
  expr: string;
  recovery: string;
  enabled: boolean;
  pack: string | null;
  description: string;
  firing: { target: Named }[];
}

export type RuleStanding = 'failing' | 'firing' | 'pending' | 'quiet' | 'unknown';

export interface RuleAlert {
  firing: boolean;
  labels: string;
  summary: string | null;
  active_at: Instant | null;
  value: number | null;
}

export interface FileRule {
  name: string;
  kind: 'alert' | 'record';
  expr: string;
  standing: RuleStanding;
  severity: string | null;
  for_ms: number;
  error: string | null;
  evaluated_at: Instant | null;
  evaluation_us: number;
  pending: number;
  firing: number;
  alerts: RuleAlert[];
}

export interface RuleGroup {
  name: string;
  file: string;
  interval_ms: number;
  evaluated_at: Instant | null;
  rules: FileRule[];
}

export interface RuleList {
  trouble: string | null;
  groups: RuleGroup[];
}

/** Whose a new token is to be. */
export type TokenOwner = 'me' | 'installation';

/** A part of what Tocsin does, to which a token may be kept. */
export type TokenScope = 'alerts' | 'incidents' | 'roster' | 'settings' | 'telemetry';

export interface ApiToken {
  id: string;
  name: string;
  role: Role;
  /** What it may do that in; null for everything. */
  scopes?: TokenScope[] | null;
  /** Whose it is; null for one of the installation. */
  user_id: string | null;
  made_by: Named | null;
  created_at: Instant;
  expires_at: Instant | null;
  last_used_at: Instant | null;
}

/** Something that was changed, as the journal tells it. */
export interface AuditRecord {
  position: number;
  at: Instant;
  actor: { kind: 'person' | 'token' | 'integration' | 'system'; id: string | null; token_id: string | null; name: string };
  action: 'created' | 'updated' | 'removed';
  object: { kind: string; id: string | null; name: string | null };
  kind: string;
  title: string;
  detail: string;
}

export type MailTls = 'none' | 'starttls' | 'tls';

export interface EmailChannel {
  /** From 1: each takes over where those before it fail. Missing where the server knows one only. */
  place?: number;
  configured: boolean;
  host: string | null;
  port: number | null;
  from: string | null;
  tls: MailTls | null;
  username: string | null;
  has_password: boolean;
  state: 'ok' | 'failing' | 'unknown';
  detail: string | null;
}

export type ProviderName = 'twilio' | 'telegram' | 'pushover' | 'slack' | 'web_push' | 'pagerduty';

/** An account at a provider; its tokens are never shown. */
export interface ProviderAccount {
  provider: ProviderName;
  /** From 1: each takes over where those before it fail. Missing where the server knows one only. */
  place?: number;
  configured: boolean;
  base_url: string | null;
  account_id: string | null;
  from: string | null;
  has_token: boolean;
  has_listener_token: boolean;
  public_key: string | null;
  state: 'ok' | 'failing' | 'unknown';
  detail: string | null;
  /** Whether the buttons in its messages are heard; null while nobody listens. Missing where the server does not tell. */
  buttons?: Buttons | null;
}

/** Whether the buttons in messages are heard: where they are not, messages carry a link instead. */
export interface Buttons {
  heard: boolean;
  since: Instant;
  /** Why they are not. */
  detail: string | null;
}

export interface AccountInput {
  base_url?: string;
  account_id?: string;
  from?: string;
  token?: string;
  listener_token?: string;
}

export interface Channels {
  email: EmailChannel;
  /** Missing where the server knows no providers yet. */
  accounts?: ProviderAccount[];
  /** Those that take over, as far as they are set up. Missing where the server knows none. */
  further_email?: EmailChannel[];
  further_accounts?: ProviderAccount[];
}

export interface MailInput {
  host: string;
  port: number;
  from: string;
  tls: MailTls;
  username?: string;
  password?: string;
}

export interface Check {
  name: string;
  state: 'ok' | 'warn' | 'fail';
  detail: string;
  fix: string | null;
  /** Exactly what to paste, where `fix` says to paste something. */
  snippet: string | null;
}

export interface Doctor {
  able_to_page: boolean;
  checks: Check[];
}

/** What the live stream says: something changed, ask for it again. */
export interface StreamChange {
  position: number;
  kind: string;
  incident_id: string | null;
  target_id: string | null;
}
