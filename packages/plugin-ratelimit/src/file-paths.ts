import type { RouteInfo } from '@twinwire/core'
import type { IncomingRequest } from '@twinwire/core/plugin'

/** What a file's path is sent as. Another one is refused by the router, perhaps before its limit. */
const plainPath = /^(?:[\w.~!$&'()*+,;=:@/-]|%[2-9A-F][0-9A-F])*$/i

/** The paths that only the files of `staticFiles` have, as far as a request tells before it is routed. */
export class FilePaths {
  readonly #prefixes: readonly string[]
  /** The beginning of other paths, up to their first parameter. */
  readonly #others: readonly string[]

  constructor(routes: readonly RouteInfo[]) {
    const heads = (isOfFiles: boolean): readonly string[] =>
      routes.flatMap(({ path, files }) => (path === null || files !== isOfFiles ? [] : [toHead(path)]))
    this.#prefixes = heads(true)
    this.#others = this.#prefixes.length === 0 ? [] : heads(false)
  }

  /** Is it for a file, and so limited by the bucket of files? In doubt it is not. */
  has({ wire, method, path }: IncomingRequest): boolean {
    if (this.#prefixes.length === 0 || wire !== 'http' || (method !== 'GET' && method !== 'HEAD')) return false
    if (path.includes('..') || path.includes('//') || /%(?:2e|2f|5c)/i.test(path) || !plainPath.test(path)) return false
    const prefix = longest(this.#prefixes, path)
    const other = longest(this.#others, path)
    return prefix !== null && (other === null || other.length < prefix.length)
  }
}

/** `/authors` of `/authors/:id/books`; '' of `/:id` and of `/*`. */
function toHead(path: string): string {
  const at = path.search(/\/[:*]/)
  return at === -1 ? path.replace(/\/$/, '') : path.slice(0, at)
}

function longest(heads: readonly string[], path: string): string | null {
  let found: string | null = null
  for (const head of heads) {
    if (!path.startsWith(head) || (path.length > head.length && path.charCodeAt(head.length) !== 47)) continue
    if (found === null || head.length > found.length) found = head
  }
  return found
}
