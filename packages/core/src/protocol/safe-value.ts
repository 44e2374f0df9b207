import type { Issue } from '../base/schema.ts'
import { isWellFormed } from '../base/well-formed.ts'

/** Objects and arrays inside each other, the outermost counted. */
const maxNesting = 64
/** A path is an answer, and a key in it may be as long as the whole frame. */
const maxKeyLength = 64

/**
 * Names that reach an object's prototype when a text is used as a key. No parameter of a path or query may bear one.
 *
 * @example
 * isUnsafeKey('__proto__') // true
 */
export function isUnsafeKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}

/**
 * The first thing in a decoded JSON value that no schema should have to think of, or null: nesting over 64 levels, a key
 * that pollutes prototypes in careless code further in, a number that is none (`1e999`), half a surrogate pair (PostgreSQL
 * and UTF-8 refuse it). Costs some 25 ns for a small flat object and allocates nothing when all is well.
 *
 * @param hadEscapes false when the source text was UTF-8 without a `\u`: then no string can hold half a pair.
 *
 * @example
 * findUnsafe(JSON.parse('{"filters":{"id":1e999}}'))
 * // { path: 'filters.id', message: 'The number is too large' }
 */
export function findUnsafe(value: unknown, hadEscapes = true): Issue | null {
  if (typeof value === 'object' && value !== null) return walk(value, 1, hadEscapes)
  return typeof value === 'number' || typeof value === 'string' ? scalarIssue(value, '', hadEscapes) : null
}

// Recursion is bounded by maxNesting. The path is put together on the way back, so that a good value pays nothing for it.
function walk(value: object, depth: number, hadEscapes: boolean): Issue | null {
  if (depth > maxNesting) return { path: '', message: `Nested deeper than ${maxNesting} levels` }
  if (Array.isArray(value)) return walkArray(value, depth, hadEscapes)
  for (const key in value) {
    if (key === '__proto__') return { path: key, message: 'The key is not allowed' }
    if (hadEscapes && !isWellFormed(key)) return { path: toSegment(key), message: 'The key is not valid Unicode' }
    // `value` is an object, and every key of a decoded one may be read.
    const child = (value as Record<string, unknown>)[key]
    if (typeof child === 'object' && child !== null) {
      if (key === 'constructor' && Object.hasOwn(child, 'prototype'))
        return { path: key, message: 'The key is not allowed' }
      const issue = walk(child, depth + 1, hadEscapes)
      if (issue !== null) return under(toSegment(key), issue)
    } else if (typeof child === 'string') {
      if (hadEscapes && !isWellFormed(child)) return scalarIssue(child, toSegment(key), hadEscapes)
    } else if (typeof child === 'number' && !Number.isFinite(child)) {
      return scalarIssue(child, toSegment(key), hadEscapes)
    }
  }
  return null
}

function walkArray(items: readonly unknown[], depth: number, hadEscapes: boolean): Issue | null {
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (typeof item === 'object' && item !== null) {
      const issue = walk(item, depth + 1, hadEscapes)
      if (issue !== null) return under(`[${index}]`, issue)
    } else if (typeof item === 'number' || typeof item === 'string') {
      const issue = scalarIssue(item, `[${index}]`, hadEscapes)
      if (issue !== null) return issue
    }
  }
  return null
}

function scalarIssue(value: number | string, path: string, hadEscapes: boolean): Issue | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : { path, message: 'The number is too large' }
  return hadEscapes && !isWellFormed(value) ? { path, message: 'The text is not valid Unicode' } : null
}

function under(segment: string, issue: Issue): Issue {
  const joint = issue.path === '' || issue.path.startsWith('[') ? '' : '.'
  return { path: segment + joint + issue.path, message: issue.message }
}

/** A key as an answer may show it: whole characters, and not too many. */
function toSegment(key: string): string {
  const short = key.length > maxKeyLength ? `${key.slice(0, maxKeyLength)}…` : key
  return short.replace(/\p{Surrogate}/gu, '\uFFFD')
}
