import { type Variable, variable } from '../settings/variable.ts'
import { defaultSlowQueryMs } from './database-options.ts'
import { applicationNamePattern, type PoolOptions, poolDefaults } from './drivers/pool-options.ts'

/** Those of the variables of a database that say how its connections are kept. */
export const poolVariables: { readonly [K in keyof PoolOptions]-?: Variable<Required<PoolOptions>[K], false> } = {
  max: variable.integer('DB_POOL_SIZE', {
    about: 'Most connections of this process',
    min: 1,
    max: 10_000,
    default: poolDefaults.max,
  }),
  acquireTimeoutMs: variable.duration('DB_POOL_ACQUIRE_TIMEOUT', {
    about: 'How long a query or a transaction may wait for a connection; 0: as long as its call lasts',
    default: poolDefaults.acquireTimeoutMs,
  }),
  idleTimeoutMs: variable.duration('DB_POOL_IDLE_TIMEOUT', {
    about: 'A connection that nobody used for so long is closed; 0: never',
    default: poolDefaults.idleTimeoutMs,
  }),
  maxLifetimeMs: variable.duration('DB_POOL_RECYCLE', {
    about: 'Age at which a connection is replaced, up to a tenth earlier; 0: never',
    default: poolDefaults.maxLifetimeMs,
  }),
  prePing: variable.flag('DB_POOL_PRE_PING', {
    about: 'Whether a connection that lay unused for 5 seconds is asked if it answers, before it is used',
    default: poolDefaults.prePing,
  }),
  connectTimeoutMs: variable.duration('DB_CONNECT_TIMEOUT', {
    about: 'How long one attempt to connect may take',
    min: 1,
    default: poolDefaults.connectTimeoutMs,
  }),
  statementTimeoutMs: variable.duration('DB_STATEMENT_TIMEOUT', {
    about: 'How long one statement may run; 0: as long as its call lasts',
    default: poolDefaults.statementTimeoutMs,
  }),
  applicationName: variable.text('DB_APPLICATION_NAME', {
    about: 'What the lists of the server call this process',
    default: poolDefaults.applicationName,
    check: (name) => (applicationNamePattern.test(name) ? null : 'must be 1 to 63 printable ASCII characters'),
  }),
  pgBouncer: variable.flag('DB_PGBOUNCER', {
    about: 'Whether a PgBouncer that lends connections for a transaction stands before the server',
    default: poolDefaults.pgBouncer,
  }),
}

export const slowQueryVariable: Variable<number, false> = variable.duration('DB_SLOW_QUERY_THRESHOLD', {
  about: 'A statement that takes longer is logged and counted; 0: none is',
  default: defaultSlowQueryMs,
})
