import type { Clock, Logger } from '@twinwire/core'
import type { Database } from '@twinwire/core/database'
import type { CounterCell, Timer } from '@twinwire/core/plugin'
import { and, gte, inArray, lt, sql } from 'drizzle-orm'
import { actions } from '../table.ts'

/** Rows of one statement: it holds their locks for about 5 ms. */
const batchSize = 100
/** Between two batches, for other work on the database: at most 5000 rows a second are removed. */
const pauseMs = 20
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
  /** Where the last batch has ended: until a vacuum the index has what was removed before, and would be read from its beginning. */
  #from: Date | null = null

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
      const last = await removeOlder(db(), retentionMs, this.#from)
      count = last.count
      this.#from = count === batchSize ? last.timestamp : null
      removed.inc(count)
    } catch (error) {
      log.warn({ err: error }, 'Old rows of the audit log were not removed: tried again in a minute')
    }
    this.#wait(count === batchSize ? pauseMs : intervalMs * (0.5 + Math.random()))
  }
}

interface Removed {
  readonly count: number
  /** Of the youngest. */
  readonly timestamp: Date | null
}

/** Removes a batch of the oldest rows, from a point in time on, unless another node does. */
async function removeOlder(db: Database, retentionMs: number, from: Date | null): Promise<Removed> {
  const age = sql`${retentionMs}::float8 * interval '1 millisecond'`
  // Without the lock the rows are not even looked up.
  const isMine = sql`(select pg_try_advisory_xact_lock(${removalLock}))`
  const old = db.$with('old').as(
    db
      .select({ id: actions.id })
      .from(actions)
      .where(
        and(
          lt(actions.timestamp, sql`now() - ${age}`),
          from === null ? undefined : gte(actions.timestamp, from),
          isMine,
        ),
      )
      .orderBy(actions.timestamp, actions.id)
      .limit(batchSize)
      // In order, and without waiting: a session that has locked rows of its own accord neither stops this one nor dies with it.
      .for('update', { skipLocked: true }),
  )
  const gone = await db
    .with(old)
    .delete(actions)
    .where(inArray(actions.id, db.select({ id: old.id }).from(old)))
    .returning({ timestamp: actions.timestamp })
  const timestamp = gone.reduce<Date | null>(
    (last, row) => (last === null || row.timestamp > last ? row.timestamp : last),
    null,
  )
  return { count: gone.length, timestamp }
}
