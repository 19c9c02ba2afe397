import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { coalesce } from './coalesce.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('a burst is carried out at once and once more after it', () => {
  let calls = 0;
  const call = coalesce(() => (calls += 1), 200);
  for (let each = 0; each < 50; each += 1) call();
  expect(calls).toBe(1);
  vi.advanceTimersByTime(200);
  expect(calls).toBe(2);
  vi.advanceTimersByTime(1_000);
  expect(calls).toBe(2);
});

test('a cancelled call does not come', () => {
  let calls = 0;
  const call = coalesce(() => (calls += 1), 200);
  call();
  call();
  call.cancel();
  vi.advanceTimersByTime(1_000);
  expect(calls).toBe(1);
});
