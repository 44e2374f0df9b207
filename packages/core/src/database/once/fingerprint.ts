import { createHash } from 'node:crypto'

/** A hash of an input: equal for equal inputs, whatever the order of their keys. */
export function toFingerprint(input: unknown): string {
  return hash(canonical(input))
}

/** 43 characters. */
export function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** Like JSON, with sorted keys, and with a form of its own for each kind of value that a schema may make. */
function canonical(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  if (value instanceof Date) return `date ${value.getTime()}`
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value instanceof Map) return `map ${canonical([...value])}`
  if (value instanceof Set) return `set ${canonical([...value])}`
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonical(value.toJSON())
  const entries = Object.entries(value).filter(([, part]) => part !== undefined)
  const sorted = entries.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${sorted.map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`).join()}}`
}
