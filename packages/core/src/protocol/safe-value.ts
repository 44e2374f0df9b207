import type { Issue } from '../base/schema.ts'
import { isWellFormed } from '../base/well-formed.ts'

/** Objects and arrays in each other, the outermost included. */
const maxNesting = 64
/** The path is part of the answer, and a key may be as long as the frame. */
const maxKeyLength = 64

/**
 * Keys that reach the prototype of an object when a string is used as a key. No parameter of a path or a query may have one.
 *
 * @example
 * isUnsafeKey('__proto__') // true
 */
export function isUnsafeKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}

/**
 * The first problem in a decoded value that a schema does not look for, or null: nesting of more than 64 levels, a key that could pollute
 * prototypes, a number that is not finite (`1e999`), half a surrogate pair (PostgreSQL and UTF-8 refuse it). A codec calls it for `data`, or
 * uses `toFrame`, which does. Costs about 25 ns for a small flat object and allocates nothing when there is none.
 *
 * @param hadEscapes - False when the source was UTF-8 without a `\u` escape: then no string can have half of a pair.
 *
 * @example
 * findUnsafe(JSON.parse('{"filters":{"id":1e999}}'))
 * // { path: 'filters.id', message: 'Number is too large' }
 */
export function findUnsafe(value: unknown, hadEscapes = true): Issue | null {
  if (typeof value === 'object' && value !== null) return findInObject(value, 1, hadEscapes)
  return typeof value === 'number' || typeof value === 'string' ? scalarIssue(value, '', hadEscapes) : null
}

// maxNesting bounds the recursion. The path is built on the way back, so that a valid value costs nothing for it.
function findInObject(value: object, depth: number, hadEscapes: boolean): Issue | null {
  if (depth > maxNesting) return { path: '', message: `Nested deeper than ${maxNesting} levels` }
  if (Array.isArray(value)) return findInArray(value, depth, hadEscapes)
  for (const key in value) {
    if (key === '__proto__') return { path: key, message: 'Key is not allowed' }
    if (hadEscapes && !isWellFormed(key)) return { path: toSegment(key), message: 'Key is not valid Unicode' }
    // `value` is an object, and every key of a decoded one may be read.
    const child = (value as Record<string, unknown>)[key]
    if (typeof child === 'object' && child !== null) {
      if (key === 'constructor' && Object.hasOwn(child, 'prototype'))
        return { path: key, message: 'Key is not allowed' }
      const issue = findInObject(child, depth + 1, hadEscapes)
      if (issue !== null) return under(toSegment(key), issue)
    } else if (typeof child === 'string') {
      if (hadEscapes && !isWellFormed(child)) return scalarIssue(child, toSegment(key), hadEscapes)
    } else if (typeof child === 'number' && !Number.isFinite(child)) {
      return scalarIssue(child, toSegment(key), hadEscapes)
    }
  }
  return null
}

function findInArray(items: readonly unknown[], depth: number, hadEscapes: boolean): Issue | null {
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (typeof item === 'object' && item !== null) {
      const issue = findInObject(item, depth + 1, hadEscapes)
      if (issue !== null) return under(`[${index}]`, issue)
    } else if (typeof item === 'number' || typeof item === 'string') {
      const issue = scalarIssue(item, `[${index}]`, hadEscapes)
      if (issue !== null) return issue
    }
  }
  return null
}

function scalarIssue(value: number | string, path: string, hadEscapes: boolean): Issue | null {
  if (typeof value === 'number') return Number.isFinite(value) ? null : { path, message: 'Number is too large' }
  return hadEscapes && !isWellFormed(value) ? { path, message: 'String is not valid Unicode' } : null
}

function under(segment: string, issue: Issue): Issue {
  const joint = issue.path === '' || issue.path.startsWith('[') ? '' : '.'
  return { path: segment + joint + issue.path, message: issue.message }
}

/** A key as an answer shows it: whole characters, and not too many. */
function toSegment(key: string): string {
  const short = key.length > maxKeyLength ? `${key.slice(0, maxKeyLength)}…` : key
  return short.replace(/\p{Surrogate}/gu, '\uFFFD')
}
