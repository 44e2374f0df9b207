/** Keys that one script may touch, with what belongs to each. */
export interface SlotGroup<T> {
  readonly keys: readonly string[]
  readonly items: readonly T[]
}

/** On one server everything is one group; in a cluster what shares a tag is. */
export function groupBySlot<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  isCluster: boolean,
): readonly SlotGroup<T>[] {
  if (!isCluster || items.length === 1) return [{ keys: items.map(keyOf), items }]
  const groups = new Map<string, { keys: string[]; items: T[] }>()
  for (const item of items) {
    const key = keyOf(item)
    const tag = key.slice(key.indexOf('{'), key.indexOf('}'))
    const group = groups.get(tag)
    if (group === undefined) groups.set(tag, { keys: [key], items: [item] })
    else {
      group.keys.push(key)
      group.items.push(item)
    }
  }
  return [...groups.values()]
}
