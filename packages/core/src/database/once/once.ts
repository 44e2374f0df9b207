import { PgDatabase } from 'drizzle-orm/pg-core'
import type { CounterCell } from '../../base/cells.ts'
import type { Clock } from '../../base/clock.ts'
import type { CheckResult } from '../../base/finding.ts'
import type { Instruments } from '../../base/instruments.ts'
import type { Logger } from '../../base/logger.ts'
import { checkOptions } from '../../base/options.ts'
import type { ActiveCall } from '../../call/active-call.ts'
import type { RouteInfo } from '../../call/call.ts'
import { withDeadlineError } from '../../call/deadline-error.ts'
import { type AppError, coreError, InternalError } from '../../errors/app-error.ts'
import type { OnceRuns } from '../../route/step.ts'
import type { Database, DatabaseApi } from '../database.ts'
import type { FirstStatement, FirstStatements } from '../drivers/first-statement.ts'
import { scopeEnded } from '../drivers/scope.ts'
import { checkTable, examineTable } from '../own-table.ts'
import { hash, toFingerprint } from './fingerprint.ts'
import { readKey } from './idempotency-key.ts'
import { addKept, fromKept, notKept, toAdded, toKept } from './kept-reply.ts'
import { type OnceOptions, onceRules } from './once-options.ts'
import { OnceRemoval } from './once-removal.ts'
import { type FirstAnswer, type Kept, KeyTaken, keepReply, ownOnce, reserveKey, toReservation } from './once-table.ts'

/** New transactions to see who has taken a key: the second one does. */
const maxAttempts = 20

const outcomes = ['replayed', 'mismatch', 'in_progress'] as const

/** One execution under a key. */
interface Attempt {
  readonly key: string
  readonly fingerprint: string
  readonly reservation: Omit<FirstStatement, 'execute'>
  /** Of the reservation, in the transaction that has just begun; null where none was sent with BEGIN. */
  answer: FirstAnswer | null
  /** What answers repeated calls; null until it is known. */
  kept: string | null
}

/** The first call of this node with a key. */
interface Running {
  readonly fingerprint: string
  /** With what answers repeated calls, or with null when it failed. */
  readonly ended: Promise<Kept | null>
}

interface OnceServices {
  readonly db: Database
  readonly firstStatements: FirstStatements
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
}

/** The calls of `once()` routes of one app. */
export class Once {
  readonly #options: OnceServices
  /** By key. */
  readonly #running = new Map<string, Running>()
  readonly #attempts = new WeakMap<ActiveCall, Attempt>()
  #removal: OnceRemoval | null = null
  #cells: Readonly<Record<(typeof outcomes)[number], CounterCell>> | null = null

  constructor(options: OnceServices) {
    this.#options = options
  }

  /**
   * Nothing, unless a route is bound.
   *
   * @throws BootError `missing_table`
   */
  async start(): Promise<void> {
    if (this.#cells === null) return
    const { db, clock, log, instruments } = this.#options
    await checkTable(db, ownOnce)
    const removed = instruments
      .counter('once_keys_removed_total', 'Keys of once() that were removed after their retention, by this process')
      .cell()
    this.#removal = new OnceRemoval({ db, clock, log, removed })
    this.#removal.start()
  }

  /** Nothing, unless a route is bound. */
  async examine(): Promise<CheckResult[]> {
    return this.#cells === null ? [] : [await examineTable(this.#options.db, ownOnce)]
  }

  async stop(): Promise<void> {
    await this.#removal?.stop()
  }

  /** @throws BootError for wrong options */
  bind(options: OnceOptions, route: RouteInfo): Omit<OnceRuns, 'refuse'> {
    const checked = checkOptions(`once() of ${route.name}`, options, onceRules)
    this.#cells ??= countRepeats(this.#options.instruments)
    return {
      outside: (input, call, execute) => {
        const own = readKey(call, checked.required)
        if (own === null) return execute()
        const key = hash(JSON.stringify([call.identity?.id, route.name, own]))
        const fingerprint = toFingerprint(input)
        const reservation = toReservation({ key, fingerprint }, checked.retention)
        return this.#lead(call, { key, fingerprint, reservation, answer: null, kept: null }, execute)
      },
      inside: (_input, call, execute) => {
        const attempt = this.#attempts.get(call)
        return attempt === undefined ? execute() : this.#reserve(call, attempt, checked, execute)
      },
    }
  }

  /** Calls of this node with one key wait here for the first of them, without a connection of the pool. */
  async #lead(call: ActiveCall, attempt: Attempt, execute: () => Promise<unknown>): Promise<unknown> {
    const { key, fingerprint } = attempt
    for (let first = this.#running.get(key); first !== undefined; first = this.#running.get(key)) {
      const { ended } = first
      // One key for two inputs is an error of the client, whether the first call commits or not: it gains nothing by waiting.
      if (first.fingerprint !== fingerprint) throw this.#mismatch()
      const kept = await this.#whileInProgress(call, () => unlessEnded(ended, call.signal))
      if (kept !== null) return this.#replay(call, attempt, kept)
    }
    let resolve = (_kept: Kept | null): void => {}
    const ended = new Promise<Kept | null>((done) => {
      resolve = done
    })
    const release = (kept: Kept | null): void => {
      if (this.#running.get(key)?.ended === ended) this.#running.delete(key)
      resolve(kept)
    }
    // Rolled back at once, while the handler may still run: the next call begins. If a COMMIT was sent, the key waits in the database.
    const abandon = (): void => release(null)
    this.#running.set(key, { fingerprint, ended })
    this.#attempts.set(call, attempt)
    call.signal.addEventListener('abort', abandon, { once: true })
    let succeeded = false
    try {
      const result = await repeatWhileTaken(call, this.#options.clock, () => {
        this.#reserveWithBegin(call, attempt)
        return execute()
      })
      succeeded = true
      return result
    } finally {
      call.signal.removeEventListener('abort', abandon)
      const { kept } = attempt
      release(succeeded && kept !== null ? { text: kept, fingerprint } : null)
    }
  }

  #reserveWithBegin(call: ActiveCall, attempt: Attempt): void {
    this.#options.firstStatements.set(call, {
      ...attempt.reservation,
      execute: async (send) => {
        attempt.answer = await this.#whileInProgress(call, send).then(
          (rows): FirstAnswer => ({ ok: true, rows }),
          (error: unknown): FirstAnswer => ({ ok: false, error }),
        )
      },
    })
  }

  /** The first statement of the transaction reserves the key, the last one keeps the reply. */
  async #reserve(
    call: ActiveCall,
    attempt: Attempt,
    options: Required<OnceOptions>,
    execute: () => Promise<unknown>,
  ): Promise<unknown> {
    const db = handleOf(call)
    const { key, reservation, answer } = attempt
    attempt.answer = null
    const kept = await this.#whileInProgress(call, () => reserveKey(db, key, reservation, answer))
    if (kept !== null) {
      const result = this.#replay(call, attempt, kept)
      attempt.kept = kept.text
      return result
    }
    const before = new Set(call.addedHeaders?.entries())
    const result = await execute()
    try {
      const text = toText(result, toAdded(before, call.addedHeaders), options)
      await keepReply(db, key, text)
      attempt.kept = text
      return result
    } catch (error) {
      call.discard(result)
      throw error
    }
  }

  /** @throws AppError `idempotency_mismatch` */
  #replay(call: ActiveCall, { fingerprint }: Attempt, kept: Kept): unknown {
    if (kept.fingerprint !== fingerprint) throw this.#mismatch()
    this.#cells?.replayed.inc()
    const { result, added } = fromKept(kept.text)
    addKept(call, added)
    return result
  }

  #mismatch(): AppError {
    this.#cells?.mismatch.inc()
    return coreError('idempotency_mismatch')
  }

  #whileInProgress<T>(call: ActiveCall, work: () => Promise<T>): Promise<T> {
    const inProgress = (): AppError => {
      this.#cells?.in_progress.inc()
      return coreError('idempotency_in_progress')
    }
    return withDeadlineError(call, inProgress, work)
  }
}

function toText(result: unknown, added: Parameters<typeof toKept>[1], options: Required<OnceOptions>): string {
  const text = toKept(result, added)
  return options.reply && Buffer.byteLength(text) <= options.maxReplyBytes ? text : notKept
}

function countRepeats(instruments: Instruments): Readonly<Record<(typeof outcomes)[number], CounterCell>> {
  const counter = instruments.counter(
    'once_repeats_total',
    'Repeated calls of once() routes: replayed (got the reply of the first call), mismatch (another input), in_progress (the first one was still running)',
    { outcome: outcomes },
  )
  return {
    replayed: counter.cell({ outcome: 'replayed' }),
    mismatch: counter.cell({ outcome: 'mismatch' }),
    in_progress: counter.cell({ outcome: 'in_progress' }),
  }
}

/** The key was taken after the transaction had its snapshot: a new one sees by whom. */
async function repeatWhileTaken<T>(call: ActiveCall, clock: Clock, execute: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await execute()
    } catch (error) {
      if (!(error instanceof KeyTaken)) throw error
      if (call.signal.aborted) throw scopeEnded(call.signal)
      // The row is hidden from this user, by row level security for example.
      if (attempt === maxAttempts)
        throw new InternalError({ cause: new Error('A key of once() is taken by a row that cannot be read') })
      if (attempt > 2) await new Promise<void>((resolve) => clock.timer(10, resolve))
    }
  }
}

function unlessEnded<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(scopeEnded(signal))
  return new Promise((resolve, reject) => {
    const end = (): void => reject(scopeEnded(signal))
    signal.addEventListener('abort', end, { once: true })
    const stop = (): void => signal.removeEventListener('abort', end)
    void work.then(resolve, reject).finally(stop)
  })
}

/** That of the transaction around it. */
function handleOf(call: ActiveCall): Database {
  const handle = 'db' in call ? call.db : null
  if (handle instanceof PgDatabase) return handle
  throw new InternalError({ cause: new Error('once() found no transaction: write transaction() directly behind it') })
}

const apis = new WeakMap<DatabaseApi, Once>()

/** Of the database plugin that made `api`. */
export function onceOf(api: DatabaseApi): Once | undefined {
  return apis.get(api)
}

export function setOnce(api: DatabaseApi, once: Once): void {
  apis.set(api, once)
}
