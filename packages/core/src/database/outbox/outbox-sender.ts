import type { CounterCell } from '../../base/cells.ts'
import { type Clock, type Timer, withTimeout } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Publication } from '../../call/publication.ts'
import type { Database, DatabaseApi } from '../database.ts'
import { lockAndRead, type OutboxRow, readLagMs, removeRows } from './outbox-rows.ts'

export interface OutboxSenderOptions {
  readonly db: Database
  readonly transaction: DatabaseApi['transaction']
  readonly publishOnce: (publication: Publication, key: string) => Promise<void>
  readonly pollMs: number
  readonly batchSize: number
  readonly clock: Clock
  readonly log: Logger
  readonly counted: { readonly sent: CounterCell; readonly failed: CounterCell }
}

/** How long the broker has for one publication, while a transaction is open. */
const publishTimeoutMs = 5000
/** The first pause after another process held the lock, or after a failure; each one after it is twice as long, up to that of the poll, or to 5 s. */
const firstPauseMs = 25
const longestPauseMs = 5000

/** What one round has come to. */
type Round = 'empty' | 'more' | 'locked' | 'failed'

/**
 * Sends rows of the outbox, of this process and of others: one process at a time, by a lock that ends with its transaction. A row is removed in the
 * transaction in which the broker took it; if that is lost, it is sent again with the same key.
 */
export class OutboxSender {
  readonly #options: OutboxSenderOptions
  /** Those in a row that have not been able to send. */
  #misses = 0
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  /** Rows were committed since the round began. */
  #wanted = false
  #closed = false
  #lagMs: number | null = null

  constructor(options: OutboxSenderOptions) {
    this.#options = options
  }

  /** Of the oldest row, when it was looked at last: at most `pollMs` ago. */
  get lagMs(): number {
    return this.#lagMs ?? 0
  }

  start(): void {
    this.#schedule(0)
  }

  /** Rows were committed. */
  wake(): void {
    this.#wanted = true
    if (this.#running === null) this.#run()
  }

  /** Waits for the round in progress. What it leaves is sent by another process, or after the next start. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#running
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return
    this.#timer?.cancel()
    this.#timer = this.#options.clock.timer(delayMs, () => this.#run())
  }

  #run(): void {
    if (this.#closed || this.#running !== null) return
    this.#timer?.cancel()
    this.#running = this.#rounds().finally(() => {
      this.#running = null
    })
  }

  async #rounds(): Promise<void> {
    let round: Round = 'more'
    while (round === 'more' && !this.#closed) round = await this.#round()
    this.#misses = round === 'empty' ? 0 : this.#misses + 1
    this.#schedule(this.#pauseMs(round))
  }

  async #round(): Promise<Round> {
    const isWanted = this.#wanted
    this.#wanted = false
    try {
      // What a poll finds nothing for costs one statement.
      if (!isWanted) {
        this.#lagMs = await readLagMs(this.#options.db)
        if (this.#lagMs === null) return this.#wanted ? 'more' : 'empty'
      }
      const { round, sent } = await this.#options.transaction((tx) => this.#send(tx), { isolation: 'read committed' })
      this.#options.counted.sent.inc(sent)
      if (round === 'empty') this.#lagMs = null
      return round === 'empty' && this.#wanted ? 'more' : round
    } catch (error) {
      this.#options.counted.failed.inc()
      this.#options.log.warn({ err: error }, 'Publications of the outbox could not be sent: they are sent later')
      return 'failed'
    }
  }

  async #send(tx: Database): Promise<{ readonly round: Round; readonly sent: number }> {
    const { batchSize } = this.#options
    const rows = await lockAndRead(tx, batchSize)
    if (rows === null) return { round: 'locked', sent: 0 }
    const failures: unknown[] = []
    const taken = await this.#publish(rows, failures)
    if (taken.length > 0) await removeRows(tx, taken)
    if (failures.length > 0) {
      this.#options.counted.failed.inc(failures.length)
      this.#options.log.warn(
        { err: failures[0], streams: failures.length },
        'The broker did not take publications of the outbox: they are sent later',
      )
      return { round: 'failed', sent: taken.length }
    }
    return { round: rows.length < batchSize ? 'empty' : 'more', sent: taken.length }
  }

  /** Streams side by side, each in its order and only up to its first failure. Returns the ids that the broker took. */
  async #publish(rows: readonly OutboxRow[], failures: unknown[]): Promise<readonly bigint[]> {
    const taken: bigint[] = []
    const streams = new Map<string, OutboxRow[]>()
    for (const row of rows) {
      const ofStream = streams.get(row.stream)
      if (ofStream === undefined) streams.set(row.stream, [row])
      else ofStream.push(row)
    }
    await Promise.all(
      [...streams.values()].map(async (ofStream) => {
        try {
          for (const row of ofStream) {
            await this.#publishRow(row)
            taken.push(row.id)
          }
        } catch (error) {
          failures.push(error)
        }
      }),
    )
    return taken
  }

  #publishRow({ id, createdAt, publication }: OutboxRow): Promise<void> {
    const { clock, publishOnce } = this.#options
    return withTimeout(clock, publishTimeoutMs, 'Publishing', () =>
      publishOnce(JSON.parse(publication), `outbox-${id}-${createdAt.getTime()}`),
    )
  }

  #pauseMs(round: Round): number {
    const { pollMs } = this.#options
    if (round === 'empty') return pollMs
    const pauseMs = firstPauseMs * 2 ** Math.min(this.#misses - 1, 16)
    return Math.min(pauseMs, round === 'locked' ? pollMs : longestPauseMs)
  }
}
