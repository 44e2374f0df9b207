import type { CounterCell } from '../../base/cells.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Database } from '../database.ts'
import { removeExpired } from './once-table.ts'

/** Rows of one statement: it holds their locks for about 5 ms, and only a call with one of these keys waits for them. */
const batchSize = 100
/** Between two batches, for other work on the database. */
const pauseMs = 20
/** On average; each node waits half to one and a half of it. */
const intervalMs = 60_000

interface OnceRemovalOptions {
  readonly db: Database
  readonly clock: Clock
  readonly log: Logger
  readonly removed: CounterCell
}

/** Removes expired keys, in batches. Nodes take turns. */
export class OnceRemoval {
  readonly #options: OnceRemovalOptions
  #timer: Timer | null = null
  #running: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: OnceRemovalOptions) {
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
    const { db, log, removed } = this.#options
    let count = 0
    try {
      count = await removeExpired(db, batchSize)
      removed.inc(count)
    } catch (error) {
      log.warn({ err: error }, 'Expired keys of once() were not removed: tried again in a minute')
    }
    this.#wait(count === batchSize ? pauseMs : intervalMs * (0.5 + Math.random()))
  }
}
