import type { Clock } from '../../clock/clock.ts'
import type { Logger } from '../../log/logger.ts'
import type { Database } from '../database.ts'

/** One way to reach a PostgreSQL. Opening does not connect: `ping` does. */
export interface DatabaseDriver {
  /** For people: where the database is; without credentials. */
  readonly place: string
  /** Inside this process, not for production unless that is said. */
  readonly embedded: boolean
  readonly db: Database
  /** Asks the database something. Rejects with the driver's error. */
  ping(): Promise<void>
  transaction<T>(run: (tx: Database) => Promise<T>): Promise<T>
  /** Applies the migrations of a drizzle-kit folder that are not yet applied. */
  migrate(folder: string): Promise<void>
  /** Runs `run` while no other process that uses this database runs its own. */
  exclusively<T>(run: () => Promise<T>): Promise<T>
  /** Waits shortly for queries in flight, then cuts them. */
  close(): Promise<void>
}

export interface DriverOptions {
  readonly url: string
  /** For relational queries. */
  readonly schema: Record<string, unknown> | undefined
  readonly pool: PoolOptions
  readonly log: Logger
  readonly clock: Clock
}

/** PostgreSQL only: PGlite has one connection. */
export interface PoolOptions {
  /** Most connections of this process. Default 20. */
  readonly max?: number
  /** How long one attempt to connect may take. Default 10,000. */
  readonly connectTimeoutMs?: number
}

export const poolDefaults = { max: 20, connectTimeoutMs: 10_000 } as const

/** One for each kind of URL, in files of the same shape. */
export type OpenDriver = (options: DriverOptions) => Promise<DatabaseDriver>
