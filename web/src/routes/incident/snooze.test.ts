import { expect, test } from 'vitest';
import { secondsUntil, snoozeChoices } from './snooze.ts';

const ZONE = 'Europe/Berlin';
const at = (utc: string): number => Date.parse(`${utc}:00Z`);
const morning = (utc: string): number | undefined => snoozeChoices(at(utc), ZONE).find((each) => each.label === 'until 08:00')?.seconds;

test('at three in the morning the next eight o’clock is offered', () => expect(morning('2026-11-23T02:00')).toBe(5 * 3_600));

test('in the evening it is that of the next day', () => expect(morning('2026-11-23T21:00')).toBe(10 * 3_600));

test('a morning that is near already is left to the hours', () => expect(morning('2026-11-23T05:00')).toBe(26 * 3_600));

test('in the night in which clocks change, the morning is when the clock says so', () => expect(morning('2027-03-27T22:00')).toBe(8 * 3_600));

test('a typed time counts from now, and one that is past or a week away does not', () => {
  expect(secondsUntil('2026-11-23T04:15', at('2026-11-23T03:00'), ZONE)).toBe(900);
  expect(secondsUntil('2026-11-23T04:00', at('2026-11-23T03:00'), ZONE)).toBeNull();
  expect(secondsUntil('2026-12-01T04:00', at('2026-11-23T03:00'), ZONE)).toBeNull();
  expect(secondsUntil('', at('2026-11-23T03:00'), ZONE)).toBeNull();
});
