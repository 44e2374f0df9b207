import { BootError } from '../base/boot-error.ts'
import { type AppError, MalformedRequestError } from '../errors/app-error.ts'
import { parsePattern } from '../route/path-pattern.ts'

/** A route was found. */
export interface RouteHit<T> {
  readonly value: T
  /** Percent-decoded. Frozen if the pattern has no parameters. */
  readonly params: Readonly<Record<string, string>>
}

/** The path has routes, but for other methods. */
export interface WrongMethod {
  /** For the `Allow` header: sorted, with OPTIONS, and with HEAD where GET is. */
  readonly allow: readonly string[]
}

/** A route was found, but a parameter is invalid. */
export interface MalformedPath {
  readonly error: AppError
}

export type RouteMatch<T> = RouteHit<T> | WrongMethod | MalformedPath

interface Leaf<T> {
  readonly value: T
  readonly parameters: readonly string[]
  /** The last parameter is the rest of the path. */
  readonly wildcard: boolean
}

interface Node<T> {
  readonly statics: Map<string, Node<T>>
  parameter: Node<T> | null
  /** Matches the rest of the path, if no other child does. */
  wildcard: Leaf<T> | null
  leaf: Leaf<T> | null
}

/** The routes of one method. */
interface Table<T> {
  /** Paths without a parameter: one lookup, with a result that was created at boot. */
  readonly exact: Map<string, RouteHit<T>>
  readonly root: Node<T>
  /** Shape to pattern, to name both patterns if two have the same shape. */
  readonly shapes: Map<string, string>
}

const noParams: Readonly<Record<string, string>> = Object.freeze({})

/**
 * Finds the value for a method and a path, as sent. In each segment, static text has priority over a parameter, and a parameter over a
 * wildcard. `/a` and `/a/` are different paths. Paths are case-sensitive. A parameter is never empty and may contain an encoded slash. The
 * value of a wildcard is safe to join to a folder: a path with `..` or a backslash in it is malformed.
 *
 * @example
 * const router = new HttpRouter<string>()
 * router.add('GET', '/authors/:id', 'one author')
 * router.find('GET', '/authors/7') // { value: 'one author', params: { id: '7' } }
 * router.find('PUT', '/authors/7') // { allow: ['GET', 'HEAD', 'OPTIONS'] }
 * router.find('GET', '/books') // null
 */
export class HttpRouter<T> {
  readonly #tables = new Map<string, Table<T>>()
  // Values of the parameters so far. Only one search runs at a time, so they share one array.
  readonly #captured: string[] = []

  /** @throws BootError `bad_path`, `duplicate_path` */
  add(method: string, pattern: string, value: T): void {
    if (!/^[A-Z]+$/.test(method)) {
      throw new BootError('bad_path', `The method '${method}' of the path '${pattern}' must be in upper case`)
    }
    const { segments, parameters, shape, wildcard } = parsePattern(pattern)
    const table = this.#table(method)
    const other = table.shapes.get(shape)
    if (other !== undefined) {
      throw new BootError(
        'duplicate_path',
        `${method} ${pattern} and ${method} ${other} are the same path: change or remove one of them`,
      )
    }
    table.shapes.set(shape, pattern)
    if (parameters.length === 0) {
      table.exact.set(pattern, Object.freeze({ value, params: noParams }))
      return
    }
    let node = table.root
    for (const segment of segments) node = descend(node, segment)
    if (wildcard) node.wildcard = { value, parameters, wildcard }
    else node.leaf = { value, parameters, wildcard }
  }

  /** `path` is as sent: not decoded, without the query. */
  find(method: string, path: string): RouteMatch<T> | null {
    // `OPTIONS *` and other targets that are not a path.
    if (!path.startsWith('/')) return null
    const found = this.#findIn(method, path) ?? (method === 'HEAD' ? this.#findIn('GET', path) : null)
    if (found !== null) return found
    const allow = this.#allow(path)
    return allow.length === 0 ? null : { allow }
  }

  #findIn(method: string, path: string): RouteHit<T> | MalformedPath | null {
    const table = this.#tables.get(method)
    if (table === undefined) return null
    const exact = table.exact.get(path)
    if (exact !== undefined) return exact
    const leaf = this.#search(table.root, path, 1, 0)
    return leaf === null ? null : this.#toHit(leaf)
  }

  #toHit(leaf: Leaf<T>): RouteHit<T> | MalformedPath {
    const params: Record<string, string> = {}
    for (let index = 0; index < leaf.parameters.length; index++) {
      const name = leaf.parameters[index]
      const text = this.#captured[index]
      if (name === undefined || text === undefined) continue
      const decoded = text.includes('%') ? decode(text) : text
      if (decoded === null) {
        return { error: new MalformedRequestError(`The path parameter '${name}' is not valid percent-encoded UTF-8`) }
      }
      params[name] = decoded
      if (leaf.wildcard && index === leaf.parameters.length - 1 && unsafe.test(decoded)) {
        return { error: new MalformedRequestError(`The path parameter '${name}' must not contain '..'`) }
      }
    }
    return { value: leaf.value, params }
  }

  // `start` is the index of the next segment; `depth` is the number of parameters so far.
  #search(node: Node<T>, path: string, start: number, depth: number): Leaf<T> | null {
    if (start > path.length) return node.leaf
    const slash = path.indexOf('/', start)
    const end = slash === -1 ? path.length : slash
    const segment = path.slice(start, end)
    const fixed = node.statics.get(segment)
    if (fixed !== undefined) {
      const leaf = this.#search(fixed, path, end + 1, depth)
      if (leaf !== null) return leaf
    }
    if (node.parameter !== null && segment !== '') {
      this.#captured[depth] = segment
      const leaf = this.#search(node.parameter, path, end + 1, depth + 1)
      if (leaf !== null) return leaf
    }
    if (node.wildcard === null || start === path.length) return null
    this.#captured[depth] = path.slice(start)
    return node.wildcard
  }

  #allow(path: string): string[] {
    const allow = new Set<string>()
    for (const [method, table] of this.#tables) {
      if (table.exact.has(path) || this.#search(table.root, path, 1, 0) !== null) allow.add(method)
    }
    if (allow.size === 0) return []
    if (allow.has('GET')) allow.add('HEAD')
    return [...allow.add('OPTIONS')].sort()
  }

  #table(method: string): Table<T> {
    let table = this.#tables.get(method)
    if (table === undefined) {
      table = { exact: new Map(), root: createNode(), shapes: new Map() }
      this.#tables.set(method, table)
    }
    return table
  }
}

/** A segment `.` or `..`, a backslash (a separator on Windows), or a NUL (the end of a C string). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches a NUL
const unsafe = /(?:^|\/)\.{1,2}(?:\/|$)|[\\\u0000]/

function createNode<T>(): Node<T> {
  return { statics: new Map(), parameter: null, wildcard: null, leaf: null }
}

function descend<T>(node: Node<T>, segment: string | null): Node<T> {
  if (segment === null) {
    node.parameter ??= createNode()
    return node.parameter
  }
  let child = node.statics.get(segment)
  if (child === undefined) {
    child = createNode()
    node.statics.set(segment, child)
  }
  return child
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
