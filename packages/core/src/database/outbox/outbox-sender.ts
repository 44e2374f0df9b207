import { AsyncResource } from 'node:async_hooks'
import type { CounterCell } from '../../base/cells.ts'
import { type Clock, type Timer, withTimeout } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { Publication } from '../../call/publication.ts'
import type { Database, DatabaseApi } from '../database.ts'
import { checkLock, lockAndRead, longestSilenceMs, type OutboxRow, readLagMs, removeRows } from './outbox-rows.ts'
import { firstPauseMs, longestPauseMs, RefusedStreams } from './refused-streams.ts'

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

/** How long the broker has for one publication, and for all of a round: a transaction is open meanwhile. */
const publishTimeoutMs = 1000
const roundMs = 1000

/** What one round has come to. `away`: the broker or the database takes nothing. */
type Round = 'empty' | 'more' | 'locked' | 'away'

/**
 * Sends rows of the outbox, of this process and of others: one process at a time, by a lock that ends with its transaction. A row is removed in the
 * transaction in which the broker took it; if that is lost, it is sent again with the same key.
 */
export class OutboxSender {
  readonly #options: OutboxSenderOptions
  readonly #refused = new RefusedStreams()
  /** That of the boot: what is sent belongs to no call, though the commit of one may have begun it. */
  readonly #context = new AsyncResource('OutboxSender')
  /** Those in a row that have not been able to send. */
  #misses = 0
  #timer: Timer | null = null
  #running: Promise<void> | null = null
  /** Rows were committed since the round began. */
  #wanted = false
  #closed = false
  #lagMs = 0
  #lagReadMs = Number.NEGATIVE_INFINITY
  #isAway = false

  constructor(options: OutboxSenderOptions) {
    this.#options = options
  }

  /** Of the oldest row, when it was looked at last: about `pollMs` ago. */
  get lagMs(): number {
    return this.#lagMs
  }

  start(): void {
    this.#schedule(0)
  }

  /** Rows were committed. */
  wake(): void {
    this.#wanted = true
    // The pause of a broker that takes nothing is not shortened.
    if (this.#running === null && !this.#isAway) this.#run()
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
    const rounds = this.#context.runInAsyncScope(() => this.#rounds())
    this.#running = rounds.finally(() => {
      this.#running = null
      // Woken after the last look at the rows.
      if (this.#wanted && !this.#isAway) this.#run()
    })
  }

  async #rounds(): Promise<void> {
    let round: Round = 'more'
    while (round === 'more' && !this.#closed) round = await this.#round()
    this.#isAway = round === 'away'
    this.#misses = round === 'empty' ? 0 : this.#misses + 1
    this.#schedule(this.#pauseMs(round))
  }

  async #round(): Promise<Round> {
    const isWanted = this.#wanted
    this.#wanted = false
    try {
      // What a poll finds nothing for costs one statement.
      if (await this.#readLag(isWanted)) {
        this.#refused.clear()
        return this.#wanted ? 'more' : 'empty'
      }
      const { round, sent } = await this.#options.transaction((tx) => this.#send(tx), { isolation: 'read committed' })
      this.#options.counted.sent.inc(sent)
      if (sent > 0 && this.#refused.size === 0 && this.#isAway) {
        this.#isAway = false
        this.#options.log.info('Publications of the outbox are sent again')
      }
      return round === 'empty' && this.#wanted ? 'more' : round
    } catch (error) {
      this.#options.counted.failed.inc()
      if (!this.#isAway)
        this.#options.log.warn({ err: error }, 'Publications of the outbox could not be sent: they are tried again')
      return 'away'
    }
  }

  /** With each poll, and at least as often when rows are committed all the time. Returns whether there are none. */
  async #readLag(isWanted: boolean): Promise<boolean> {
    const { clock, db, pollMs } = this.#options
    if (isWanted && clock.monotonic() - this.#lagReadMs < pollMs) return false
    const lagMs = await readLagMs(db)
    this.#lagReadMs = clock.monotonic()
    this.#lagMs = lagMs ?? 0
    return lagMs === null
  }

  async #send(tx: Database): Promise<{ readonly round: Round; readonly sent: number }> {
    const { batchSize, clock } = this.#options
    const askedMs = clock.monotonic()
    const paused = this.#refused.paused(askedMs)
    const rows = await lockAndRead(tx, batchSize, paused)
    if (rows === null) return { round: 'locked', sent: 0 }
    if (rows.length < batchSize) this.#refused.keepOnly(new Set(rows.map(({ stream }) => stream)), askedMs)
    // If this process was stopped meanwhile, another one may have sent them, longer ago than the broker remembers keys.
    if (clock.monotonic() - askedMs > longestSilenceMs) await checkLock(tx)
    const { taken, rejections, late } = await this.#publish(rows)
    if (taken.length > 0) await removeRows(tx, taken)
    if (rejections === 0 && !late) return { round: rows.length < batchSize ? 'empty' : 'more', sent: taken.length }
    // After a refusal the other streams have their turn; when several are refused and none is taken, the broker is away.
    const isAway = taken.length === 0 && rejections + paused.length > 1
    return { round: isAway ? 'away' : 'more', sent: taken.length }
  }

  /** Streams side by side, each in its order and only up to its first failure. */
  async #publish(rows: readonly OutboxRow[]) {
    const { clock, counted } = this.#options
    const until = clock.monotonic() + roundMs
    const taken: bigint[] = []
    let rejections = 0
    let late = false
    const streams = new Map<string, OutboxRow[]>()
    for (const row of rows) {
      const ofStream = streams.get(row.stream)
      if (ofStream === undefined) streams.set(row.stream, [row])
      else ofStream.push(row)
    }
    const publishStream = async (stream: string, ofStream: readonly OutboxRow[]): Promise<void> => {
      for (const row of ofStream) {
        late ||= this.#closed || clock.monotonic() > until
        if (late) return
        try {
          await this.#publishRow(row)
        } catch (error) {
          rejections += 1
          counted.failed.inc()
          if (!this.#isAway && !this.#refused.has(stream)) this.#warn(row, error)
          return this.#refused.refused(stream, clock.monotonic())
        }
        taken.push(row.id)
      }
      this.#refused.taken(stream)
    }
    await Promise.all([...streams].map(([stream, ofStream]) => publishStream(stream, ofStream)))
    return { taken, rejections, late }
  }

  #publishRow({ id, createdAt, publication }: OutboxRow): Promise<void> {
    const { clock, publishOnce } = this.#options
    return withTimeout(clock, publishTimeoutMs, 'Publishing', () =>
      publishOnce(JSON.parse(publication), `outbox-${id}-${createdAt.getTime()}`),
    )
  }

  #warn({ id, stream }: OutboxRow, error: unknown): void {
    this.#options.log.warn(
      { err: error, row: String(id), stream },
      'A publication of the outbox was refused: it is tried again, and holds back its stream until its row is removed',
    )
  }

  #pauseMs(round: Round): number {
    const { pollMs, clock } = this.#options
    if (round === 'empty') return this.#refused.nextMs(clock.monotonic(), pollMs)
    const pauseMs = firstPauseMs * 2 ** Math.min(this.#misses - 1, 16)
    return Math.min(pauseMs, round === 'locked' ? pollMs : longestPauseMs)
  }
}
