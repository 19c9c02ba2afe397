// The nouns of what becomes of an alert before it pages, as the browser sees them; it must not know how they are fetched or shown.
import type { Weekday } from './oncall-types.ts';
import type { Instant, Integration, IntegrationKind, Named, Severity, Urgency } from './types.ts';

/** A rule that held for an alert, and each thing it did in words. */
export interface RuleHit {
  rule_id: string;
  name: string;
  did: string[];
}

/** Hours of some days; every day when none is named. They end on the next day unless `until` is later. */
export interface DayHours {
  days: Weekday[];
  from: string;
  until: string;
}

/** Recurring hours by the clocks of a zone. */
export interface Hours {
  time_zone: string;
  windows: DayHours[];
}

export type Operator = 'equals' | 'contains' | 'starts_with' | 'matches' | 'exists';

/** Exactly one of `all`, `any`, `not`, `hours`, or `field` with `op`; nothing at all holds always. */
export interface Condition {
  all?: Condition[];
  any?: Condition[];
  not?: Condition;
  hours?: Hours;
  field?: string;
  op?: Operator;
  text?: string;
}

export type RuleAction =
  | { do: 'route'; service_id: string }
  | { do: 'set_severity'; severity: Severity }
  | { do: 'set_priority'; priority: string }
  | { do: 'suppress' }
  | { do: 'pause'; seconds: number }
  | { do: 'drop' }
  | { do: 'note'; text: string };

export interface AlertRuleInput {
  /** That of a known rule, to keep it the same rule. */
  id?: string;
  name: string;
  when: Condition;
  then: RuleAction[];
  /** Whether the rules after it are looked at too. */
  go_on: boolean;
}

export interface AlertRule extends AlertRuleInput {
  id: string;
  /** How many alerts it has thrown away. */
  dropped: number;
}

/** An alert that is not raised. */
export interface TrialAlert {
  summary: string;
  severity: Severity;
  service_id?: string;
  integration_id?: string;
  source?: string;
  details?: Record<string, string>;
}

/** What would become of it. */
export interface Trial {
  rules: RuleHit[];
  service: Named;
  severity: Severity;
  urgency: Urgency;
  urgency_why: string | null;
  priority: string | null;
  dropped: boolean;
  pause_seconds: number | null;
  quiet_until: Instant | null;
  notes: string[];
  incident_id: string | null;
  /** All of it in one sentence. */
  outcome: string;
}

export type Loudness = 'high' | 'low' | 'severity';

export type UrgencyBy =
  | { by: 'severity' }
  | { by: 'high' }
  | { by: 'low' }
  | { by: 'support_hours'; during: Loudness; outside: Loudness; raise?: boolean; hours: Hours };

export type Grouping = { by: 'nothing' } | { by: 'time'; minutes: number; rolling?: boolean } | { by: 'content'; fields: string[] };

/** How a service takes its alerts in. */
export interface Intake {
  urgency: UrgencyBy;
  grouping: Grouping;
  /** Minutes without news after which an alert from outside is over; null is never. */
  resolve_after_minutes: number | null;
}

/** Work that comes again at the same civil time. */
export interface Repeat {
  time_zone: string;
  /** When the first begins by the clocks there: `2026-12-05T22:00`. */
  first: string;
  minutes: number;
  every: number;
  unit: 'days' | 'weeks';
  /** None begins from then on. */
  until: Instant | null;
}

export type MatcherOperator = '=' | '!=' | '=~' | '!~';

/** A condition on a label of an alert; a label that is missing counts as empty. */
export interface Matcher {
  name: string;
  operator: MatcherOperator;
  value: string;
}

export interface MaintenanceWindow {
  id: string;
  reason: string;
  services: Named[];
  targets: Named[];
  active: boolean;
  /** Of the work that is under way, else of the next; null when none is left. */
  from: Instant | null;
  until: Instant | null;
  repeat: Repeat | null;
  /** Conditions on labels; an alert is covered when each holds. */
  matchers: Matcher[];
  /** Who made it: by their own account, when it came by Alertmanager's API, else the person's name. */
  created_by: string | null;
}

export interface WindowInput {
  reason: string;
  service_ids: string[];
  target_ids: string[];
  from?: Instant;
  until?: Instant;
  repeat?: Repeat;
  /** Each must hold for an alert that is covered. */
  matchers: Matcher[];
}

/** How JSON becomes alerts, as it is written; the server reads it, this side only carries it. */
export type Mapping = Record<string, unknown>;

export interface IntegrationInput {
  name: string;
  kind: IntegrationKind;
  mapping?: Mapping;
  /** The label by which an alert of a Prometheus names its service. */
  service_label?: string;
}

/** As it shall be: its kind and its key stay. */
export type IntegrationChange = Omit<IntegrationInput, 'kind'>;

export interface MadeIntegration extends Integration {
  /** Shown once. */
  routing_key: string;
  /** Where its sender is pointed to; it may hold the key. */
  address: string;
}

export interface IntegrationDetail extends Integration {
  service_id: string;
  mapping: Mapping | null;
  service_label: string | null;
}

export type PresetName = 'grafana' | 'opsgenie' | 'email';

export interface Preset {
  preset: PresetName;
  mapping: Mapping;
}

/** A sample and how it is read: by a mapping, or by that of an integration. */
export interface SampleInput {
  mapping?: Mapping;
  preset?: PresetName;
  integration_id?: string;
  body?: unknown;
  mail?: string;
}

export interface MappedAlert {
  action: string;
  /** Empty for one that gets a key of its own. */
  dedup_key: string;
  severity: Severity;
  title: string;
  summary: string;
  details: { name: string; value: string }[];
  at: Instant | null;
  /** What was left out or assumed. */
  notes: string[];
}

export interface MappedSample {
  alerts: MappedAlert[];
  ignored: number;
}

export interface HeartbeatInput {
  name: string;
  service_id?: string;
  every_seconds: number;
  grace_seconds: number;
  severity: Severity;
}

/** A job that must call in. */
export interface Heartbeat {
  id: string;
  name: string;
  service: Named;
  every_seconds: number;
  grace_seconds: number;
  severity: Severity;
  status: 'new' | 'up' | 'down';
  last_call_at: Instant | null;
  /** When it said that it begins, if it has not called since. */
  started_at: Instant | null;
  /** When it last said that it failed. */
  failed_at: Instant | null;
  /** When an alert is raised unless it calls; null when it never called, or fails. */
  missed_at: Instant | null;
}
