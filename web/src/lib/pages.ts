// A list that is loaded page by page, the newest first, while its newest page is loaded again and again. It asks for nothing itself.
import type { Page } from './api/index.ts';

/**
 * What is known once the newest page was loaded again. What stands behind its end stays, so that nothing is lost between that page and
 * older ones; where something between them may not be known, they are forgotten. `placeOf` falls from item to item.
 */
export function renewed<T>(known: Page<T> | null, newest: Page<T>, placeOf: (item: T) => number): Page<T> {
  const last = newest.items.at(-1);
  const first = known?.items[0];
  if (known === null || first === undefined || last === undefined || newest.next_cursor === null) return newest;
  const end = placeOf(last);
  const behind = known.items.filter((each) => placeOf(each) < end);
  if (behind.length === 0 || placeOf(first) < end) return newest;
  return { items: [...newest.items, ...behind], next_cursor: known.next_cursor };
}

/** What is known with the page that `from` led to, as long as that still leads on from there. */
export function joined<T>(known: Page<T> | null, older: Page<T>, from: string): Page<T> | null {
  if (known?.next_cursor !== from) return known;
  return { items: [...known.items, ...older.items], next_cursor: older.next_cursor };
}
