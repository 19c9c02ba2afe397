// For how long an incident is left in peace: the usual choices, and a time that somebody types. Pure.
import { instantInZone, localInZone, millis } from '../../lib/time.ts';

export interface SnoozeChoice {
  label: string;
  seconds: number;
}

/** The API takes up to a week. */
export const SNOOZE_SECONDS_MAX = 604_800;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY_MS = 86_400_000;
const MORNING = '08:00';
/** A morning that is nearer than this is no other choice than a number of hours. */
const MORNING_SECONDS_MIN = 4 * HOUR;

/** The choices at `now` for somebody whose clock is in `zone`: some lengths, and the next morning when that is far enough. */
export function snoozeChoices(now: number, zone: string): SnoozeChoice[] {
  const lengths = [
    { label: '15 min', seconds: 15 * MINUTE },
    { label: '30 min', seconds: 30 * MINUTE },
    { label: '1 hour', seconds: HOUR },
    { label: '2 hours', seconds: 2 * HOUR },
    { label: '4 hours', seconds: 4 * HOUR },
  ];
  // Days of the calendar: 24 hours after an evening before the clocks change it is the day after tomorrow.
  const today = Date.parse(`${localInZone(now, zone).slice(0, 10)}T00:00Z`);
  const days = [0, 1].map((ahead) => new Date(today + ahead * DAY_MS).toISOString().slice(0, 10));
  const morning = days.map((day) => secondsUntil(`${day}T${MORNING}`, now, zone)).find((seconds) => seconds !== null && seconds >= MORNING_SECONDS_MIN);
  return morning ? [...lengths, { label: `until ${MORNING}`, seconds: morning }] : lengths;
}

/** Whole seconds from `now` until a wall clock in `zone` shows `local`; null when that is past, too far, or no time at all. */
export function secondsUntil(local: string, now: number, zone: string): number | null {
  if (local === '') return null;
  const seconds = Math.ceil((millis(instantInZone(local, zone)) - now) / 1_000);
  return seconds >= 1 && seconds <= SNOOZE_SECONDS_MAX ? seconds : null;
}
