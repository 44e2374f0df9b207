import type { Clock } from '../../base/clock.ts'
import { toParameterText, typeIdOf } from '../values/parameters.ts'
import {
  answersPing,
  type Connection,
  type LastStatement,
  queryFailed,
  type Statement,
  type StatementResult,
} from './connection.ts'
import { connectionLost, isAnswer, isFatal, markUnanswered } from './connection-lost.ts'
import type { DriverConnection, DriverResult } from './driver.ts'
import { scopeEnded } from './scope.ts'
import { SerialQueue } from './serial-queue.ts'

export interface DriverClientOptions {
  readonly clock: Clock
  /** Commands that a new connection starts with. */
  readonly atOpen: string
  /** 0: no limit. */
  readonly connectTimeoutMs: number
  /** False for the one connection of an embedded database: it is never replaced. */
  readonly replaceable: boolean
}

/** Serves the pool by a connection of a driver. */
export class DriverClient implements Connection {
  readonly #driver: DriverConnection
  readonly #options: DriverClientOptions
  readonly #queue = new SerialQueue()
  #openedMs: number | null = null
  #isReady = false
  #isRetired = false
  #ended: Promise<void> | null = null

  constructor(driver: DriverConnection, options: DriverClientOptions) {
    this.#driver = driver
    this.#options = options
  }

  get openedMs(): number | null {
    return this.#openedMs
  }

  get lost(): boolean {
    return this.#options.replaceable && (this.#isRetired || this.#driver.lost)
  }

  retire(): void {
    this.#isRetired = true
  }

  run({ text, parameters, rowMode }: Statement, signal: AbortSignal | null): Promise<StatementResult> {
    return this.#inTurn(signal, async () => {
      const strings = parameters.map((value) => (value === null ? null : toParameterText(value)))
      const result = await this.#driver.query({ text, parameters: strings, types: parameters.map(typeIdOf) }, signal)
      return toStatementResult(result, rowMode)
    })
  }

  async command(text: string, signal: AbortSignal | null, onSend?: () => void): Promise<string> {
    try {
      return await this.#inTurn(signal, () => this.#driver.command(text), onSend)
    } catch (cause) {
      throw queryFailed(text, cause)
    }
  }

  /** A driver has no call for several statements of which one has rows. */
  beginWith(): null {
    return null
  }

  async commit(signal: AbortSignal | null, onSend: () => void, last: readonly LastStatement[]): Promise<string> {
    for (const statement of last) {
      try {
        await this.run(statement, signal)
        statement.onAnswer(null)
      } catch (error) {
        statement.onAnswer(error)
        throw queryFailed(statement.text, error)
      }
    }
    return this.command('commit', signal, onSend)
  }

  isAlive(): Promise<boolean> {
    return answersPing(this, this.#options.clock)
  }

  /** Never rejects: the pool ends a connection in the background. */
  async end(): Promise<void> {
    this.#isRetired = true
    this.#ended ??= this.#driver.close().catch(() => {})
    await this.#ended
  }

  #inTurn<T>(signal: AbortSignal | null, work: () => Promise<T>, onSend?: () => void): Promise<T> {
    return this.#queue.run(async () => {
      if (signal?.aborted) throw scopeEnded(signal)
      if (this.#ended !== null || this.#driver.lost) throw connectionLost('CONNECTION_ENDED')
      if (!this.#isReady) await this.#open()
      if (signal?.aborted) throw scopeEnded(signal)
      onSend?.()
      try {
        return await work()
      } catch (error) {
        if (isFatal(error)) this.#isRetired = true
        if (!isAnswer(error)) markUnanswered(error)
        else if (signal?.aborted) throw scopeEnded(signal)
        throw error
      }
    })
  }

  /** A connection that cannot be opened is replaced: what state it is in, only its driver knows. */
  async #open(): Promise<void> {
    const { clock, atOpen, connectTimeoutMs } = this.#options
    const timer = connectTimeoutMs === 0 ? null : clock.timer(connectTimeoutMs, () => void this.end())
    try {
      await this.#driver.open()
      if (this.#ended !== null) throw connectionLost()
      this.#openedMs ??= clock.monotonic()
      await this.#driver.command(atOpen)
      this.#isReady = true
    } catch (error) {
      this.#isRetired = true
      throw error
    } finally {
      timer?.cancel()
    }
  }
}

/** `db.execute` gives rows as objects, whatever the driver. */
function toStatementResult(result: DriverResult, rowMode: Statement['rowMode']): StatementResult {
  const columns = result.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }))
  if (rowMode === 'array') return { sets: [{ rows: result.rows, columns }], raw: result }
  const rows = result.rows.map((row) =>
    Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])),
  )
  return { sets: [{ rows, columns }], raw: { ...result, rows } }
}
