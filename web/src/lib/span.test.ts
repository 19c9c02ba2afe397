import { expect, test } from 'vitest';
import { everyWords, secondsOf, spanOf, spanWords } from './span.ts';

test('a length is told in the largest unit in which it is whole', () => {
  expect([30, 90, 5_400, 86_400, 172_800, 90_000].map(spanWords)).toEqual(['30 seconds', '90 seconds', '90 minutes', '1 day', '2 days', '25 hours']);
});

test('what is split is put together again', () => {
  for (const seconds of [1, 59, 60, 61, 3_600, 86_399, 86_400, 34_560_000]) expect(secondsOf(spanOf(seconds))).toBe(seconds);
  expect(secondsOf({ count: 1.5, unit: 'hour' })).toBe(5_400);
});

test('what comes each day comes every day, not every one day', () => expect([86_400, 172_800].map(everyWords)).toEqual(['every day', 'every 2 days']));
