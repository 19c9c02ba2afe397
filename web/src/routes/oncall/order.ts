// Moving one entry of a list by a step; the way without dragging. Pure.

/** The list with the entry at `index` moved by `step`, or the same list where it cannot move. */
export function moved<Item>(items: Item[], index: number, step: -1 | 1): Item[] {
  const to = index + step;
  const item = items[index];
  if (item === undefined || to < 0 || to >= items.length) return items;
  const rest = items.toSpliced(index, 1);
  return rest.toSpliced(to, 0, item);
}
