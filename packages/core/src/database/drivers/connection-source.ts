import { BootError } from '../../base/boot-error.ts'
import type { Connection } from './connection.ts'
import type { DatabaseDriver, DriverContext, OpenDriver } from './driver.ts'
import { DriverClient } from './driver-connection.ts'
import { toSetCommands } from './session-settings.ts'

/** Creates the connections of a pool. */
export interface ConnectionSource {
  readonly location: string
  /** Inside this process, with one connection. */
  readonly embedded: boolean
  /** Commands that every transaction starts with; '' for none. */
  readonly atBegin: string
  /** `onStale`: a table has changed its columns since the connection prepared its statements. */
  create(onStale: (connection: Connection) => void): Connection
  /** For migrations: statements have no time limit, and none is prepared. */
  createUntimed(): Connection
  close(): Promise<void>
}

export interface SourceOptions extends DriverContext {
  readonly url: string | undefined
  readonly driver: OpenDriver | undefined
  /** Of PGlite. */
  readonly embeddedExtensions: readonly string[]
}

/** By `driver`, or by the scheme of the url. A library is loaded only when its url is used: an app installs one of them. */
export async function openSource(options: SourceOptions): Promise<ConnectionSource> {
  const { url, driver, embeddedExtensions, pool, log, clock } = options
  const context: DriverContext = { pool, log, clock }
  if (driver !== undefined) return toSource(await driver(context), context)
  const scheme = /^([a-z]+):\/\//.exec(url ?? '')?.[1]
  switch (scheme) {
    case 'postgres':
    case 'postgresql':
      return (await import('./postgres-driver.ts')).openPostgres(url ?? '', context)
    case 'pglite':
      return toSource(await (await import('./pglite-driver.ts')).openPglite(url ?? '', embeddedExtensions), context)
  }
  // The url is not quoted: it may hold a password.
  throw new BootError('bad_option', 'database(): url must start with postgres://, postgresql:// or pglite://')
}

/** The settings of a session are sent when a connection opens, so that a driver need not know them. */
function toSource(driver: DatabaseDriver, { pool, clock }: DriverContext): ConnectionSource {
  const { embedded = false } = driver
  const settings = toSetCommands('session')
  const name = `set application_name = '${pool.applicationName.replaceAll("'", "''")}'`
  const connect = (atOpen: string): Connection =>
    new DriverClient(driver.connect(), {
      clock,
      atOpen,
      // PGlite may take long to start, and there is no network that could lose it.
      connectTimeoutMs: embedded ? 0 : pool.connectTimeoutMs,
      replaceable: !embedded,
    })
  const timeout = pool.statementTimeoutMs === 0 ? '' : `; set statement_timeout = ${pool.statementTimeoutMs}`
  const untimed = `${settings}; ${name}; set statement_timeout = 0`
  return {
    location: driver.location,
    embedded,
    atBegin: '',
    create: () => connect(embedded ? settings : `${settings}; ${name}${timeout}`),
    createUntimed: () => connect(untimed),
    close: async () => driver.close?.(),
  }
}
