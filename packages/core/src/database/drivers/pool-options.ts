/** PostgreSQL only, but for `acquireTimeoutMs`: PGlite has one connection. */
export interface PoolOptions {
  /** Most connections of this process. Default 20. */
  readonly max?: number
  /** How long one attempt to connect may take. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** How long a query or a transaction may wait for a connection; then `unavailable`. Default 30,000; 0: as long as its call lasts. */
  readonly acquireTimeoutMs?: number
  /** A connection that nobody used for so long is closed. Default 300,000 (5 minutes); 0: never. */
  readonly idleTimeoutMs?: number
  /**
   * A connection is replaced at this age, up to a tenth earlier so that not all are at once: a server behind a proxy or a name
   * that moved is found. Default 3,600,000 (an hour); 0: never.
   */
  readonly maxLifetimeMs?: number
  /** How long one statement may run: PostgreSQL then ends it, and the call gets `deadline_exceeded`. Default 0: as long as its call lasts. */
  readonly statementTimeoutMs?: number
  /** Asks a connection that lay unused for 5 seconds or more whether it still answers, before it is used. Default true. */
  readonly prePing?: boolean
  /** What the server's lists (`pg_stat_activity`) call this process. Default `twinwire`; `application_name` of the url wins. */
  readonly applicationName?: string
  /**
   * A PgBouncer that lends connections for a transaction stands before the server: nothing is prepared, and nothing
   * is left in a session. `statementTimeoutMs` is then kept by this side. Default false.
   */
  readonly pgBouncer?: boolean
}

export const poolDefaults: Required<PoolOptions> = {
  max: 20,
  connectTimeoutMs: 10_000,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  maxLifetimeMs: 3_600_000,
  statementTimeoutMs: 0,
  prePing: true,
  applicationName: 'twinwire',
  pgBouncer: false,
}

/** PostgreSQL cuts it at 63 bytes, and replaces what is not printable. */
export const applicationNamePattern: RegExp = /^[\x20-\x7e]{1,63}$/

/** Least value of each number. */
export const poolNumbers = {
  max: 1,
  connectTimeoutMs: 1,
  acquireTimeoutMs: 0,
  idleTimeoutMs: 0,
  maxLifetimeMs: 0,
  statementTimeoutMs: 0,
} as const

/** With the defaults in place of what is left out or undefined. */
export function toPool(options: PoolOptions = {}): Required<PoolOptions> {
  const given: Partial<PoolOptions> = { ...options }
  for (const name of Object.keys(poolDefaults)) {
    if (Object.hasOwn(given, name) && Reflect.get(given, name) === undefined) Reflect.deleteProperty(given, name)
  }
  return { ...poolDefaults, ...given }
}
