import { sql } from 'drizzle-orm'
import { AsyncScope } from '../base/async-scope.ts'
import type { Clock } from '../base/clock.ts'
import { takePublications } from '../call/effects.ts'
import { InternalError, OutcomeUnknownError } from '../errors/app-error.ts'
import { asMapped } from '../errors/normalize.ts'
import type { CommitHooks } from './before-commit.ts'
import type { Database, TransactionRequest } from './database.ts'
import type { FirstStatement, FirstStatements } from './drivers/first-statement.ts'
import type { OpenDatabase } from './drivers/open-database.ts'
import type { QueryMeter } from './drivers/query-meter.ts'
import { type Scope, scopeEnded } from './drivers/scope.ts'
import { findAppError, findDatabaseFailure, isStalePlan, toAppError, toFailure } from './errors.ts'
import type { Outbox } from './outbox/outbox.ts'
import type { TransactionMode } from './transaction-options.ts'

const noCall =
  'A transaction with outbox: true stores the publications of a call: pass { call }, or publish without an outbox'
const noOutbox = 'A transaction with outbox: true needs an outbox: set database({ outbox: {} })'

type Begin = <T>(run: (tx: Database) => Promise<T>) => Promise<T>

/**
 * Runs `run` between BEGIN and COMMIT. Errors of `run` pass as they are; errors of BEGIN, COMMIT and the connection do not have drizzle's
 * shape and become an AppError here.
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
    const known = findAppError(error)
    if (known !== null) throw asMapped(known)
    const failure = findDatabaseFailure(error)
    throw asMapped(toAppError(failure ?? toFailure(error), error), failure === null ? null : error)
  }
}

interface CallTransaction {
  readonly scope: Scope
  readonly tx: Database
  readonly mode: TransactionMode
  /** Of the outermost transaction, which stores the publications of all. */
  readonly outbox: { isUsed: boolean }
}

/** The transactions of one app: retried where that is configured, savepoints inside a transaction of the same call. */
export function createTransactions(
  database: Pick<OpenDatabase, 'transaction'>,
  {
    clock,
    meter,
    outbox,
    commitHooks,
    firstStatements,
  }: {
    readonly clock: Clock
    readonly meter: Pick<QueryMeter, 'retried'>
    readonly outbox: () => Outbox | null
    readonly commitHooks: CommitHooks
    readonly firstStatements: FirstStatements
  },
): <T>(run: (tx: Database) => Promise<T>, request?: TransactionRequest) => Promise<T> {
  // By what runs inside of what, and not by the call: two transactions that a call starts in parallel do not depend on each other.
  const open = new AsyncScope<CallTransaction>()

  const innermost = (scope: Scope): CallTransaction | null => open.find((transaction) => transaction.scope === scope)

  function inside<T>(
    scope: Scope | null,
    transaction: Omit<CallTransaction, 'scope'>,
    run: (tx: Database) => Promise<T>,
  ): Promise<T> {
    return scope === null ? run(transaction.tx) : open.run({ scope, ...transaction }, () => run(transaction.tx))
  }

  /** The outermost transaction of a call. */
  async function outermost<T>(
    scope: Scope | null,
    run: (tx: Database) => Promise<T>,
    mode: TransactionMode,
    isUsed: boolean,
    first: FirstStatement | null,
  ): Promise<T> {
    const usesOutbox = { isUsed }
    let isStored = false
    let committed: readonly (() => void)[] = []
    const result = await database.transaction(
      async (tx) => {
        const value = await inside(scope, { tx, mode, outbox: usesOutbox }, run)
        if (mode.readOnly !== true) committed = await commitHooks.run(scope, tx)
        // The last statements: the streams are locked as shortly as possible.
        if (usesOutbox.isUsed) isStored = (await outbox()?.store(tx, takePublications(scope))) === true
        return value
      },
      mode,
      scope,
      first,
    )
    for (const each of committed) runAfter(each, scope)
    if (isStored) outbox()?.committed()
    return result
  }

  return async (run, { call, retries = 0, outbox: usesOutbox = false, ...mode } = {}) => {
    const scope = call ?? null
    if (usesOutbox && outbox() === null) throw new InternalError({ cause: new Error(noOutbox) })
    if (usesOutbox && scope === null) throw new InternalError({ cause: new Error(noCall) })
    const outer = scope === null ? null : innermost(scope)
    if (outer !== null) {
      const nested = toNestedMode(mode, outer.mode)
      outer.outbox.isUsed ||= usesOutbox
      return outer.tx.transaction(async (tx) => {
        // PostgreSQL undoes it at the end of the savepoint.
        if (nested.readOnly === true && outer.mode.readOnly !== true) await tx.execute(sql`set transaction read only`)
        return inside(scope, { tx, mode: nested, outbox: outer.outbox }, run)
      })
    }
    const first = scope === null ? null : firstStatements.take(scope)
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await outermost(scope, run, mode, usesOutbox, first)
      } catch (error) {
        if (attempt > retries || !isTransient(error)) throw error
        meter.retried()
        await pause(clock, toDelayMs(attempt), scope?.signal ?? null)
      }
    }
  }
}

/** It is committed, whatever a hook throws. */
function runAfter(hook: () => void, scope: Scope | null): void {
  try {
    hook()
  } catch (error) {
    scope?.log.error({ err: error }, 'A hook after the COMMIT failed')
  }
}

/** A savepoint has the isolation of its transaction. */
function toNestedMode(inner: TransactionMode, outer: TransactionMode): TransactionMode {
  if (inner.isolation !== undefined && inner.isolation !== outer.isolation) {
    throw new InternalError({
      cause: new Error(
        `A transaction with isolation '${inner.isolation}' is inside a transaction with isolation '${outer.isolation ?? 'default'}': ` +
          'set the isolation of the outer transaction',
      ),
    })
  }
  return { ...outer, readOnly: outer.readOnly === true || inner.readOnly === true }
}

/** A serialization failure, a deadlock, or a statement that was prepared before a table changed. */
function isTransient(error: unknown): boolean {
  // It may have committed, whatever the cause.
  if (findAppError(error) instanceof OutcomeUnknownError) return false
  const failure = findDatabaseFailure(error)
  return failure !== null && (failure.code === '40001' || failure.code === '40P01' || isStalePlan(failure))
}

/** Exponential backoff with jitter: 5 to 15 ms, 10 to 30, …, at most 500 to 1500. */
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
