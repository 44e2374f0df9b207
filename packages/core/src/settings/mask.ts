import { inspect } from 'node:util'

const masked = '[secret]'

/**
 * Freezes plain objects and lists at every depth, and hides secrets when they are printed, also where a secret is part of a
 * longer string, such as a url. Reading a property returns the value itself.
 */
export function freezeMasked<T>(value: T, secrets: readonly string[]): T {
  if (!isPlain(value) || Object.isFrozen(value)) return value
  for (const each of Object.values(value)) freezeMasked(each, secrets)
  if (secrets.length > 0) {
    const shown = (): unknown => maskedCopy(value, secrets)
    // Not enumerable: spreading the settings into options leaves both behind.
    Object.defineProperty(value, 'toJSON', { value: shown })
    Object.defineProperty(value, inspect.custom, { value: shown })
  }
  return Object.freeze(value)
}

function maskedCopy(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return holdsSecret(value, secrets) ? masked : value
  if (Array.isArray(value)) return value.map((each) => maskedCopy(each, secrets))
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, maskedCopy(each, secrets)]))
}

function holdsSecret(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret) || text.includes(encodeURIComponent(secret)))
}

function isPlain(value: unknown): value is Record<string, unknown> | unknown[] {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}
