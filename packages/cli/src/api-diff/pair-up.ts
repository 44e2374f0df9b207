/** What is in both documents, and what only one of them has. */
export interface Paired<Item> {
  readonly pairs: readonly (readonly [old: Item, now: Item])[]
  readonly removed: readonly Item[]
  readonly added: readonly Item[]
}

/** Which are the same ones? Each rule in turn pairs what those before it have left, in the order of the old document. */
export function pairUp<Item>(
  old: readonly Item[],
  now: readonly Item[],
  rules: readonly ((old: Item, now: Item) => boolean)[],
): Paired<Item> {
  const pairs: (readonly [Item, Item])[] = []
  const removed = new Set(old)
  const added = new Set(now)
  for (const isSame of rules) {
    for (const before of [...removed]) {
      const after = [...added].find((each) => isSame(before, each))
      if (after === undefined) continue
      pairs.push([before, after])
      removed.delete(before)
      added.delete(after)
    }
  }
  return { pairs, removed: [...removed], added: [...added] }
}
