import { expect, test } from 'vitest';
import { joined, renewed } from './pages.ts';

const page = (items: number[], next_cursor: string | null): { items: number[]; next_cursor: string | null } => ({ items, next_cursor });
const placeOf = (item: number): number => item;

test('what the newest page pushes out stays in front of the older pages', () =>
  expect(renewed(page([5, 4, 3, 2], '2'), page([7, 6, 5], '5'), placeOf)).toEqual(page([7, 6, 5, 4, 3, 2], '2')));

test('what is in the list no more goes, as far as the newest page tells', () =>
  expect(renewed(page([5, 4, 3, 2], '2'), page([5, 3], '3'), placeOf)).toEqual(page([5, 3, 2], '2')));

test('the newest page stands alone where all else is in it, or something between is not known', () => {
  for (const known of [null, page([], null), page([3, 2, 1], null), page([8, 7], '7')]) {
    expect(renewed(known, page([9, 8, 7], '7'), placeOf)).toEqual(page([9, 8, 7], '7'));
  }
  expect(renewed(page([5, 4], '4'), page([5], null), placeOf)).toEqual(page([5], null));
});

test('an older page is put behind what led to it, and behind nothing else', () => {
  expect(joined(page([5, 4], '4'), page([3], null), '4')).toEqual(page([5, 4, 3], null));
  expect(joined(page([5, 4], '4'), page([3], null), '6')).toEqual(page([5, 4], '4'));
  expect(joined(null, page([3], null), '4')).toBeNull();
});
