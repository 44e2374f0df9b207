import { createHash } from 'node:crypto'
import type { Seat, Take } from '../store.ts'

/** Longer keys are shortened: callers may choose theirs, and Redis keeps them. */
const maxLength = 128

/**
 * `<prefix>limit:{<scope>:<key>}:<rule>`. What stands in braces decides the slot in a cluster: all buckets of one identity, or of one
 * address, lie in one. Those of routes lie apart from each other.
 */
export function bucketKey(prefix: string, { rule, key }: Take): string {
  const owner = rule.scope === 'route' ? `${rule.name}/${key}` : key
  return `${prefix}limit:${tag(rule.scope, owner)}:${rule.name}`
}

/** `<prefix>seats:{<scope>:<key>}` */
export function seatKey(prefix: string, { scope, key }: Seat): string {
  return `${prefix}seats:${tag(scope, key)}`
}

function tag(scope: string, owner: string): string {
  return `{${scope}:${shorten(owner.replace(/[%{}]/g, encodeURIComponent))}}`
}

function shorten(owner: string): string {
  if (owner.length <= maxLength) return owner
  // No escape has a `=` before it, so it is the hash of no other key.
  return `%=${createHash('sha256').update(owner).digest('base64url')}`
}
