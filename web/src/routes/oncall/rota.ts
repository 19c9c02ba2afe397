// The arithmetic of the rota: which weeks are shown, where each shift lies in them, which one is next to which. Pure. Days
// are civil days of the schedule's zone, of 23 to 25 hours; places come from instants alone.
import { instantInZone, localInZone } from '../../lib/time.ts';

export type View = 'week' | 'two-weeks' | 'month';
export const VIEWS: readonly View[] = ['week', 'two-weeks', 'month'];

/** Milliseconds since 1970; half open. */
export interface Span {
  from: number;
  until: number;
}

export interface Day extends Span {
  /** `2026-11-23`. */
  date: string;
}

/** One line of the rota: a week from Monday. */
export interface Week extends Span {
  days: Day[];
}

/** Part of a shift that lies in one week: its place in percent, and whether the shift goes on beyond the week. */
export interface Cell<Entry> {
  entry: Entry;
  week: number;
  left: number;
  width: number;
  cutStart: boolean;
  cutEnd: boolean;
}

const DAY_MS = 86_400_000;
const DAYS_A_WEEK = 7;

/** The civil date that a clock in `zone` shows at `at`. */
export function dateAt(at: number, zone: string): string {
  return localInZone(at, zone).slice(0, 10);
}

/** The date so many days later. */
export function plusDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Whether a text is a date of the calendar. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00Z`)) && plusDays(text, 0) === text;
}

function monday(date: string): string {
  const weekday = new Date(`${date}T00:00Z`).getUTCDay();
  return plusDays(date, -((weekday + 6) % DAYS_A_WEEK));
}

function firstOfMonth(date: string, months = 0): string {
  const [year = 0, month = 1] = date.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}

/** The weeks that show `date`: one, two, or all that its month touches. */
export function weeksOf(view: View, date: string, zone: string): Week[] {
  const first = monday(view === 'month' ? firstOfMonth(date) : date);
  const last = view === 'month' ? plusDays(firstOfMonth(date, 1), -1) : plusDays(first, view === 'week' ? 0 : DAYS_A_WEEK);
  const weeks: Week[] = [];
  for (let start = first; start <= last; start = plusDays(start, DAYS_A_WEEK)) weeks.push(weekFrom(start, zone));
  return weeks;
}

function weekFrom(first: string, zone: string): Week {
  const dates = Array.from({ length: DAYS_A_WEEK + 1 }, (_, index) => plusDays(first, index));
  const starts = dates.map((date) => Date.parse(instantInZone(`${date}T00:00`, zone)));
  const days = dates.slice(0, DAYS_A_WEEK).map((date, index) => ({ date, from: starts[index] ?? 0, until: starts[index + 1] ?? 0 }));
  return { from: starts[0] ?? 0, until: starts[DAYS_A_WEEK] ?? 0, days };
}

/** The date to show after one step back or forth. */
export function stepped(view: View, date: string, step: -1 | 1): string {
  if (view === 'month') return firstOfMonth(date, step);
  return plusDays(date, step * DAYS_A_WEEK * (view === 'week' ? 1 : 2));
}

/** Where an instant lies in a span, in percent; it may lie outside. */
export function percent(at: number, of: Span): number {
  return ((at - of.from) / (of.until - of.from)) * 100;
}

/** What of the entries lies in each week, in order. */
export function cellsOf<Entry extends { from: string; until: string }>(entries: Entry[], weeks: Week[]): Cell<Entry>[] {
  return weeks.flatMap((week, index) =>
    entries.flatMap((entry) => {
      const from = Date.parse(entry.from);
      const until = Date.parse(entry.until);
      if (until <= week.from || from >= week.until || until <= from) return [];
      const left = Math.max(0, percent(from, week));
      const right = Math.min(100, percent(until, week));
      return [{ entry, week: index, left, width: right - left, cutStart: from < week.from, cutEnd: until > week.until }];
    }),
  );
}

/** How long nobody is on call within the weeks, in milliseconds. */
export function gapMs(entries: { from: string; until: string; gap: boolean }[], span: Span): number {
  return entries
    .filter((entry) => entry.gap)
    .reduce((sum, entry) => sum + Math.max(0, Math.min(Date.parse(entry.until), span.until) - Math.max(Date.parse(entry.from), span.from)), 0);
}

/** Whether nobody has duty at once when that of now ends at `until`; `next` is the shift after it. */
export function leavesGap(until: string | null | undefined, next: { from: string } | null | undefined): boolean {
  if (!until) return false;
  return !next || Date.parse(next.from) > Date.parse(until);
}

/** Which cell an arrow key leads to from the cell at `index`; up and down keep the time of the week. */
export function neighbour(cells: Cell<unknown>[], index: number, key: string): number {
  const from = cells[index];
  if (!from) return index;
  const last = cells.length - 1;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, index - 1);
    case 'ArrowRight':
      return Math.min(last, index + 1);
    case 'Home':
      return 0;
    case 'End':
      return last;
    case 'ArrowUp':
    case 'ArrowDown': {
      const week = from.week + (key === 'ArrowUp' ? -1 : 1);
      const middle = from.left + from.width / 2;
      const found = cells.findIndex((cell) => cell.week === week && cell.left <= middle && middle < cell.left + cell.width);
      return found === -1 ? index : found;
    }
    default:
      return index;
  }
}

/** How many colours there are for people. */
export const COLOURS = 8;

/** The colour of each person, from 0: by their place among the people of a schedule, so that neighbours differ. */
export function coloursOf(people: { id: string }[]): Map<string, number> {
  return new Map(people.map((each, index) => [each.id, index % COLOURS]));
}

/** `Ada Lovelace` in a narrow place: `AL`. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const letters = words.length > 1 ? [words[0], words.at(-1)].map((word) => [...(word ?? '')][0]) : [...(words[0] ?? '?')].slice(0, 2);
  return letters.join('').toLocaleUpperCase('en-US');
}
