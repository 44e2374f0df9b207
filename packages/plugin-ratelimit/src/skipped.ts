import { BootError, type RouteInfo } from '@twinwire/core'

/** What no limit of the whole app concerns. */
export class SkippedPaths {
  readonly #paths: readonly string[]
  readonly #names: readonly string[]

  /** Paths begin with `/` and stand for what is below them too; all else is the name of a route. */
  constructor(skip: readonly string[]) {
    this.#paths = skip
      .filter((entry) => entry.startsWith('/'))
      .map((path) => (path.endsWith('/') ? path.slice(0, -1) : path))
    this.#names = skip.filter((entry) => !entry.startsWith('/'))
  }

  hasPath(path: string): boolean {
    for (const each of this.#paths)
      if (path.startsWith(each) && (path.length === each.length || path.charCodeAt(each.length) === 47)) return true
    return false
  }

  has({ name, path }: RouteInfo): boolean {
    return (path !== null && this.hasPath(path)) || this.#names.includes(name)
  }

  /** A name that no route has would be a limit that somebody believes to be off. */
  check(routes: readonly RouteInfo[]): void {
    const unknown = this.#names.find((name) => !routes.some((route) => route.name === name))
    if (unknown === undefined) return
    throw new BootError(
      'bad_option',
      `skip of rateLimit() names '${unknown}', which is neither a route nor a path: paths begin with /`,
    )
  }
}
