// Recurring hours in words. Pure.
import type { DayHours, Hours, Weekday } from './api/index.ts';

export const WEEKDAYS: readonly Weekday[] = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
/** From so many days in a row on, only the first and the last are named. */
const RUN_MIN = 3;

/** `Mon`. */
export const shortDay = (day: Weekday): string => day.charAt(0).toUpperCase() + day.slice(1, 3);

/** `Mon to Fri`, `Sat, Sun`; `every day` for all of them or none. */
export function daysWords(days: readonly Weekday[]): string {
  const places = WEEKDAYS.map((day, index) => (days.includes(day) ? index : -1)).filter((index) => index >= 0);
  if (places.length === 0 || places.length === WEEKDAYS.length) return 'every day';
  const runs: number[][] = [];
  for (const place of places) {
    const last = runs.at(-1);
    if (last?.at(-1) === place - 1) last.push(place);
    else runs.push([place]);
  }
  const name = (place: number | undefined): string => shortDay(WEEKDAYS[place ?? 0] ?? 'monday');
  return runs.flatMap((run) => (run.length >= RUN_MIN ? [`${name(run[0])} to ${name(run.at(-1))}`] : run.map(name))).join(', ');
}

const windowWords = (window: DayHours): string => `${daysWords(window.days)} ${window.from.slice(0, 5)} to ${window.until.slice(0, 5)}`;

/** `Mon to Fri 09:00 to 17:00 (Europe/Paris)`. */
export function hoursWords(hours: Hours): string {
  return `${hours.windows.map(windowWords).join('; ')} (${hours.time_zone})`;
}

/** What somebody most likely wants first: office hours by their own clock. */
export function officeHours(zone: string): Hours {
  return { time_zone: zone, windows: [{ days: WEEKDAYS.slice(0, 5), from: '09:00', until: '17:00' }] };
}
