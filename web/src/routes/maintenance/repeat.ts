// Work that comes again at the same civil time: its next times, and in words. Pure.
import type { MaintenanceWindow, Repeat } from '../../lib/api/index.ts';
import { spanWords } from '../../lib/span.ts';
import { instantInZone, localInZone, millis } from '../../lib/time.ts';

const DAY_MS = 86_400_000;

/** When it begins next: at most `count` times, that of the window itself first; by the clocks of its zone, so a night of 23 hours shifts nothing. */
export function nextTimes(window: Pick<MaintenanceWindow, 'from' | 'repeat'>, count: number): string[] {
  const { from, repeat } = window;
  if (from === null) return [];
  if (repeat === null) return [from];
  const day = Date.parse(`${localInZone(millis(from), repeat.time_zone).slice(0, 10)}T00:00Z`);
  const time = repeat.first.slice(11, 16);
  const step = repeat.every * (repeat.unit === 'weeks' ? 7 : 1) * DAY_MS;
  const times = Array.from({ length: count - 1 }, (_, index) => instantInZone(`${new Date(day + (index + 1) * step).toISOString().slice(0, 10)}T${time}`, repeat.time_zone));
  return [from, ...times.filter((each) => repeat.until === null || millis(each) < millis(repeat.until))];
}

/** `every 2 weeks at 22:00 for 4 hours, by the clocks of Europe/Paris`. */
export function repeatWords(repeat: Repeat): string {
  const often = repeat.every === 1 ? `every ${repeat.unit.replace(/s$/, '')}` : `every ${repeat.every} ${repeat.unit}`;
  return `${often} at ${repeat.first.slice(11, 16)} for ${spanWords(repeat.minutes * 60)}, by the clocks of ${repeat.time_zone}`;
}
