import type { Call, RouteInfo } from '@twinwire/core'
import { badOption } from '@twinwire/core/plugin'
import { owner } from '../options.ts'

/** The option `skip`: what is not recorded. */
export class SkippedCalls {
  readonly #paths: readonly string[]
  readonly #names: ReadonlySet<string>
  readonly #routes = new Map<RouteInfo, boolean>()

  /** An entry that begins with `/` is a path and includes the paths below it; any other entry is the name of a route. */
  constructor(skip: readonly string[]) {
    this.#paths = skip
      .filter((entry) => entry.startsWith('/'))
      .map((path) => (path.endsWith('/') ? path.slice(0, -1) : path))
    this.#names = new Set(skip.filter((entry) => !entry.startsWith('/')))
  }

  has({ route, wire, path }: Call): boolean {
    // Clients send pings all the time, and each says nothing.
    if (wire === 'ws' && route.pkgId === null && route.name === 'ping') return true
    if (route.path === null && path !== null) return this.#hasPath(path)
    const known = this.#routes.get(route)
    if (known !== undefined) return known
    const isSkipped = this.#names.has(route.name) || (route.path !== null && this.#hasPath(route.path))
    this.#routes.set(route, isSkipped)
    return isSkipped
  }

  /** A misspelt name would record what should not be. @throws BootError `bad_option` */
  check(routes: readonly RouteInfo[]): void {
    for (const name of this.#names)
      if (!routes.some((route) => route.name === name))
        throw badOption(owner, 'skip', 'must contain names of routes, and paths that begin with /', name)
  }

  #hasPath(path: string): boolean {
    return this.#paths.some(
      (each) => path.startsWith(each) && (path.length === each.length || path[each.length] === '/'),
    )
  }
}
