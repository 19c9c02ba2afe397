import { expect, test } from 'vitest';
import { backoffMs } from './connection.ts';

test('the wait doubles up to a bound and is never zero', () => {
  expect(backoffMs(1, 1)).toBe(500);
  expect(backoffMs(2, 1)).toBe(1_000);
  expect(backoffMs(4, 0)).toBe(2_000);
  expect(backoffMs(99, 1)).toBe(15_000);
  expect(backoffMs(1, 0)).toBe(250);
});
