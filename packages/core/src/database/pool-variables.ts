import { type Variable, variable } from '../settings/variable.ts'
import { slowQueryRule } from './database-options.ts'
import { type PoolOptions, poolRules } from './drivers/pool-options.ts'

/** The variables of the pool. */
export const poolVariables: { readonly [K in keyof PoolOptions]-?: Variable<Required<PoolOptions>[K], false> } = {
  max: variable.option('DB_POOL_SIZE', poolRules.max, { about: 'Maximum number of connections of this process' }),
  acquireTimeoutMs: variable.option('DB_POOL_ACQUIRE_TIMEOUT', poolRules.acquireTimeoutMs, {
    about: 'How long a query or a transaction may wait for a connection; 0: as long as its call lasts',
  }),
  idleTimeoutMs: variable.option('DB_POOL_IDLE_TIMEOUT', poolRules.idleTimeoutMs, {
    about: 'How long a connection may be unused before it is closed; 0: forever',
  }),
  maxLifetimeMs: variable.option('DB_POOL_RECYCLE', poolRules.maxLifetimeMs, {
    about: 'Age at which a connection is replaced, minus a random part of up to a tenth; 0: never',
  }),
  prePing: variable.option('DB_POOL_PRE_PING', poolRules.prePing, {
    about: 'Ping a connection that was unused for 5 seconds before it is used',
  }),
  connectTimeoutMs: variable.option('DB_CONNECT_TIMEOUT', poolRules.connectTimeoutMs, {
    about: 'How long one attempt to connect may take',
  }),
  statementTimeoutMs: variable.option('DB_STATEMENT_TIMEOUT', poolRules.statementTimeoutMs, {
    about: 'How long one statement may run; 0: as long as its call lasts',
  }),
  applicationName: variable.option('DB_APPLICATION_NAME', poolRules.applicationName, {
    about: 'Name of this process in the lists of the server',
  }),
  pgBouncer: variable.option('DB_PGBOUNCER', poolRules.pgBouncer, {
    about: 'Whether a PgBouncer with `pool_mode = transaction` is in front of the server',
  }),
}

export const slowQueryVariable: Variable<number, false> = variable.option('DB_SLOW_QUERY_THRESHOLD', slowQueryRule, {
  about: 'A statement that takes longer is logged and counted; 0: none is',
})
