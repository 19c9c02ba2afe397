import { describe, expect, test } from 'vitest';
import { age, duration, fullTime, instantInZone, localInZone, preciseTime, relative, shortTime, utcTime, minuteTime, zonedTime } from './time.ts';

const at = (text: string): number => Date.parse(text);

describe('durations', () => {
  const check = (ms: number, expected: string): void => expect(duration(ms)).toBe(expected);
  test('show the two largest units that matter', () => {
    check(0, '0 ms');
    check(431, '431 ms');
    check(4_250, '4.3s');
    check(59_900, '59s');
    check(252_000, '4m 12s');
    check(7_500_000, '2h 05m');
    check(273_600_000, '3d 4h');
  });
  test('an age ticks in whole seconds and never runs backwards', () => {
    expect(age(4_900)).toBe('4s');
    expect(age(-3_000)).toBe('0s');
    expect(age(61_000)).toBe('1m 01s');
  });
  test('a relative time says before or after', () => {
    expect(relative(1_000, 13_000)).toBe('12s ago');
    expect(relative(13_000, 1_000)).toBe('in 12s');
    expect(relative(1_000, 1_400)).toBe('just now');
  });
});

describe('absolute times', () => {
  test('use 24 hours, also just after midnight', () => {
    expect(shortTime(at('2026-11-23T00:05:09Z'), at('2026-11-23T03:00:00Z'), 'UTC')).toBe('00:05:09');
    expect(preciseTime(at('2026-11-23T00:05:09.007Z'), 'UTC')).toBe('00:05:09.007');
  });
  test('name the day when it is another one', () => {
    expect(shortTime(at('2026-11-22T23:59:00Z'), at('2026-11-23T00:01:00Z'), 'UTC')).toBe('Nov 22, 23:59');
  });
  test('are given with their zone and in UTC', () => {
    expect(fullTime(at('2026-11-23T07:12:58Z'), 'Europe/Berlin')).toBe('Mon, Nov 23, 2026, 08:12:58 GMT+1');
    expect(utcTime(at('2026-11-23T07:12:58.123Z'))).toBe('2026-11-23 07:12:58.123 UTC');
  });
});

describe('wall clocks of a zone', () => {
  const check = (local: string, zone: string, expected: string): void => expect(instantInZone(local, zone)).toBe(expected);
  test('become instants in winter and in summer', () => {
    check('2026-01-05T09:00', 'Europe/Berlin', '2026-01-05T08:00:00.000Z');
    check('2026-07-05T09:00', 'Europe/Berlin', '2026-07-05T07:00:00.000Z');
    check('2026-07-05T09:00', 'America/New_York', '2026-07-05T13:00:00.000Z');
    check('2026-07-05T09:00', 'Asia/Kathmandu', '2026-07-05T03:15:00.000Z');
  });
  test('a skipped hour moves forward, a repeated one is its first or second pass', () => {
    check('2026-03-29T02:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z');
    expect(['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']).toContain(instantInZone('2026-10-25T02:30', 'Europe/Berlin'));
  });
  test('go there and back', () => {
    expect(localInZone(at('2026-07-05T07:00:00Z'), 'Europe/Berlin')).toBe('2026-07-05T09:00');
  });
  test('nonsense is refused', () => {
    expect(() => instantInZone('tomorrow', 'UTC')).toThrow(RangeError);
  });
});

test('a time to the minute has its day where that is another', () => {
  const at = Date.parse('2026-11-23T07:12:58Z');
  expect(minuteTime(at, at, 'Europe/Berlin')).toBe('08:12');
  expect(minuteTime(at, at + 86_400_000, 'UTC')).toBe('Nov 23, 07:12');
});

test('a time in a sentence has its zone, and its day where that is another by the clock of the zone', () => {
  const at = Date.parse('2026-11-23T22:30:05.123Z');
  expect(zonedTime(at, at, 'Europe/Berlin')).toBe('23:30:05 GMT+1');
  expect(zonedTime(at, at + 3_600_000, 'Europe/Berlin')).toBe('Nov 23, 23:30:05 GMT+1');
  expect(zonedTime(at, at + 3_600_000, 'Pacific/Auckland')).toBe('11:30:05 GMT+13');
});
