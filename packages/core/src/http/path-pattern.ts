import { BootError } from '../errors/boot-error.ts'
import { isUnsafeKey } from '../protocol/safe-value.ts'

/**
 * The names of a pattern's parameters, as a type.
 *
 * @example
 * type Names = PathParameters<'/authors/:id/books/:bookId'> // 'id' | 'bookId'
 */
export type PathParameters<Pattern extends string> = string extends Pattern
  ? string
  : Pattern extends `${infer Head}/${infer Tail}`
    ? NameOf<Head> | PathParameters<Tail>
    : NameOf<Pattern>
type NameOf<Segment extends string> = Segment extends `:${infer Name}` ? Name : never

/** A pattern taken apart. */
export interface PathPattern {
  readonly text: string
  /** What lies between the slashes; a parameter is null. `/` is one empty segment. */
  readonly segments: ReadonlyArray<string | null>
  /** In the order in which they stand. */
  readonly parameters: readonly string[]
  /** Equal for two patterns that match the same paths: every parameter is a bare `:`. */
  readonly shape: string
}

// What a path carries without percent-encoding, less `*`, `'`, `:` and what reads like another router's wildcard.
const plainSegment = /^[A-Za-z0-9\-._~!$&()+,;=@]+$/
const parameterName = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Reads a pattern: `/`, `/authors/paginated`, `/authors/:id`. A parameter is one whole segment.
 *
 * @throws BootError `bad_path`
 *
 * @example
 * parsePattern('/authors/:id').shape // '/authors/:'
 */
export function parsePattern(text: string): PathPattern {
  if (!text.startsWith('/')) throw badPath(text, `has to begin with a '/'`)
  const parts = text.slice(1).split('/')
  const parameters: string[] = []
  const segments = parts.map((part, index) => {
    if (part === '' && index === parts.length - 1) return part
    if (!part.startsWith(':')) {
      checkPlain(text, part)
      return part
    }
    const name = part.slice(1)
    checkParameter(text, name, parameters)
    parameters.push(name)
    return null
  })
  const shape = `/${segments.map((segment) => segment ?? ':').join('/')}`
  return Object.freeze({ text, segments, parameters, shape })
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
  if (part === '') throw badPath(text, `has an empty segment: write one '/' only`)
  if (part === '.' || part === '..')
    throw badPath(text, `has the segment '${part}', which clients resolve before they send`)
  if (part.includes(':')) throw badPath(text, `has the segment '${part}': a parameter is a whole segment`)
  if (!plainSegment.test(part)) {
    throw badPath(
      text,
      `has the segment '${part}': only letters, digits and -._~!$&()+,;=@ are matched, and there is no wildcard`,
    )
  }
}

function checkParameter(text: string, name: string, taken: readonly string[]): void {
  if (!parameterName.test(name) || isUnsafeKey(name)) {
    throw badPath(text, `has the parameter ':${name}', which is no name for one`)
  }
  if (taken.includes(name)) throw badPath(text, `has the parameter ':${name}' twice`)
}

function badPath(text: string, reason: string): BootError {
  return new BootError('bad_path', `The path '${text}' ${reason}`)
}
