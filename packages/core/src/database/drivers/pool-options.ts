import { option } from '../../base/option.ts'
import type { OptionRule } from '../../base/option-rule.ts'

/** `acquireTimeoutMs` also applies to an embedded database, which has one connection; the rest only to a server. */
export interface PoolOptions {
  /** Maximum number of connections of this process. 1 to 10,000, default 20. */
  readonly max?: number
  /** Milliseconds that one attempt to connect may take. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds that a query or a transaction may wait for a connection; then `unavailable`. Default 30,000; 0: as long as its call lasts. */
  readonly acquireTimeoutMs?: number
  /** A connection that was unused for this time (milliseconds) is closed. Default 300,000 (5 minutes); 0: never. */
  readonly idleTimeoutMs?: number
  /**
   * Age (milliseconds) at which a connection is replaced, minus a random part of up to a tenth, so that not all are replaced at once: a
   * server that moved behind a proxy or a host name is found. Default 3,600,000 (an hour); 0: never.
   */
  readonly maxLifetimeMs?: number
  /** Milliseconds that one statement may run: then PostgreSQL ends it, and the call fails with `deadline_exceeded`. Default 0: as long as its call lasts. */
  readonly statementTimeoutMs?: number
  /** Pings a connection that was unused for 5 seconds or more before it is used. Default true. */
  readonly prePing?: boolean
  /** Name of this process in the server's lists (`pg_stat_activity`). Default `twinwire`; `application_name` of the url takes precedence. */
  readonly applicationName?: string
  /**
   * For a PgBouncer with `pool_mode = transaction` in front of the server: nothing is prepared, and nothing is left in a session.
   * `statementTimeoutMs` is then enforced by this process. Only with a `postgres://` url. Default false.
   */
  readonly pgBouncer?: boolean
}

/** 24 days: a timer takes no longer time (2^31 - 1 ms). */
const maxMs = 24 * 86_400_000

/** A time: 0 means no limit, where `min` allows it. */
export function time(value: number, min = 0): OptionRule<number> {
  return option.duration({ min, max: maxMs, default: value })
}

/** Of the options, and of their environment variables. */
export const poolRules: { readonly [Name in keyof PoolOptions]-?: OptionRule<Required<PoolOptions>[Name]> } = {
  max: option.integer({ min: 1, max: 10_000, default: 20 }),
  connectTimeoutMs: time(10_000, 1),
  acquireTimeoutMs: time(30_000),
  idleTimeoutMs: time(300_000),
  maxLifetimeMs: time(3_600_000),
  statementTimeoutMs: time(0),
  prePing: option.flag({ default: true }),
  applicationName: option.string({
    // PostgreSQL cuts it at 63 bytes, and replaces what is not printable.
    expects: '1 to 63 printable ASCII characters',
    test: (name) => /^[\x20-\x7e]{1,63}$/.test(name),
    default: 'twinwire',
  }),
  pgBouncer: option.flag({ default: false }),
}
