import { createHash } from 'node:crypto'
import type { Charge, ConnectionSlot } from '../store.ts'

/** Longer keys are hashed: callers may choose their keys, and Redis stores them. */
const maxLength = 128

/**
 * `<prefix>limit:{<scope>:<key>}:<rule>`. The part in braces determines the hash slot in a cluster: all buckets of one identity, or of one
 * address, are in the same slot. Buckets of routes are in different ones.
 */
export function bucketKey(prefix: string, { rule, key }: Charge): string {
  const owner = rule.scope === 'route' ? `${rule.name}/${key}` : key
  return `${prefix}limit:${hashTag(rule.scope, owner)}:${rule.name}`
}

/** `<prefix>connections:{<scope>:<key>}` */
export function connectionsKey(prefix: string, { scope, key }: ConnectionSlot): string {
  return `${prefix}connections:${hashTag(scope, key)}`
}

function hashTag(scope: string, owner: string): string {
  return `{${scope}:${shorten(owner.replace(/[%{}]/g, encodeURIComponent))}}`
}

function shorten(owner: string): string {
  if (owner.length <= maxLength) return owner
  // No escape sequence contains `%=`, so no other key can equal this hash.
  return `%=${createHash('sha256').update(owner).digest('base64url')}`
}

/** Keys that one script may use together, and the item of each. */
export interface HashSlotGroup<T> {
  readonly keys: readonly string[]
  readonly items: readonly T[]
}

/** On one server all items are one group; in a cluster the items with the same hash tag are. */
export function groupByHashSlot<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  isCluster: boolean,
): readonly HashSlotGroup<T>[] {
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
