import { BootError } from '../base/boot-error.ts'
import { isUnsafeKey } from '../protocol/safe-value.ts'

/**
 * The names of a pattern's parameters, as a type.
 *
 * @example
 * type Names = PathParameters<'/authors/:id/books/:bookId'> // 'id' | 'bookId'
 * type Rest = PathParameters<'/files/*'> // '*'
 * type Named = PathParameters<'/files/*path'> // 'path'
 */
export type PathParameters<Pattern extends string> = string extends Pattern
  ? string
  : Pattern extends `${infer Head}/${infer Tail}`
    ? NameOf<Head> | PathParameters<Tail>
    : NameOf<Pattern>
type NameOf<Segment extends string> = Segment extends `:${infer Name}`
  ? Name
  : Segment extends '*'
    ? '*'
    : Segment extends `*${infer Name}`
      ? Name
      : never

/** A parsed pattern. */
export interface PathPattern {
  readonly text: string
  /** The parts between the slashes; a parameter is null. `/` is one empty segment. A wildcard is not included. */
  readonly segments: ReadonlyArray<string | null>
  /** The last of `parameters` matches the rest of the path. */
  readonly wildcard: boolean
  /** In the order of the path. */
  readonly parameters: readonly string[]
  /** Equal for two patterns that match the same paths: every parameter is a bare `:`, a wildcard a bare `*`. */
  readonly shape: string
}

// What a path contains without percent-encoding, except `*`, `'`, `:` and the wildcards of other routers.
const plainSegment = /^[A-Za-z0-9\-._~!$&()+,;=@]+$/
const parameterName = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Reads a pattern: `/`, `/authors/paginated`, `/authors/:id`, `/files/*`. A parameter is a whole segment; a wildcard is the
 * last segment, matches at least one character, and is named `*`, or `path` in `/files/*path`.
 *
 * @throws BootError `bad_path`
 *
 * @example
 * parsePattern('/authors/:id').shape // '/authors/:'
 */
export function parsePattern(text: string): PathPattern {
  if (!text.startsWith('/')) throw badPath(text, `must begin with '/'`)
  const parts = text.slice(1).split('/')
  const parameters: string[] = []
  const wildcard = parts.at(-1)?.startsWith('*') === true ? parts.pop() : undefined
  const segments = parts.map((part, index) => {
    if (part === '' && wildcard === undefined && index === parts.length - 1) return part
    if (!part.startsWith(':')) {
      checkPlain(text, part)
      return part
    }
    const name = part.slice(1)
    checkParameter(text, name, parameters)
    parameters.push(name)
    return null
  })
  if (wildcard !== undefined) {
    const name = wildcard.slice(1)
    if (name !== '') checkParameter(text, name, parameters)
    parameters.push(name === '' ? '*' : name)
  }
  const shape = `/${[...segments.map((segment) => segment ?? ':'), ...(wildcard === undefined ? [] : ['*'])].join('/')}`
  return Object.freeze({ text, segments, parameters, shape, wildcard: wildcard !== undefined })
}

/**
 * The names of a pattern's parameters, as values.
 *
 * @throws BootError `bad_path`
 *
 * @example
 * pathParameters('/authors/:id/books/:bookId') // ['id', 'bookId']
 */
export function pathParameters(pattern: string): readonly string[] {
  return parsePattern(pattern).parameters
}

function checkPlain(text: string, part: string): void {
  if (part === '') throw badPath(text, `has an empty segment: write only one '/'`)
  if (part === '.' || part === '..')
    throw badPath(text, `has the segment '${part}', which clients resolve before sending`)
  if (part.includes(':')) throw badPath(text, `has the segment '${part}': a parameter must be a whole segment`)
  if (part.startsWith('*'))
    throw badPath(text, `has the wildcard '${part}' before its end: a wildcard must be the last segment`)
  if (!plainSegment.test(part)) {
    throw badPath(text, `has the segment '${part}': only letters, digits and -._~!$&()+,;=@ are allowed`)
  }
}

function checkParameter(text: string, name: string, taken: readonly string[]): void {
  if (!parameterName.test(name) || isUnsafeKey(name)) {
    throw badPath(text, `has the parameter '${name}', which is not a valid name`)
  }
  if (taken.includes(name)) throw badPath(text, `has the parameter '${name}' twice`)
}

function badPath(text: string, reason: string): BootError {
  return new BootError('bad_path', `The path '${text}' ${reason}`)
}
