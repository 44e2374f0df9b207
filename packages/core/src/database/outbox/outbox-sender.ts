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
  /** Since the last warning. */
  #isFailing = false

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
    /** Streams that the broker refused: their later rows must not overtake, and must not hold back other streams. */
    const refused = new Set<string>()
    let round: Round = 'more'
    while (round === 'more' && !this.#closed) round = await this.#round(refused)
    const isFailing = round === 'failed' || refused.size > 0
    if (this.#isFailing && !isFailing && round === 'empty')
      this.#options.log.info('Publications of the outbox are sent again')
    if (round !== 'locked') this.#isFailing = isFailing
    this.#misses = round === 'empty' && !isFailing ? 0 : this.#misses + 1
    this.#schedule(this.#pauseMs(round, isFailing))
  }

  async #round(refused: Set<string>): Promise<Round> {
    const isWanted = this.#wanted
    this.#wanted = false
    try {
      // What a poll finds nothing for costs one statement.
      if (!isWanted) {
        this.#lagMs = await readLagMs(this.#options.db)
        if (this.#lagMs === null) return this.#wanted ? 'more' : 'empty'
      }
      const { round, sent } = await this.#options.transaction((tx) => this.#send(tx, refused), {
        isolation: 'read committed',
      })
      this.#options.counted.sent.inc(sent)
      if (round === 'empty' && refused.size === 0) this.#lagMs = null
      return round === 'empty' && this.#wanted ? 'more' : round
    } catch (error) {
      this.#failed(error)
      return 'failed'
    }
  }

  async #send(tx: Database, refused: Set<string>): Promise<{ readonly round: Round; readonly sent: number }> {
    const { batchSize } = this.#options
    const rows = await lockAndRead(tx, batchSize, refused)
    if (rows === null) return { round: 'locked', sent: 0 }
    const before = refused.size
    const taken = await this.#publish(rows, refused)
    if (taken.length > 0) await removeRows(tx, taken)
    // After the first refusal the others have their turn; when those are refused too, the broker is away.
    const isAway = refused.size > before && before > 0 && taken.length === 0
    const isLast = rows.length < batchSize && refused.size === before
    return { round: isAway ? 'failed' : isLast ? 'empty' : 'more', sent: taken.length }
  }

  #failed(error: unknown): void {
    this.#options.counted.failed.inc()
    if (this.#isFailing) return
    this.#isFailing = true
    this.#options.log.warn({ err: error }, 'Publications of the outbox could not be sent: they are tried again')
  }

  /** Streams side by side, each in its order and only up to its first failure. Returns the ids that the broker took. */
  async #publish(rows: readonly OutboxRow[], refused: Set<string>): Promise<readonly bigint[]> {
    const taken: bigint[] = []
    const streams = new Map<string, OutboxRow[]>()
    for (const row of rows) {
      const ofStream = streams.get(row.stream)
      if (ofStream === undefined) streams.set(row.stream, [row])
      else ofStream.push(row)
    }
    await Promise.all(
      [...streams].map(async ([stream, ofStream]) => {
        try {
          for (const row of ofStream) {
            await this.#publishRow(row)
            taken.push(row.id)
          }
        } catch (error) {
          refused.add(stream)
          this.#failed(error)
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

  #pauseMs(round: Round, isFailing: boolean): number {
    const { pollMs } = this.#options
    if (round === 'empty' && !isFailing) return pollMs
    const pauseMs = firstPauseMs * 2 ** Math.min(this.#misses - 1, 16)
    return Math.min(pauseMs, round === 'locked' ? pollMs : longestPauseMs)
  }
}
