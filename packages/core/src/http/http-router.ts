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
  readonly isMount: boolean
}

interface Node<T> {
  readonly statics: Map<string, Node<T>>
  parameter: Node<T> | null
  /** Matches the rest of the path, if no other child does. */
  wildcard: Leaf<T> | null
  leaf: Leaf<T> | null
  /** Has this path and what is below it, as far as no route does. */
  mount: Leaf<T> | null
}

interface Mount<T> {
  readonly prefix: string
  readonly toValue: (method: string) => T
  /** Null: all of them. */
  readonly methods: readonly string[] | null
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
  readonly #mounts: Mount<T>[] = []
  /** Of methods without a table: null without mounts. */
  #others: Table<T> | null = null
  // Values of the parameters so far. Only one search runs at a time, so they share one array.
  readonly #captured: string[] = []

  /** @throws BootError `bad_path`, `duplicate_path` */
  add(method: string, pattern: string, value: T): void {
    if (!/^[A-Z][A-Z0-9-]*$/.test(method)) {
      throw new BootError('bad_path', `The method '${method}' of the path '${pattern}' must be in upper case`)
    }
    const why = neverRouted.get(method)
    if (why !== undefined)
      throw new BootError('bad_path', `${method} ${pattern} cannot be a route: ${why}; choose another method`)
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
    const leaf = { value, parameters, wildcard, isMount: false }
    if (wildcard) node.wildcard = leaf
    else node.leaf = leaf
  }

  /**
   * Adds what has `prefix` and every path below it, where no route has the path, for these methods, or for every one. `toValue` is called once
   * for each method that has routes, and for `ALL`, which are the rest. GET serves HEAD too.
   *
   * @throws BootError `duplicate_path`
   */
  addMount(prefix: string, toValue: (method: string) => T, methods: readonly string[] | null = null): void {
    if (this.#mounts.some((other) => other.prefix === prefix))
      throw new BootError(
        'duplicate_path',
        `Two of fromFetch and staticFiles have the prefix '${prefix}': change or remove one of them`,
      )
    const mount = { prefix, toValue, methods }
    this.#mounts.push(mount)
    for (const [method, table] of this.#tables) if (method !== 'HEAD') place(mount, method, table)
    if (methods !== null) {
      for (const method of methods) this.#table(method)
      return
    }
    // A table that is new has all mounts already.
    for (const method of mountedMethods) this.#table(method)
    if (this.#others === null) this.#others = createTable()
    place(mount, allMethods, this.#others)
  }

  /** `path` is as sent: not decoded, without the query. */
  find(method: string, path: string): RouteMatch<T> | null {
    // `OPTIONS *` and other targets that are not a path.
    if (!path.startsWith('/')) return null
    const found = this.#findIn(method, path) ?? (method === 'HEAD' ? this.#findIn('GET', path) : null)
    if (found !== null) return found
    const allow = this.allow(path)
    return allow.length === 0 ? null : { allow }
  }

  #findIn(method: string, path: string): RouteHit<T> | MalformedPath | null {
    const table = this.#tables.get(method) ?? (method === 'HEAD' ? null : this.#others)
    if (table === null) return null
    const exact = table.exact.get(path)
    if (exact !== undefined) return exact
    const leaf = this.#search(table.root, path, 1, 0)
    if (leaf === null) return null
    return leaf.isMount ? this.#toMountHit(leaf, method, path) : this.#toHit(leaf)
  }

  /** A path whose URL is another one is refused: it would pass the steps of one route, and be handled as the path of another. */
  #toMountHit(leaf: Leaf<T>, method: string, path: string): RouteHit<T> | MalformedPath {
    if (movesInUrl.test(path))
      return { error: new MalformedRequestError("The path must not contain a segment '.' or '..', nor a backslash") }
    const plain = path.includes('%') ? path.replace(encodedPlain, decodeURIComponent) : path
    if (plain !== path) {
      const match = this.find(method, plain)
      if (match === null || !('value' in match) || match.value !== leaf.value)
        return { error: new MalformedRequestError('The path must not encode characters that need no encoding') }
    }
    return { value: leaf.value, params: noParams }
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
    if (start > path.length) return node.leaf ?? node.mount
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
    if (node.wildcard === null || start === path.length) return node.mount
    this.#captured[depth] = path.slice(start)
    return node.wildcard
  }

  /** The methods of a path, as in `WrongMethod`; empty for an unknown path. */
  allow(path: string): readonly string[] {
    if (!path.startsWith('/')) return []
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
      table = createTable()
      this.#tables.set(method, table)
      // HEAD is GET where it has no route of its own.
      if (method !== 'HEAD') for (const mount of this.#mounts) place(mount, method, table)
    }
    return table
  }
}

/** Methods that an origin server must not serve by a route (RFC 9110, 9.3.6 and 9.3.8). */
const neverRouted: ReadonlyMap<string, string> = new Map([
  ['CONNECT', 'it opens a tunnel through a proxy'],
  ['TRACE', 'its answer shows a page what it must not see, such as cookies and tokens'],
])

/** A segment `.` or `..`, a backslash (a separator on Windows), or a NUL (the end of a C string). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches a NUL
const unsafe = /(?:^|\/)\.{1,2}(?:\/|$)|[\\\u0000]/

/** What the URL parser resolves or reads as a slash. */
const movesInUrl = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)|\\/i
/** Visible ASCII, encoded, other than a slash. */
const encodedPlain = /%(?!2f|7f|20)[2-7][0-9a-f]/gi
/** Methods that a mount tells from each other, beside those of routes. */
const mountedMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
/** Any other. */
export const allMethods = 'ALL'

function place<T>({ prefix, toValue, methods }: Mount<T>, method: string, table: Table<T>): void {
  if (methods !== null && !methods.includes(method)) return
  let node = table.root
  if (prefix !== '/') for (const segment of prefix.slice(1).split('/')) node = descend(node, segment)
  node.mount = { value: toValue(method), parameters: [], wildcard: false, isMount: true }
}

function createTable<T>(): Table<T> {
  return { exact: new Map(), root: createNode(), shapes: new Map() }
}

function createNode<T>(): Node<T> {
  return { statics: new Map(), parameter: null, wildcard: null, leaf: null, mount: null }
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
