import { AsyncResource } from 'node:async_hooks'
import type { Clock, Logger } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { DatabaseWriter } from './database-writer.ts'
import type { AuditInstruments } from './instruments.ts'
import type { Row } from './row.ts'
import type { SpillFiles } from './spill-files.ts'

const firstDelayMs = 100
const longestDelayMs = 5000
/** Losses are logged with their number, not one by one. */
const dropLogMs = 10_000
/** How long the health check reports a loss. */
const reportedMs = 60_000

export interface RecorderOptions {
  readonly writer: Pick<DatabaseWriter, 'write'>
  readonly clock: Clock
  readonly log: Logger
  readonly queueSize: number
  readonly batchSize: number
  readonly batchMs: number
  /** Null: what does not fit in the queue is lost. */
  readonly spill: () => SpillFiles | null
  readonly instruments: AuditInstruments
}

/** The queue of rows, and what writes them. Adding a row never waits. */
export class Recorder {
  readonly #options: RecorderOptions
  /** The first ones are being written. */
  readonly #rows: Row[] = []
  /** That of the boot: a batch has rows of several calls, and is in the trace of none. */
  readonly #context = new AsyncResource('AuditRecorder')
  #batchTimer: Timer | null = null
  #writing: Promise<void> | null = null
  /** Ends the pause after a failure. */
  #retry: (() => void) | null = null
  #failures = 0
  #isClosing = false
  #isClosed = false
  #droppedAtMs = Number.NEGATIVE_INFINITY
  #notLogged = 0
  #dropLogTimer: Timer | null = null

  constructor(options: RecorderOptions) {
    this.#options = options
    options.instruments.queueSize.readFrom(() => this.#rows.length)
  }

  add(row: Row): void {
    const { queueSize, batchSize, batchMs, clock } = this.#options
    // Of a call that outlasted the end.
    if (this.#isClosed) return this.lost(1)
    if (this.#rows.length >= queueSize) return this.#overflow(row)
    this.#rows.push(row)
    if (this.#writing !== null) return
    if (this.#rows.length >= batchSize || this.#isClosing) this.#write()
    // From the first row of a batch on: a later one does not put it off.
    else this.#batchTimer ??= clock.timer(batchMs, () => this.#write())
  }

  /** Why the audit log is not complete in the database, for the health check; null if it is. */
  findProblem(): string | null {
    const { clock } = this.#options
    const spill = this.#options.spill()
    if (clock.monotonic() - this.#droppedAtMs < reportedMs) return 'Rows of the audit log are being lost'
    if (spill !== null && spill.rows > 0) return `${spill.rows} rows of the audit log wait in files`
    return this.#failures > 0 ? 'The audit log cannot be written' : null
  }

  /** Stores what waits, for at most `withinMs`; the rest is spilled, or counted as lost. */
  async close(withinMs: number): Promise<void> {
    const { clock, log } = this.#options
    this.#isClosing = true
    this.#batchTimer?.cancel()
    this.#retry?.()
    if (this.#writing === null && this.#rows.length > 0) this.#write()
    let isOver = false
    await new Promise<void>((resolve) => {
      const timer = clock.timer(withinMs, () => {
        isOver = true
        resolve()
      })
      void this.#untilWritten(() => isOver).finally(() => {
        timer.cancel()
        resolve()
      })
    })
    const left = this.#rows.splice(0)
    for (const row of left) this.#overflow(row)
    this.#isClosed = true
    await this.#options.spill()?.close()
    this.#dropLogTimer?.cancel()
    this.#logDropped()
    if (left.length > 0) log.warn({ rows: left.length }, 'Rows of the audit log were not written before the end')
  }

  async #untilWritten(isOver: () => boolean): Promise<void> {
    while (!isOver() && this.#writing !== null) await this.#writing
  }

  #write(): void {
    this.#batchTimer?.cancel()
    this.#batchTimer = null
    const written = this.#context.runInAsyncScope(() => this.#writeAll())
    this.#writing = written.finally(() => {
      this.#writing = null
      const { batchMs, clock } = this.#options
      if (this.#rows.length >= this.#least) this.#write()
      else if (this.#rows.length > 0) this.#batchTimer ??= clock.timer(batchMs, () => this.#write())
    })
  }

  /** So many rows are written at once. */
  get #least(): number {
    return this.#isClosing ? 1 : this.#options.batchSize
  }

  async #writeAll(): Promise<void> {
    const { writer, log } = this.#options
    for (;;) {
      try {
        await writer.write(this.#rows, this.#least)
        if (this.#failures > 0) log.info('The audit log is written again')
        this.#failures = 0
        this.#options.spill()?.readBack()
        return
      } catch (error) {
        if (this.#failures === 0) log.error({ err: error }, 'The audit log cannot be written; its rows wait')
        this.#failures++
        await this.#pause()
      }
    }
  }

  /** 50 to 100 ms, 100 to 200, …, at most 2.5 to 5 seconds; shorter at the end. */
  #pause(): Promise<void> {
    const { clock } = this.#options
    const longest = this.#isClosing ? firstDelayMs : longestDelayMs
    const delayMs = Math.min(longest, firstDelayMs * 2 ** (this.#failures - 1)) * (0.5 + Math.random() / 2)
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        this.#retry = null
        resolve()
      }
      const timer = clock.timer(delayMs, end)
      this.#retry = end
    })
  }

  #overflow(row: Row): void {
    if (this.#options.spill()?.add(row) === true) return
    this.lost(1)
  }

  lost(rows: number): void {
    const { clock, instruments } = this.#options
    instruments.dropped.inc(rows)
    this.#droppedAtMs = clock.monotonic()
    this.#notLogged += rows
    if (this.#isClosed) return this.#logDropped()
    if (this.#dropLogTimer !== null) return
    this.#logDropped()
    this.#dropLogTimer = clock.timer(dropLogMs, () => {
      this.#dropLogTimer = null
      this.#logDropped()
    })
  }

  #logDropped(): void {
    if (this.#notLogged === 0) return
    this.#options.log.error({ rows: this.#notLogged }, 'Rows of the audit log are lost')
    this.#notLogged = 0
  }
}
