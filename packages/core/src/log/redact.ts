import { redactText } from './redact-text.ts'
import { scrubError } from './scrub-error.ts'
import { isSecretKey } from './secret-keys.ts'

const redacted = '[REDACTED]'
const truncated = '[…]'

/** Limits per log line. Anything beyond them is left out. */
const maxDepth = 12
const maxNodes = 2000
const maxItems = 200
const maxStringLength = 16_384

/** The remaining budget of one log line, and the objects above the current one. */
interface Traversal {
  nodes: number
  readonly ancestors: object[]
  readonly toText: ((text: string) => string) | undefined
}

export interface RedactOptions {
  /** Applied to each string of the copy, and to each key: `redactText`. Default: they stay as they are. */
  readonly toText?: (text: string) => string
}

/**
 * Returns a copy that is safe to log or store: values under secret keys (`password`, `accessToken`, `user_pwd`, …) are `[REDACTED]` at any
 * depth, including arrays, errors and their causes. Bytes and files are their size. Limited in depth and size; never throws. Primitive values are
 * returned unchanged.
 *
 * @example
 * redact({ user: 'ann', login: { passwd: 'x' } }) // { user: 'ann', login: { passwd: '[REDACTED]' } }
 */
export function redact(value: unknown, { toText }: RedactOptions = {}): unknown {
  return copy(value, { nodes: maxNodes, ancestors: [], toText })
}

/** The same for the fields of a log line. Most contain only strings and numbers, and are not copied. */
export function redactFields(fields: object): Record<string, unknown> {
  try {
    if (!(fields instanceof Error) && needsNoCopy(fields)) return fields
    return copyFields(fields)
  } catch {
    // A getter or proxy threw: logging must not fail because of it.
    return { '[Unreadable]': true }
  }
}

function copyFields(fields: object): Record<string, unknown> {
  const traversal: Traversal = { nodes: maxNodes, ancestors: [fields], toText: undefined }
  // With a prototype, because pino calls `hasOwnProperty`.
  return fields instanceof Error ? { err: copyError(fields, traversal) } : { ...copyMembers(fields, traversal) }
}

function needsNoCopy(fields: object): fields is Record<string, unknown> {
  for (const key of Object.keys(fields)) {
    const value: unknown = Reflect.get(fields, key)
    if (value === null || value === undefined) continue
    if (
      typeof value === 'string'
        ? value.length > maxStringLength
        : typeof value !== 'number' && typeof value !== 'boolean'
    )
      return false
    if (isSecretKey(key)) return false
  }
  return true
}

function copy(value: unknown, traversal: Traversal): unknown {
  if (typeof value === 'string') {
    const { toText } = traversal
    const text = value.length > maxStringLength ? value.slice(0, maxStringLength) + truncated : value
    return toText === undefined ? text : toText(text)
  }
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return '[Function]'
  if (typeof value !== 'object' || value === null) return value
  if (traversal.ancestors.includes(value)) return '[Circular]'
  if (traversal.ancestors.length >= maxDepth || traversal.nodes <= 0) return truncated
  traversal.ancestors.push(value)
  try {
    return copyObject(value, traversal)
  } catch {
    // A getter or proxy threw.
    return '[Unreadable]'
  } finally {
    traversal.ancestors.pop()
  }
}

function copyObject(value: object, traversal: Traversal): unknown {
  if (value instanceof Error) return copyError(value, traversal)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
  if (value instanceof Blob) return `[${value.size} bytes${value.type === '' ? '' : ` of ${value.type}`}]`
  if (Symbol.asyncIterator in value) return '[Stream]'
  if (Array.isArray(value)) return copyItems(value, traversal)
  if (value instanceof Set) return copyItems([...value], traversal)
  if (value instanceof Map) return copyMembers(Object.fromEntries(value), traversal)
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), traversal)
  return copyMembers(value, traversal)
}

function copyItems(items: readonly unknown[], traversal: Traversal): unknown[] {
  const copied = items.slice(0, maxItems).map((item) => {
    traversal.nodes--
    return copy(item, traversal)
  })
  if (items.length > maxItems) copied.push(truncated)
  return copied
}

function copyMembers(from: object, traversal: Traversal): Record<string, unknown> {
  // Without a prototype, so that '__proto__' is an ordinary key.
  const to: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(from)) {
    if (--traversal.nodes < 0) {
      to[truncated] = truncated
      break
    }
    const value: unknown = Reflect.get(from, key)
    const copied = value !== null && value !== undefined && isSecretKey(key) ? redacted : copy(value, traversal)
    to[traversal.toText === undefined ? key : traversal.toText(key)] = copied
  }
  return to
}

/** Type, message and stack first, then the error's own properties, then its causes. */
function copyError(error: Error, traversal: Traversal): Record<string, unknown> {
  const scrubbed = scrubError(error)
  const { own } = scrubbed
  const message = redactText(scrubbed.message)
  // The stack starts with the message.
  const stack = message === scrubbed.message ? scrubbed.stack : scrubbed.stack.replace(scrubbed.message, () => message)
  const to = copyMembers({ ...own }, traversal)
  const { cause } = error
  return {
    type: error.name,
    message: copy(message, traversal),
    stack: copy(stack, traversal),
    ...to,
    ...(cause === undefined ? {} : { cause: copy(cause, traversal) }),
    ...(error instanceof AggregateError ? { errors: copyItems(error.errors, traversal) } : {}),
  }
}
