import { BootError, type RouteInfo } from '@twinwire/core'

/** The `skip` option: what the application-wide limits do not apply to. */
export class SkippedPaths {
  readonly #paths: readonly string[]
  readonly #names: readonly string[]

  /** An entry that begins with `/` is a path and includes the paths below it; any other entry is the name of a route. */
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

  /** A misspelled name would leave limits in force that its author believes to be off. @throws BootError `bad_option` */
  check(routes: readonly RouteInfo[]): void {
    const unknown = this.#names.find((name) => !routes.some((route) => route.name === name))
    if (unknown === undefined) return
    throw new BootError(
      'bad_option',
      `rateLimit(): skip contains '${unknown}', which is not the name of a route; a path must begin with /`,
    )
  }
}
