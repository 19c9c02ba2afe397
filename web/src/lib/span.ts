// A length of time as a person writes it: a number and a unit. Pure.
import { plural } from './words.ts';

export const UNITS = [
  { name: 'day', seconds: 86_400 },
  { name: 'hour', seconds: 3_600 },
  { name: 'minute', seconds: 60 },
  { name: 'second', seconds: 1 },
] as const;

export type UnitName = (typeof UNITS)[number]['name'];

export interface Span {
  count: number;
  unit: UnitName;
}

/** The largest unit in which it is a whole number: 5400 is 90 minutes. */
export function spanOf(seconds: number): Span {
  const unit = UNITS.find((each) => seconds >= each.seconds && seconds % each.seconds === 0) ?? { name: 'second' as const, seconds: 1 };
  return { count: seconds / unit.seconds, unit: unit.name };
}

export function secondsOf(span: Span): number {
  return Math.round(span.count * (UNITS.find((each) => each.name === span.unit)?.seconds ?? 1));
}

/** `90 minutes`, `1 day`. */
export function spanWords(seconds: number): string {
  const { count, unit } = spanOf(seconds);
  return plural(count, unit);
}

/** `every day`, `every 90 minutes`. */
export function everyWords(seconds: number): string {
  const { count, unit } = spanOf(seconds);
  return count === 1 ? `every ${unit}` : `every ${plural(count, unit)}`;
}
