import { scrubError } from './scrub-error.ts'
import { isSecretKey } from './secret-keys.ts'

const redacted = '[REDACTED]'
const cutOff = '[…]'

/** Bounds of one line: what lies beyond is left out, and so cannot leak either. */
const maxDepth = 12
const maxNodes = 2000
const maxItems = 200
const maxTextLength = 16_384

/** What is left of the bounds of one line, and the objects on the way down to here. */
interface Walk {
  nodes: number
  readonly above: object[]
}

/**
 * A copy that may be logged or stored: values under secret keys (`password`, `accessToken`, `user_pwd`, …) are `[REDACTED]` at any
 * depth, through lists and errors with their causes. Bounded in depth and size, and never throws. Plain values are returned as they are.
 *
 * @example
 * redact({ user: 'ann', login: { passwd: 'x' } }) // { user: 'ann', login: { passwd: '[REDACTED]' } }
 */
export function redact(value: unknown): unknown {
  return copy(value, { nodes: maxNodes, above: [] })
}

/** The same for the fields of a log line. Most have texts and numbers only, and need no copy. */
export function redactFields(fields: object): Record<string, unknown> {
  try {
    if (!(fields instanceof Error) && isHarmless(fields)) return fields
    return copyFields(fields)
  } catch {
    // A getter or a proxy of somebody else's: whoever logs must not fail by it.
    return { '[Unreadable]': true }
  }
}

function copyFields(fields: object): Record<string, unknown> {
  const walk: Walk = { nodes: maxNodes, above: [fields] }
  // With a prototype, which pino asks for `hasOwnProperty`.
  return fields instanceof Error ? { err: copyError(fields, walk) } : { ...copyMembers(fields, walk) }
}

function isHarmless(fields: object): fields is Record<string, unknown> {
  for (const key of Object.keys(fields)) {
    const value: unknown = Reflect.get(fields, key)
    if (value === null || value === undefined) continue
    if (
      typeof value === 'string' ? value.length > maxTextLength : typeof value !== 'number' && typeof value !== 'boolean'
    )
      return false
    if (isSecretKey(key)) return false
  }
  return true
}

function copy(value: unknown, walk: Walk): unknown {
  if (typeof value === 'string') return value.length > maxTextLength ? value.slice(0, maxTextLength) + cutOff : value
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return '[Function]'
  if (typeof value !== 'object' || value === null) return value
  if (walk.above.includes(value)) return '[Circular]'
  if (walk.above.length >= maxDepth || walk.nodes <= 0) return cutOff
  walk.above.push(value)
  try {
    return copyObject(value, walk)
  } catch {
    // A getter or a proxy of somebody else's.
    return '[Unreadable]'
  } finally {
    walk.above.pop()
  }
}

function copyObject(value: object, walk: Walk): unknown {
  if (value instanceof Error) return copyError(value, walk)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (Array.isArray(value)) return copyItems(value, walk)
  if (value instanceof Set) return copyItems([...value], walk)
  if (value instanceof Map) return copyMembers(Object.fromEntries(value), walk)
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), walk)
  return copyMembers(value, walk)
}

function copyItems(items: readonly unknown[], walk: Walk): unknown[] {
  const copied = items.slice(0, maxItems).map((item) => {
    walk.nodes--
    return copy(item, walk)
  })
  if (items.length > maxItems) copied.push(cutOff)
  return copied
}

function copyMembers(from: object, walk: Walk): Record<string, unknown> {
  // No prototype: a key '__proto__' of a body that is logged is a key like any other.
  const to: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(from)) {
    if (--walk.nodes < 0) {
      to[cutOff] = cutOff
      break
    }
    const value: unknown = Reflect.get(from, key)
    to[key] = value !== null && value !== undefined && isSecretKey(key) ? redacted : copy(value, walk)
  }
  return to
}

/** Type, message and stack come first; then what the error carries itself; then its causes. */
function copyError(error: Error, walk: Walk): Record<string, unknown> {
  const { message, stack, own } = scrubError(error)
  const to = copyMembers({ ...own }, walk)
  const { cause } = error
  return {
    type: error.name,
    message: copy(message, walk),
    stack: copy(stack, walk),
    ...to,
    ...(cause === undefined ? {} : { cause: copy(cause, walk) }),
    ...(error instanceof AggregateError ? { errors: copyItems(error.errors, walk) } : {}),
  }
}
