import type { HeaderList } from '../../transport/transport.ts'
import { parseHttpDate } from './http-date.ts'

/** What is compared with the conditions of a request. */
export interface Validators {
  /** With its quotes; weak ones begin with `W/`. */
  readonly etag: string
  /** As `last-modified` says it. */
  readonly lastModified: string
  /** The same in epoch milliseconds. */
  readonly modifiedMs: number
}

/** Those that are sent: `etag` and `last-modified` that were added replace those of the file. A date that is none meets no condition. */
export function sentValidators(own: Validators, added: HeaderList | undefined): Validators {
  if (added === undefined) return own
  const etag = lastHeader(added, 'etag') ?? own.etag
  const lastModified = lastHeader(added, 'last-modified')
  if (lastModified !== null) return { etag, lastModified, modifiedMs: parseHttpDate(lastModified) ?? Number.NaN }
  return etag === own.etag ? own : { etag, lastModified: own.lastModified, modifiedMs: own.modifiedMs }
}

/** The value that a header of the list has in the end; null for none. Names are in lower case. */
export function lastHeader(list: HeaderList, name: string): string | null {
  return list.findLast(([other]) => other === name)?.[1] ?? null
}

type ReadHeader = (name: string) => string

/**
 * The status that the conditions of a GET or HEAD request demand (RFC 9110, 13.2.2): 412, 304, or 200 when it is to be answered. A date that is none is
 * ignored.
 */
export function checkConditions(header: ReadHeader, validators: Validators): 200 | 304 | 412 {
  const { etag, modifiedMs } = validators
  const match = header('if-match')
  if (match !== '') {
    if (!hasTag(match, etag, false)) return 412
  } else {
    const unmodifiedSince = header('if-unmodified-since')
    const ms = unmodifiedSince === '' ? null : parseHttpDate(unmodifiedSince)
    if (ms !== null && modifiedMs > ms) return 412
  }
  const noneMatch = header('if-none-match')
  if (noneMatch !== '') return hasTag(noneMatch, etag, true) ? 304 : 200
  const modifiedSince = header('if-modified-since')
  const ms = modifiedSince === '' ? null : parseHttpDate(modifiedSince)
  return ms !== null && modifiedMs <= ms ? 304 : 200
}

/**
 * Does a list of entity tags, or `*`, have this one? `weak`: a weak tag equals the strong one with the same text. The list is read once and nothing of
 * it is kept; what follows something that is not a tag is ignored.
 */
export function hasTag(list: string, etag: string, weak: boolean): boolean {
  if (list === '*') return true
  const isWeak = etag.startsWith('W/')
  if (isWeak && !weak) return false
  const text = isWeak ? etag.slice(2) : etag
  let at = 0
  for (;;) {
    // Empty members are allowed.
    for (let code = list.charCodeAt(at); code === 32 || code === 9 || code === 44; ) code = list.charCodeAt(++at)
    const isWeakTag = list.startsWith('W/', at)
    if (isWeakTag) at += 2
    if (list.charCodeAt(at) !== 34) return false
    const end = list.indexOf('"', at + 1)
    if (end === -1) return false
    const isSame = end - at + 1 === text.length && list.startsWith(text, at)
    if (isSame && (weak || !isWeakTag)) return true
    at = end + 1
    const code = list.charCodeAt(at)
    // The end, or what must not follow a tag.
    if (code !== 44 && code !== 32 && code !== 9) return false
  }
}

/** Does `If-Range` allow a range: is it absent, or exactly what the client has? A weak tag never is. */
export function allowsRange(ifRange: string, { etag, lastModified }: Validators): boolean {
  if (ifRange === '') return true
  if (ifRange.endsWith('"')) return ifRange === etag && !etag.startsWith('W/')
  return ifRange === lastModified
}
