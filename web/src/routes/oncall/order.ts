// Moving one entry of a list by a step, the way without dragging, and telling entries apart. Pure.

/** The list with the entry at `index` moved by `step`, or the same list where it cannot move. */
export function moved<Item>(items: Item[], index: number, step: -1 | 1): Item[] {
  const to = index + step;
  const item = items[index];
  if (item === undefined || to < 0 || to >= items.length) return items;
  const rest = items.toSpliced(index, 1);
  return rest.toSpliced(to, 0, item);
}

/** Each entry with a key of its own that moves with it, also where the same one stands there twice. */
export function keyed<Item>(items: Item[], nameOf: (item: Item) => string): { item: Item; key: string }[] {
  const times = new Map<string, number>();
  return items.map((item) => {
    const name = nameOf(item);
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return { item, key: `${name} ${time}` };
  });
}
