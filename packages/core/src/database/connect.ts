import { BootError } from '../base/boot-error.ts'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { DatabaseDriver } from './drivers/driver.ts'
import { type DatabaseFailure, findDatabaseFailure, isConnectionFailure, toFailure } from './errors.ts'

/** For a database that starts beside the application, or after it. */
export interface ConnectOptions {
  /** Attempts after the first. Default 5. */
  readonly retries?: number
  /** Default 2000. */
  readonly retryDelayMs?: number
}

export const connectDefaults = { retries: 5, retryDelayMs: 2000 } as const

/**
 * Waits for the database. Only what can heal by itself is tried again: a wrong password fails at once.
 * Throws BootError `database_unreachable`.
 */
export async function connect(
  driver: DatabaseDriver,
  { retries = connectDefaults.retries, retryDelayMs = connectDefaults.retryDelayMs }: ConnectOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await driver.ping()
      return
    } catch (error) {
      const failure = findDatabaseFailure(error) ?? toFailure(error)
      const heals = canHeal(failure.code)
      if (!heals || attempt > retries) throw unreachable(driver, failure, heals ? attempt : null, error)
      log.warn(
        { attempt, retries, code: failure.code },
        `No database at ${driver.place} yet, next try in ${retryDelayMs} ms`,
      )
      await pause(clock, retryDelayMs)
    }
  }
}

/** ENOENT is a socket whose server has not started. */
function canHeal(code: string): boolean {
  return isConnectionFailure(code) || code === 'ENOENT'
}

function unreachable(
  driver: DatabaseDriver,
  failure: DatabaseFailure,
  attempts: number | null,
  cause: unknown,
): BootError {
  const reason = [failure.message, failure.code].filter((part) => part !== '').join(', ') || 'no reason given'
  const advice = driver.embedded
    ? 'Was its folder made by another version of PGlite, or not ended well? Name a new one to start afresh.'
    : /unsupported startup parameter/i.test(failure.message)
      ? 'A PgBouncer stands before the server: set pgBouncer: true in pool of database(), and let its mode be transaction.'
      : 'Check that it runs, and the url of database().'
  const sentence =
    attempts === null
      ? `The database at ${driver.place} refuses: ${reason}. ${advice}`
      : `The database at ${driver.place} cannot be reached (attempts: ${attempts}): ${reason}. ${advice}`
  return new BootError('database_unreachable', sentence, { cause })
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  // The clock's timers let a process end, and while the database is away nothing else holds this one.
  const hold = setInterval(() => {}, 2 ** 30)
  return new Promise<void>((resolve) => clock.timer(delayMs, resolve)).finally(() => clearInterval(hold))
}
