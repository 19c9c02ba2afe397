// The nouns of schedules and escalation as the browser sees them; it must not know how they are fetched or shown.
import type { ChannelKind, Instant, Named, Urgency } from './types.ts';

export interface OnCallEntry {
  policy: Named;
  level: number;
  via: { kind: 'schedule' | 'user' | 'team'; id: string; name: string };
  user: Named | null;
  until: Instant | null;
  problem: string | null;
}

/** Who is paged when nobody else is left: all of them at once. */
export interface Fallback {
  users: Named[];
}

/** Who is on call in one schedule, and who takes over when. */
export interface ScheduleDuty {
  schedule: Named;
  time_zone: string;
  now: Shift | null;
  /** When they took over, maybe some turns ago; null when that is long ago. */
  since: Instant | null;
  /** When another person, or nobody, takes over; null when that is far away. */
  until: Instant | null;
  next: Shift | null;
}

export interface OnCall {
  items: OnCallEntry[];
  schedules: ScheduleDuty[];
}

/** What puts somebody on call: a layer by its place from 0, anything else by its id. */
export interface Reason {
  kind: 'layer' | 'temporary' | 'swap' | 'override';
  layer: number | null;
  id: string | null;
}

export interface Shift {
  from: Instant;
  /** The first instant after it. */
  until: Instant;
  user: Named;
  reason: Reason;
}

export interface OwnShift extends Shift {
  schedule: Named;
}

export interface OwnShifts {
  user: Named;
  since: Instant;
  until: Instant;
  items: OwnShift[];
}

/** A part of a rendered span: a shift, or a gap. */
export interface RotaEntry {
  from: Instant;
  until: Instant;
  gap: boolean;
  user: Named | null;
  reason: Reason | null;
}

export interface Rendered {
  name: string;
  time_zone: string;
  since: Instant;
  until: Instant;
  gap_seconds: number;
  final: RotaEntry[];
  layers: { layer: number; entries: RotaEntry[] }[];
}

/** Where an unsaved schedule would put somebody else on call; null is nobody. */
export interface RotaChange {
  from: Instant;
  until: Instant;
  before: Named | null;
  after: Named | null;
}

export interface Preview extends Rendered {
  changes: RotaChange[];
}

/** What will keep a page from somebody in the days ahead, unless it is repaired. */
export interface Finding {
  /** The same as long as it is the same trouble. */
  key: string;
  kind: 'gap' | 'empty_schedule' | 'unreachable' | 'late' | 'empty_level' | 'last_resort';
  text: string;
  since: Instant;
  until: Instant | null;
  times: number;
  schedule: Named | null;
  user: Named | null;
  policy: Named | null;
  level: number | null;
}

export interface Findings {
  items: Finding[];
  days: number;
}

export type TurnUnit = 'hours' | 'days' | 'weeks';

export interface Turn {
  every: number;
  unit: TurnUnit;
}

export type Weekday = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';

export interface WeekTime {
  weekday: Weekday;
  time: string;
}

/** A recurring window of civil time; it ends on the next day, or in the next week, unless `until` is later than `from`. */
export type Restriction = { kind: 'daily'; from: string; until: string } | { kind: 'weekly'; from: WeekTime; until: WeekTime };

export interface Layer {
  start: Instant;
  until: Instant | null;
  /** Null for the schedule's own zone. */
  time_zone: string | null;
  /** A civil time without offset at which the first member takes over; null for that of `start`. */
  hand_off: string | null;
  turn: Turn;
  members: string[];
  restrictions: Restriction[];
}

export interface ScheduleInput {
  name: string;
  time_zone: string;
  layers: Layer[];
}

export interface OverrideInput {
  user_id: string;
  /** From now on when missing. */
  from?: Instant;
  until: Instant;
}

export interface Override {
  id: string;
  user: Named;
  from: Instant;
  until: Instant;
}

export interface TemporaryInput {
  from: Instant;
  until: Instant;
  members: string[];
  /** Null: the first member has all of it. */
  turn: Turn | null;
}

export interface Temporary {
  id: string;
  from: Instant;
  until: Instant;
  members: Named[];
  turn: Turn | null;
}

export interface SwapSideInput {
  user_id: string;
  from: Instant;
  until: Instant;
}

export interface SwapInput {
  one: SwapSideInput;
  other: SwapSideInput;
}

export interface SwapSide {
  user: Named;
  from: Instant;
  until: Instant;
}

export interface Swap {
  id: string;
  state: 'offered' | 'agreed' | 'void';
  one: SwapSide;
  other: SwapSide;
  offered_by: Named | null;
  /** Who has to answer, while it is offered. */
  awaits: Named | null;
  offered_at: Instant | null;
}

/** What was changed by hand is listed until it is over. */
export interface Schedule extends ScheduleInput {
  id: string;
  /** The team that it was given to; null is none. */
  team_id?: string | null;
  overrides: Override[];
  temporary: Temporary[];
  swaps: Swap[];
  people: Named[];
  on_call_now: Named | null;
  next_handoff_at: Instant | null;
  next: Shift | null;
}

/** A private link for calendar programs; its `url` is shown once, when it is made. */
export interface CalendarLink {
  id: string;
  /** Null: all schedules. */
  schedule: Named | null;
  only_own: boolean;
  made_at: Instant;
}

export interface PolicyLevel {
  delay_minutes: number;
  /** Page one of the targets each time an incident reaches the level, in turn. */
  round_robin?: boolean;
  /** One acknowledgement ends that person's pages alone. */
  each_must_acknowledge?: boolean;
  targets: { kind: 'user' | 'schedule' | 'team'; id: string }[];
}

export interface PolicyInput {
  name: string;
  repeat: number;
  /** How long an acknowledgement holds; null is for ever. */
  acknowledgement_timeout_minutes?: number | null;
  levels: PolicyLevel[];
  /** Whose its services are; null is no team of its own. Left out, it stays. */
  team_id?: string | null;
}

export interface Team {
  id: string;
  name: string;
  members: Named[];
}

export interface TeamInput {
  name: string;
  members: string[];
}

export interface EscalationPolicy extends PolicyInput {
  id: string;
  /** Whether every service that names no policy follows it. */
  default?: boolean;
}

interface SimulatedAt {
  after_ms: number;
  at: Instant;
}

/** One thing that would happen if nobody answered. `loop` counts how often the policy was walked through before. */
export type SimulatedStep = SimulatedAt &
  (
    | { kind: 'level'; policy: Named | null; level: number; loop: number; people: Named[]; skipped: string[] }
    | { kind: 'fallback'; people: Named[]; why: string[] }
    | { kind: 'contact'; user: Named; channel: ChannelKind; label: string; level: number | null; loop: number; why: string }
    | { kind: 'held'; why: string; until: Instant }
    | { kind: 'suppressed'; why: string; until: Instant }
  );

/** Who would be contacted when, if nobody answered and every provider took every message. */
export interface Simulation {
  service: Named;
  /** Of which the alert is; null for one of the service alone. */
  target: Named | null;
  at: Instant;
  urgency: Urgency;
  steps: SimulatedStep[];
  end: 'repeats' | 'day' | 'nothing' | 'too_much';
  /** Targets of the service whose own alerts would page nobody. */
  quiet_targets: { target: Named; why: string; until: Instant }[];
}
