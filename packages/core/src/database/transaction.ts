import { sql } from 'drizzle-orm'
import { AsyncScope } from '../base/async-scope.ts'
import type { Clock } from '../base/clock.ts'
import { InternalError, OutcomeUnknownError } from '../errors/app-error.ts'
import { asMapped } from '../errors/normalize.ts'
import type { Database, TransactionRequest } from './database.ts'
import type { DatabaseDriver } from './drivers/driver.ts'
import type { QueryMeter } from './drivers/query-meter.ts'
import { type Scope, scopeEnded } from './drivers/scope.ts'
import { findAppError, findDatabaseFailure, isStalePlan, toAppError, toFailure } from './errors.ts'
import type { TransactionMode } from './transaction-options.ts'

type Begin = <T>(run: (tx: Database) => Promise<T>) => Promise<T>

/**
 * Runs `run` between BEGIN and COMMIT, and tells its errors from those of the database: `run`'s own pass as they are;
 * what BEGIN, COMMIT or the connection fails with carries no mark of drizzle's and becomes an AppError here.
 */
export async function runInTransaction<T>(begin: Begin, run: (tx: Database) => Promise<T>): Promise<T> {
  const thrown: unknown[] = []
  try {
    return await begin(async (tx) => {
      try {
        return await run(tx)
      } catch (error) {
        thrown.push(error)
        throw error
      }
    })
  } catch (error) {
    if (thrown.includes(error)) throw error
    throw asMapped(findAppError(error) ?? toAppError(findDatabaseFailure(error) ?? toFailure(error), error))
  }
}

interface CallTransaction {
  readonly scope: Scope
  readonly tx: Database
  readonly mode: TransactionMode
}

/** The transactions of one app: retried where that is configured, savepoints inside a transaction of the same call. */
export function createTransactions(
  driver: Pick<DatabaseDriver, 'transaction'>,
  { clock, meter }: { readonly clock: Clock; readonly meter: Pick<QueryMeter, 'retried'> },
): <T>(run: (tx: Database) => Promise<T>, request?: TransactionRequest) => Promise<T> {
  // By what runs inside of what, and not by the call: two transactions that a call starts in parallel do not depend on each other.
  const open = new AsyncScope<CallTransaction>()

  const innermost = (scope: Scope): CallTransaction | null => open.find((transaction) => transaction.scope === scope)

  function inside<T>(
    scope: Scope | null,
    { tx, mode }: Pick<CallTransaction, 'tx' | 'mode'>,
    run: (tx: Database) => Promise<T>,
  ): Promise<T> {
    return scope === null ? run(tx) : open.run({ scope, tx, mode }, () => run(tx))
  }

  return async (run, { call, retries = 0, ...mode } = {}) => {
    const scope = call ?? null
    const outer = scope === null ? null : innermost(scope)
    if (outer !== null) {
      const nested = toNestedMode(mode, outer.mode)
      return outer.tx.transaction(async (tx) => {
        // PostgreSQL takes it back at the end of the savepoint.
        if (nested.readOnly === true && outer.mode.readOnly !== true) await tx.execute(sql`set transaction read only`)
        return inside(scope, { tx, mode: nested }, run)
      })
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await driver.transaction((tx) => inside(scope, { tx, mode }, run), mode, scope)
      } catch (error) {
        if (attempt > retries || !isTransient(error)) throw error
        meter.retried()
        await pause(clock, toDelayMs(attempt), scope?.signal ?? null)
      }
    }
  }
}

/** A savepoint is of the isolation of its transaction. */
function toNestedMode(inner: TransactionMode, outer: TransactionMode): TransactionMode {
  if (inner.isolation !== undefined && inner.isolation !== outer.isolation) {
    throw new InternalError({
      cause: new Error(
        `A transaction of isolation '${inner.isolation}' is inside of one of isolation '${outer.isolation ?? 'default'}': ` +
          'give the outer one the isolation that is needed',
      ),
    })
  }
  return { ...outer, readOnly: outer.readOnly === true || inner.readOnly === true }
}

/** A serialization failure, a deadlock of which this one is the victim, or a statement that was prepared before a table changed. */
function isTransient(error: unknown): boolean {
  // It may have committed: what it was caused by does not matter.
  if (findAppError(error) instanceof OutcomeUnknownError) return false
  const failure = findDatabaseFailure(error)
  return failure !== null && (failure.code === '40001' || failure.code === '40P01' || isStalePlan(failure))
}

/** Grows with each attempt, and differs between those that met: 5 to 15 ms, 10 to 30, up to half a second to one and a half. */
function toDelayMs(attempt: number): number {
  return Math.min(10 * 2 ** (attempt - 1), 1000) * (0.5 + Math.random())
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      timer.cancel()
      if (signal !== null) reject(scopeEnded(signal))
    }
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', end)
      resolve()
    })
    if (signal?.aborted) end()
    else signal?.addEventListener('abort', end, { once: true })
  })
}
