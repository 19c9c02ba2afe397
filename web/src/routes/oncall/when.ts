// Shifts in words: when, and by what. Pure but for the zone of the viewer's own clock.
import type { Layer, Reason, Restriction, Turn, Weekday } from '../../lib/api/index.ts';
import { millis } from '../../lib/time.ts';

/** The zone of the viewer's own clock. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, zone: string, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify([zone, options]);
  const found = formats.get(key) ?? new Intl.DateTimeFormat('en-US', { ...options, timeZone: zone });
  formats.set(key, found);
  return found.format(at);
}

const DAY = { weekday: 'short', month: 'short', day: 'numeric' } as const;
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;

/** `Mon, Nov 23, 09:00` by a clock in `zone`. */
export function when(at: string, zone: string): string {
  return `${format(millis(at), zone, DAY)}, ${format(millis(at), zone, CLOCK)}`;
}

/** `Mon, Nov 23, 09:00 to 17:00`, or with both days where they differ. */
export function whenSpan(span: { from: string; until: string }, zone: string): string {
  const sameDay = format(millis(span.from), zone, DAY) === format(millis(span.until), zone, DAY);
  return `${when(span.from, zone)} to ${sameDay ? format(millis(span.until), zone, CLOCK) : when(span.until, zone)}`;
}

/** The weekday and the day of a civil date, each short. */
export function dayName(date: string): { weekday: string; day: string } {
  const at = Date.parse(`${date}T00:00Z`);
  const first = date.endsWith('-01');
  return { weekday: format(at, 'UTC', { weekday: 'short' }), day: format(at, 'UTC', first ? { month: 'short', day: 'numeric' } : { day: 'numeric' }) };
}

/** `November 2026`, or `Nov 23 to Dec 6, 2026` for weeks. */
export function rangeName(first: string, last: string, month: string | null): string {
  const at = (date: string): number => Date.parse(`${date}T00:00Z`);
  if (month !== null) return format(at(month), 'UTC', { month: 'long', year: 'numeric' });
  const year = first.slice(0, 4) === last.slice(0, 4) ? {} : ({ year: 'numeric' } as const);
  return `${format(at(first), 'UTC', { month: 'short', day: 'numeric', ...year })} to ${format(at(last), 'UTC', { month: 'short', day: 'numeric', year: 'numeric' })}`;
}

/** What puts somebody on call, in words. */
export function reasonWords(reason: Reason): string {
  switch (reason.kind) {
    case 'layer':
      return `by layer ${(reason.layer ?? 0) + 1}`;
    case 'temporary':
      return 'by a temporary shift';
    case 'swap':
      return 'by a swap';
    case 'override':
      return 'by an override';
  }
}

/** `every week`, `every 12 hours`. */
export function turnWords(turn: Turn): string {
  return turn.every === 1 ? `every ${turn.unit.replace(/s$/, '')}` : `every ${turn.every} ${turn.unit}`;
}

const capital = (day: Weekday): string => day.charAt(0).toUpperCase() + day.slice(1);

/** `daily 22:00 to 06:00`, `Friday 18:00 to Monday 08:00`. */
export function restrictionWords(restriction: Restriction): string {
  const clock = (time: string): string => time.slice(0, 5);
  if (restriction.kind === 'daily') return `daily ${clock(restriction.from)} to ${clock(restriction.until)}`;
  const { from, until } = restriction;
  return `${capital(from.weekday)} ${clock(from.time)} to ${capital(until.weekday)} ${clock(until.time)}`;
}

/** One line about a layer; `nameOf` turns ids of people into names. */
export function layerWords(layer: Layer, nameOf: (id: string) => string): string {
  const people = layer.members.map(nameOf).join(' → ') || 'nobody';
  const turns = layer.members.length === 1 ? '' : `, ${turnWords(layer.turn)}`;
  const only = layer.restrictions.length === 0 ? '' : `; only ${layer.restrictions.map(restrictionWords).join(', ')}`;
  return `${people}${turns}${only}`;
}
