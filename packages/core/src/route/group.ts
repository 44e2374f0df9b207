import { BootError } from '../base/boot-error.ts'
import type { PathParameters } from './path-pattern.ts'
import type { AnyEndpoint, Route, RouteForm } from './route.ts'
import { checkSteps } from './route-definition.ts'
import type { HasKeys, HttpOptions } from './route-types.ts'
import { splitUse, type Use, type ValidUse } from './use.ts'

/**
 * Adds a path prefix and steps to many routes: `GET /` becomes `GET /admin`, `GET /users` becomes `GET /admin/users`. The steps run before the
 * routes' own of the same kind; what they add is not typed for the handlers: for that use `route.with`.
 *
 * @example
 * createApp({ pkgIds: PkgID, routes: { ...group({ prefix: '/admin', use: [requireRoles('admin')] }, { PURGE: purge }) } })
 */
export function group<
  const Routes extends Readonly<Record<string, AnyEndpoint>>,
  const Prefix extends `/${string}` = never,
  const U extends Use = [],
>(
  // A check of a group cannot know what its routes take: it may take anything.
  options: { readonly prefix?: Prefix; readonly use?: U & ValidUse<U, unknown> },
  routes: Routes & ValidRoutes<Routes, PathParameters<Prefix>>,
): Routes {
  const { prefix = '', use = [] }: { readonly prefix?: string; readonly use?: Use } = options
  if (prefix.endsWith('/')) throw new BootError('bad_path', `The prefix '${prefix}' must not end with a slash`)
  checkSteps(use, `group(${prefix})`)
  const grouped = Object.entries(routes).map(([name, route]) => {
    const { definition } = route
    const merged = mergeUse(use, definition.use)
    const http = definition.http === null ? null : { ...definition.http, route: prefixed(prefix, definition.http) }
    return [name, { ...route, definition: Object.freeze({ ...definition, use: Object.freeze(merged), http }) }]
  })
  // The same names with the same types of routes: what `Object.fromEntries` cannot express.
  return Object.fromEntries(grouped) as Routes
}

/** Steps of the group come before those of the route that run in the same phase: the route's guards still run before the group's checks. */
function mergeUse(group: Use, route: Use): Use {
  const [outer, inner] = [splitUse(group), splitUse(route)]
  const guards = [...outer.guards, ...inner.guards]
  return [...guards, ...outer.checks, ...inner.checks, ...outer.wrapped, ...inner.wrapped]
}

/** Parameters of the prefix have to be keys of the input of every route, as those of its own path. */
type ValidRoutes<Routes, Names extends string> = [Names] extends [never]
  ? unknown
  : {
      readonly [Name in keyof Routes]: Routes[Name] extends Route<infer Input, unknown, RouteForm>
        ? HasKeys<Names, Input>
        : unknown
    }

function prefixed(prefix: string, http: HttpOptions): HttpOptions['route'] {
  const [method, path] = http.route.split(' ')
  return `${method} ${prefix !== '' && path === '/' ? prefix : `${prefix}${path}`}` as HttpOptions['route']
}
