import { BootError } from '../base/boot-error.ts'
import type { AnyEvent } from '../call/event.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import type { AnyEndpoint, AnyRoute } from './route.ts'

interface Table {
  readonly pkgIds: Readonly<Record<string, number>>
  readonly routes: Readonly<Record<string, AnyRoute>>
  readonly events: Readonly<Record<string, AnyEvent>>
  readonly endpoints: readonly AnyEndpoint[]
  readonly errors: readonly ErrorFactory[]
}

const maxPkgId = 2 ** 31 - 1

/** Checks at boot what the types check at compile time: every PkgID has one entry, every entry a PkgID. */
export function checkTable({ pkgIds, routes, events, endpoints, errors }: Table): void {
  checkPkgIds(pkgIds)
  const isRoute = (name: string): boolean => Object.hasOwn(routes, name)
  const isEvent = (name: string): boolean => Object.hasOwn(events, name)
  for (const name of Object.keys(pkgIds)) {
    if (isRoute(name) && isEvent(name))
      throw new BootError('duplicate_pkg_id', `PkgID ${name} is both a route and an event: keep one`)
    if (!isRoute(name) && !isEvent(name))
      throw new BootError('missing_route', `PkgID ${name} has no entry: add it to routes or events`)
  }
  for (const name of Object.keys(routes)) if (!Object.hasOwn(pkgIds, name)) throw unknownName(name, routes)
  checkKinds(routes, 'route', 'routes')
  checkEventTable(pkgIds, events)
  for (const [i, endpoint] of endpoints.entries()) checkEndpoint(`endpoints[${i}]`, endpoint)
  checkErrors([...errors, ...[...Object.values(routes), ...endpoints].flatMap(({ definition }) => definition.errors)])
}

/** For a table of events alone: names of routes may be among the PkgIDs. */
export function checkEvents(pkgIds: Table['pkgIds'], events: Table['events']): void {
  checkPkgIds(pkgIds)
  checkEventTable(pkgIds, events)
}

function checkEventTable(pkgIds: Table['pkgIds'], events: Table['events']): void {
  for (const name of Object.keys(events)) if (!Object.hasOwn(pkgIds, name)) throw unknownName(name, {})
  checkKinds(events, 'event', 'events')
  const seen = new Map<AnyEvent, string>()
  for (const [name, event] of Object.entries(events)) {
    const other = seen.get(event)
    if (other !== undefined)
      throw new BootError(
        'duplicate_route',
        `Events ${other} and ${name} are the same definition: declare each with its own event(…)`,
      )
    seen.set(event, name)
  }
}

function unknownName(name: string, routes: Table['routes']): BootError {
  const http = Object.hasOwn(routes, name) ? (routes[name]?.definition?.http ?? null) : null
  return new BootError(
    'unknown_route',
    http === null
      ? `${name} is not declared in pkgIds: add it, or remove the entry`
      : `${name} (${http.route}) is not declared in pkgIds: add it, or put HTTP-only routes into endpoints`,
  )
}

/** Names an endpoint without a path by its position, summary and handler. */
export function checkEndpoint(where: string, endpoint: AnyEndpoint): void {
  checkKind(where, endpoint, 'route')
  const { http, summary, handler, command, ordered } = endpoint.definition
  if (http === null) {
    const name = (handler ?? command)?.name ?? ''
    const known = [summary === '' ? '' : `'${summary}'`, name === 'handler' || name === 'command' ? '' : name]
    const label = known.filter((each) => each !== '').join(', ')
    throw new BootError(
      'bad_route',
      `${where}${label === '' ? '' : ` (${label})`} is an endpoint without http: set its method and path, such as http: 'GET /export', or give it a PkgID and put it into routes`,
    )
  }
  if (ordered)
    throw new BootError(
      'bad_route',
      `${where} (${http.route}) is ordered, which applies to the packages of one connection: remove it, or give the route a PkgID`,
    )
}

function checkPkgIds(pkgIds: Readonly<Record<string, number>>): void {
  const names = new Map<number, string>()
  for (const [name, pkgId] of Object.entries(pkgIds)) {
    if (!Number.isInteger(pkgId) || pkgId < 1 || pkgId > maxPkgId) {
      throw new BootError('bad_pkg_id', `PkgID ${name} must be an integer from 1 to ${maxPkgId}, received ${pkgId}`)
    }
    const other = names.get(pkgId)
    if (other !== undefined)
      throw new BootError('duplicate_pkg_id', `PkgIDs ${other} and ${name} are both ${pkgId}: change one of them`)
    names.set(pkgId, name)
  }
}

function checkKinds(entries: Readonly<Record<string, { readonly kind?: unknown }>>, kind: string, list: string): void {
  for (const [name, entry] of Object.entries(entries)) checkKind(`${list}.${name}`, entry, kind)
}

function checkKind(where: string, entry: { readonly kind?: unknown } | undefined, kind: string): void {
  if (entry?.kind === kind) return
  const hint = entry?.kind === 'event' ? ': put events into events' : ''
  throw new BootError('bad_route', `${where} was not made by ${kind}(…)${hint}`)
}

/** Two factories with one code: `defineErrors` was called twice for it. */
function checkErrors(factories: readonly ErrorFactory[]): void {
  const byCode = new Map<string, ErrorFactory>()
  for (const factory of factories) {
    if (typeof factory !== 'function' || typeof factory.code !== 'string')
      throw new BootError('bad_option', `errors has an entry that defineErrors did not make: ${String(factory)}`)
    const other = byCode.get(factory.code)
    if (other !== undefined && other !== factory) {
      throw new BootError(
        'duplicate_error_code',
        `The error code '${factory.code}' is defined twice: rename one, or share the definition`,
      )
    }
    byCode.set(factory.code, factory)
  }
}
