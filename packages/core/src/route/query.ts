import type { QueryRecord } from '../call/call.ts'
import { MalformedRequestError, ValidationError } from '../errors/app-error.ts'
import type { Result } from '../errors/result.ts'
import { isUnsafeKey } from '../protocol/safe-value.ts'

/** Pairs, not names: a thousand values of one name cost as much. */
export const maxQueryPairs = 1000

/** No prototype: `'toString' in query` is false. */
const noQuery: QueryRecord = Object.freeze(Object.create(null))

/**
 * Parses a raw query or a urlencoded body (https://url.spec.whatwg.org/#urlencoded-parsing, but strict: an
 * invalid percent sequence, or invalid UTF-8, is `malformed_request` and not replaced). A key without `=` has the empty string as its
 * value; `ids[]` is a key like any other.
 *
 * @returns `validation_error` for `__proto__`, `constructor`, `prototype` as a key and for more than 1000 pairs.
 *
 * @example
 * parseQuery('name=J.+R.+Hartley&tag=a&tag=b') // { ok: true, value: { name: 'J. R. Hartley', tag: ['a', 'b'] } }
 */
export function parseQuery(raw: string): Result<QueryRecord> {
  if (raw === '') return { ok: true, value: noQuery }
  const record: Record<string, string | string[]> = Object.create(null)
  let pairs = 0
  for (let start = 0; start <= raw.length; ) {
    const ampersand = raw.indexOf('&', start)
    const end = ampersand === -1 ? raw.length : ampersand
    if (end > start) {
      if (++pairs > maxQueryPairs) return reject('', `Must have at most ${maxQueryPairs} parameters`)
      const equals = raw.indexOf('=', start)
      const split = equals === -1 || equals > end ? end : equals
      const key = decode(raw.slice(start, split))
      const value = split === end ? '' : decode(raw.slice(split + 1, end))
      if (key === null || value === null) {
        return { ok: false, error: new MalformedRequestError('Parameters must be valid percent-encoded UTF-8') }
      }
      if (isUnsafeKey(key)) return reject(key, 'Key is not allowed')
      append(record, key, value)
    }
    start = end + 1
  }
  return { ok: true, value: record }
}

function append(record: Record<string, string | string[]>, key: string, value: string): void {
  const present = record[key]
  if (present === undefined) record[key] = value
  else if (typeof present === 'string') record[key] = [present, value]
  else present.push(value)
}

function reject(path: string, message: string): Result<never> {
  return { ok: false, error: new ValidationError(undefined, [{ path, message }]) }
}

function decode(text: string): string | null {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return null
  }
}
