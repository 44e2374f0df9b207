import { type DisconnectRow, disconnects } from '../errors/disconnect.ts'
import type { DescribedRoute } from '../route/describe.ts'
import { findOnce } from '../route/once-steps.ts'

/** What a client of an app needs at run time: names and where they lead. Plain data, so that it can be a JSON file. */
export interface AppManifest {
  readonly version: 1
  /** Path of the WebSocket. */
  readonly path: string
  /** The longest WebSocket message that the server accepts. */
  readonly maxMessageBytes: number
  /** By name: the routes of the app and of its plugins, and the app's endpoints, as `GET /export`. */
  readonly routes: Readonly<Record<string, ManifestRoute>>
  readonly events: Readonly<Record<string, { readonly pkgId: number }>>
  /** What to do after a close code. A row without `reason` is for every reason of its code. */
  readonly closes: readonly ManifestClose[]
}

export interface ManifestRoute {
  /** Left out: on HTTP only. */
  readonly pkgId?: number
  /** `GET /authors/:id`. Left out: on WebSocket only. */
  readonly http?: string
  /** Query keys of a method with a body. */
  readonly query?: readonly string[]
  /** Left out: a value. `any`: it declares no `output`, and the reply is a page if it has `meta`. */
  readonly reply?: 'page' | 'stream' | 'any'
  /** It is `once()`: a call whose answer was lost may be sent again with its id. */
  readonly once?: true
}

export interface ManifestClose {
  readonly code: number
  readonly reason?: string
  readonly reconnect: DisconnectRow['reconnect']
}

/** What an app serves, once it is ready. */
export interface ServedApp {
  readonly routes: readonly DescribedRoute[]
  readonly events: ReadonlyArray<{ readonly name: string; readonly pkgId: number; readonly summary: string }>
  readonly websocket: { readonly path: string; readonly maxMessageBytes: number }
}

/** Sorted by name, so that another order in the source does not change the file. */
export function createManifest({ routes, events, websocket: { path, maxMessageBytes } }: ServedApp): AppManifest {
  // What answers during a drain is for operators: health, and the endpoints of plugins.
  // The body of an upload is not its input, so `client.call` could not send it; files are not called.
  const callable = routes.filter(
    ({ servesWhileDraining, http, info }) => !servesWhileDraining && !http?.streamed && !info.files,
  )
  return {
    version: 1,
    path,
    maxMessageBytes,
    routes: toRecord(callable.map((each) => [each.info.name, toManifestRoute(each)])),
    events: toRecord(events.map(({ name, pkgId }) => [name, { pkgId }])),
    closes: toCloses(Object.values(disconnects)),
  }
}

function toManifestRoute({
  info: { pkgId, method, path },
  query,
  reply,
  hasOutput,
  steps,
}: DescribedRoute): ManifestRoute {
  return {
    ...(pkgId !== null && { pkgId }),
    ...(path !== null && { http: `${method} ${path}` }),
    ...(query.length > 0 && { query }),
    ...(reply !== 'value' && { reply }),
    ...(!hasOutput && { reply: 'any' as const }),
    ...(findOnce(steps) !== null && { once: true as const }),
  }
}

function toCloses(rows: readonly DisconnectRow[]): readonly ManifestClose[] {
  const isShared = (code: number): boolean => rows.filter((row) => row.code === code).length > 1
  return rows.map(({ code, reason, reconnect }) => ({ code, ...(isShared(code) && { reason }), reconnect }))
}

function toRecord<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
