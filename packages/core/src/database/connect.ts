import { BootError } from '../base/boot-error.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { OpenDatabase } from './drivers/open-database.ts'
import { type DatabaseFailure, findDatabaseFailure, isConnectionFailure, toFailure } from './errors.ts'

/** For a database that starts at the same time as the application, or later. */
export interface ConnectOptions {
  /** Attempts after the first. Default 5. */
  readonly retries?: number
  /** Milliseconds. Default 2000. */
  readonly retryDelayMs?: number
}

/**
 * Waits for the database. Only transient failures are retried: a wrong password fails at once.
 * Throws BootError `unreachable_database`.
 */
export async function connect(
  database: Pick<OpenDatabase, 'ping' | 'location' | 'embedded'>,
  { retries, retryDelayMs }: Required<ConnectOptions>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await database.ping()
      return
    } catch (error) {
      const failure = findDatabaseFailure(error) ?? toFailure(error)
      const transient = isTransient(failure.code)
      if (!transient || attempt > retries) throw unreachable(database, failure, transient ? attempt : null, error)
      log.warn(
        { attempt, retries, code: failure.code },
        `The database at ${database.location} is not reachable yet, next attempt in ${retryDelayMs} ms`,
      )
      await pause(clock, retryDelayMs)
    }
  }
}

/** ENOENT: a socket whose server has not started. */
function isTransient(code: string): boolean {
  return isConnectionFailure(code) || code === 'ENOENT'
}

function unreachable(
  { location, embedded }: Pick<OpenDatabase, 'location' | 'embedded'>,
  failure: DatabaseFailure,
  attempts: number | null,
  cause: unknown,
): BootError {
  const reason = [failure.message, failure.code].filter((part) => part !== '').join(', ') || 'unknown reason'
  const advice = embedded
    ? 'Its folder may be of another PGlite version, or damaged by a crash: use another folder to start with an empty database.'
    : /unsupported startup parameter/i.test(failure.message)
      ? 'A PgBouncer is in front of the server: set pool.pgBouncer to true in database(), and pool_mode to transaction in PgBouncer.'
      : 'Check that it is running, and the url of database().'
  const sentence =
    attempts === null
      ? `The database at ${location} refused the connection: ${reason}. ${advice}`
      : `The database at ${location} is not reachable (attempts: ${attempts}): ${reason}. ${advice}`
  return new BootError('unreachable_database', sentence, { cause })
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  // Timers of the clock do not keep a process running, and while the database is away nothing else does.
  const keepAlive = setInterval(() => {}, 2 ** 30)
  return new Promise<void>((resolve) => clock.timer(delayMs, resolve)).finally(() => clearInterval(keepAlive))
}
