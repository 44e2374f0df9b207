import type { Clock, Logger } from '@twinwire/core'
import type { Database } from '@twinwire/core/database'
import type { CounterCell, Timer } from '@twinwire/core/plugin'
import { inArray, lt, sql } from 'drizzle-orm'
import { actions } from '../table.ts'

/** Rows of one statement: it holds their locks for some milliseconds. */
const batchSize = 200
/** Between two batches, for other work on the database: at most 4000 rows a second are removed. */
const pauseMs = 50
/** On average; each node waits half to one and a half of it. */
const intervalMs = 60_000

interface RowRemovalOptions {
  readonly db: () => Database
  readonly retentionMs: number
  readonly clock: Clock
  readonly log: Logger
  readonly removed: CounterCell
}

/** The advisory lock under which rows are removed: the bytes of 'twin' and of 'audi'. */
const removalLock = sql.raw('1953982830, 1635083369')

/** Removes old rows, in batches. Nodes take turns. */
export class RowRemoval {
  readonly #options: RowRemovalOptions
  #timer: Timer | null = null
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: RowRemovalOptions) {
    this.#options = options
  }

  start(): void {
    this.#wait(intervalMs * (0.5 + Math.random()))
  }

  /** Resolves when no statement of it runs any more. */
  stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    return this.#running
  }

  #wait(delayMs: number): void {
    if (this.#stopped) return
    this.#timer = this.#options.clock.timer(delayMs, () => {
      this.#running = this.#removeBatch()
    })
  }

  async #removeBatch(): Promise<void> {
    const { db, retentionMs, log, removed } = this.#options
    let count = 0
    try {
      count = await removeOlder(db(), retentionMs, batchSize)
      removed.inc(count)
    } catch (error) {
      log.warn({ err: error }, 'Old rows of the audit log were not removed: tried again in a minute')
    }
    this.#wait(count === batchSize ? pauseMs : intervalMs * (0.5 + Math.random()))
  }
}

/**
 * Removes at most `limit` rows that are older, oldest first, unless another node does. Resolves with their number. The rows are not locked before:
 * that would need the right to update them, which an app need not have.
 */
async function removeOlder(db: Database, retentionMs: number, limit: number): Promise<number> {
  const age = sql`${retentionMs}::float8 * interval '1 millisecond'`
  // Without the lock the rows are not even looked up.
  const isOld = sql`${lt(actions.timestamp, sql`now() - ${age}`)} and (select pg_try_advisory_xact_lock(${removalLock}))`
  const old = db
    .$with('old')
    .as(
      db
        .select({ id: actions.id })
        .from(actions)
        .where(isOld)
        .orderBy(actions.timestamp, actions.id)
        .limit(limit)
        .for('update', { skipLocked: true }),
    )
  const gone = await db
    .with(old)
    .delete(actions)
    .where(inArray(actions.id, db.select({ id: old.id }).from(old)))
    .returning({ id: actions.id })
  return gone.length
}
