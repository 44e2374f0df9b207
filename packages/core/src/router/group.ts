import { BootError } from '../errors/boot-error.ts'
import { stepRank, type Use } from '../pipeline/use.ts'
import type { AnyRoute } from './route.ts'
import type { HttpOptions } from './route-types.ts'

/**
 * Adds a path prefix and steps to many routes. The steps run before the routes' own of the same kind; what they add is not
 * typed for the handlers: for that use `route.with`.
 *
 * @example
 * createApp({ pkgIds: PkgID, routes: { ...group({ prefix: '/admin', use: [requireRoles('admin')] }, { PURGE: purge }) } })
 */
export function group<const Routes extends Readonly<Record<string, AnyRoute>>>(
  options: { readonly prefix?: `/${string}`; readonly use?: Use },
  routes: Routes,
): Routes {
  const { prefix = '', use = [] } = options
  if (prefix.endsWith('/')) throw new BootError('bad_path', `The prefix '${prefix}' must not end with a slash`)
  const grouped = Object.entries(routes).map(([name, route]) => {
    const { definition } = route
    // Guards of the group stand before guards of the route, but never a check of the group before them.
    const merged = [...use, ...definition.use].sort((a, b) => stepRank[a.kind] - stepRank[b.kind])
    const http = definition.http === null ? null : { ...definition.http, route: prefixed(prefix, definition.http) }
    return [name, { ...route, definition: Object.freeze({ ...definition, use: Object.freeze(merged), http }) }]
  })
  // The same names with the same types of routes: what `Object.fromEntries` cannot express.
  return Object.fromEntries(grouped) as Routes
}

function prefixed(prefix: string, http: HttpOptions): HttpOptions['route'] {
  const [method, path] = http.route.split(' ')
  return `${method} ${prefix}${path}` as HttpOptions['route']
}
