/** What `app.manifest()` of `@twinwire/core` writes: what a client of an app needs at run time. Plain data. */
export interface Manifest {
  /** 1 */
  readonly version: number
  /** Path of the WebSocket. */
  readonly path: string
  /** The longest frame that the server accepts. */
  readonly maxMessageBytes: number
  readonly routes: Readonly<Record<string, ManifestRoute>>
  readonly events: Readonly<Record<string, { readonly pkgId: number }>>
  /** What to do after a close code. A row without `reason` is for all others of its code. */
  readonly closes: ReadonlyArray<{ readonly code: number; readonly reason?: string; readonly reconnect: string }>
}

export interface ManifestRoute {
  /** Left out: over HTTP only. */
  readonly pkgId?: number
  /** `GET /authors/:id`; left out: over WebSocket only. */
  readonly http?: string
  /** Query keys of a method with a body. */
  readonly query?: readonly string[]
  /** `page`, `stream`, or `any` for a route without `output`: a page if it comes with `meta`. Left out: a value. */
  readonly reply?: string
  /** The route is `once()`: a repeated call has one effect. */
  readonly once?: boolean
}

/** PkgIDs by name, where there is no manifest: then only WebSocket is spoken. */
export type PkgIds = Readonly<Record<string, number>>

/** The manifest, or one made of PkgIDs: each may be that of a route or of an event. */
export function toManifest(manifest: Manifest | undefined, pkgIds: PkgIds | undefined): Manifest {
  if (manifest?.version === 1) return manifest
  if (manifest !== undefined) throw new TypeError(`Manifest ${manifest.version}: update @twinwire/client`)
  if (pkgIds === undefined) throw new TypeError('createClient() needs `manifest` or `pkgIds`')
  const table = Object.fromEntries(Object.entries(pkgIds).map(([name, pkgId]) => [name, { pkgId, reply: 'any' }]))
  return { version: 1, path: '/ws', maxMessageBytes: Infinity, routes: table, events: table, closes: [] }
}

/** @throws TypeError for an unknown name */
export function known<T>(rows: Readonly<Record<string, T>>, name: string): T {
  const row = rows[name]
  if (row === undefined) throw new TypeError(`Unknown: '${name}'. Stale manifest?`)
  return row
}
