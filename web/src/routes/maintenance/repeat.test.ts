import { expect, test } from 'vitest';
import type { Repeat } from '../../lib/api/index.ts';
import { nextTimes, repeatWords } from './repeat.ts';

const NIGHTS: Repeat = { time_zone: 'Europe/Paris', first: '2027-03-20T22:00', minutes: 240, every: 1, unit: 'weeks', until: null };

test('the next times keep the time on the wall when the clocks change', () => {
  expect(nextTimes({ from: '2027-03-20T21:00:00.000Z', repeat: NIGHTS }, 3)).toEqual(['2027-03-20T21:00:00.000Z', '2027-03-27T21:00:00.000Z', '2027-04-03T20:00:00.000Z']);
});

test('none begins after its end, and work that is planned once has one', () => {
  const repeat = { ...NIGHTS, until: '2027-03-28T00:00:00.000Z' };
  expect(nextTimes({ from: '2027-03-20T21:00:00.000Z', repeat }, 9)).toHaveLength(2);
  expect(nextTimes({ from: '2027-03-20T21:00:00.000Z', repeat: null }, 9)).toHaveLength(1);
  expect(nextTimes({ from: null, repeat }, 9)).toEqual([]);
});

test('a repetition is told in words', () => {
  expect(repeatWords(NIGHTS)).toBe('every week at 22:00 for 4 hours, by the clocks of Europe/Paris');
  expect(repeatWords({ ...NIGHTS, every: 10, unit: 'days', minutes: 90 })).toBe('every 10 days at 22:00 for 90 minutes, by the clocks of Europe/Paris');
});
