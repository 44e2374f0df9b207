import type { Clock } from '../../base/clock.ts'
import type { Instruments } from '../../base/instruments.ts'
import type { Logger } from '../../base/logger.ts'
import type { Database } from '../database.ts'
import type { TransactionMode } from '../transaction-options.ts'
import type { HandOut } from './hand-out.ts'
import type { PoolOptions } from './pool-options.ts'
import type { QueryMeter } from './query-meter.ts'
import type { Scope } from './scope.ts'

/** One way to reach a PostgreSQL. Opening does not connect: `ping` does. */
export interface DatabaseDriver {
  /** For people: where the database is; without credentials. */
  readonly place: string
  /** Inside this process, not for production unless that is said. */
  readonly embedded: boolean
  /** On nobody's behalf: ends by itself only. */
  readonly db: Database
  /** The same pool, on behalf of `scope`. */
  bind(scope: Scope): Database
  /** Asks the database something. Rejects with the driver's error. */
  ping(): Promise<void>
  transaction<T>(run: (tx: Database) => Promise<T>, mode: TransactionMode, scope: Scope | null): Promise<T>
  /** Runs `run` while no other process that uses this database runs its own. Its statements take the time that they take. */
  exclusively<T>(run: (maintenance: Maintenance) => Promise<T>): Promise<T>
  /** Waits shortly for queries in flight, then cuts them. */
  close(): Promise<void>
}

/** What is done to a database while nobody else does the like. */
export interface Maintenance {
  /** A handle with a connection of its own. */
  readonly db: Database
  /** False when the connection that keeps the others away was lost. */
  holdsLock(): boolean
}

export interface DriverOptions {
  readonly url: string
  /** For relational queries. */
  readonly schema: Record<string, unknown> | undefined
  readonly pool: Required<PoolOptions>
  readonly meter: QueryMeter
  readonly handOut: HandOut
  readonly instruments: Instruments
  readonly log: Logger
  readonly clock: Clock
}

/** One for each kind of URL, in files of the same shape. */
export type OpenDriver = (options: DriverOptions) => Promise<DatabaseDriver>
