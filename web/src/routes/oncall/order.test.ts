import { expect, test } from 'vitest';
import { keyed, moved } from './order.ts';

test('an entry moves by one and stays inside the list', () => {
  expect(moved(['a', 'b', 'c'], 1, 1)).toEqual(['a', 'c', 'b']);
  expect(moved(['a', 'b', 'c'], 1, -1)).toEqual(['b', 'a', 'c']);
  expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b']);
  expect(moved(['a', 'b'], 1, 1)).toEqual(['a', 'b']);
});

test('who stands in a list twice has two keys', () => {
  const keys = keyed(['a', 'b', 'a'], (each) => each).map((each) => each.key);
  expect(keys).toEqual(['a 1', 'b 1', 'a 2']);
  expect(keyed([], String)).toEqual([]);
});
