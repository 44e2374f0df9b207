import type { PGlite, QueryOptions } from '@electric-sql/pglite'
import type { Clock } from '../../base/clock.ts'
import { typeIdOf } from '../values/parameters.ts'
import { type Connection, queryFailed, type Statement } from './connection.ts'
import { connectionLost, isAnswer, markUnanswered } from './connection-lost.ts'
import { useTexts } from './pglite-results.ts'
import { scopeEnded } from './scope.ts'
import { toSetCommands } from './session-settings.ts'
import { Turns } from './turns.ts'

/** How PGlite is to give a result, in its own words. */
export type PgliteForm = QueryOptions | undefined

/** The one connection of a PGlite. A statement cannot be cut: it holds the thread that would have to do it. */
export class PgliteConnection implements Connection<PgliteForm> {
  readonly #client: PGlite
  readonly #turns = new Turns()
  #ended: Promise<void> | null = null
  /** There is no other one to put in its place. */
  readonly lost = false
  #isReady = false
  #openedMs: number | null = null

  constructor(client: PGlite, clock: Clock) {
    this.#client = client
    const opened = (): void => {
      this.#openedMs = clock.monotonic()
    }
    // Statements wait for the same, and fail with the reason.
    client.waitReady.then(opened, () => {})
  }

  get openedMs(): number | null {
    return this.#openedMs
  }

  retire(): void {}

  run({ text, parameters, form }: Statement<PgliteForm>, signal: AbortSignal | null): Promise<unknown> {
    return this.#send(signal, async () => {
      await this.#prepare()
      return this.#client.query(text, parameters, { ...form, paramTypes: parameters.map(typeIdOf) })
    })
  }

  /** PGlite adds parsers of its own while it starts. */
  async #prepare(): Promise<void> {
    if (this.#isReady) return
    await this.#client.waitReady
    useTexts(this.#client)
    await this.#client.exec(toSetCommands('session'))
    this.#isReady = true
  }

  async command(text: string, signal: AbortSignal | null, onSend?: () => void): Promise<string> {
    try {
      const work = async () => {
        await this.#prepare()
        return this.#client.exec(text)
      }
      const results = await this.#send(signal, work, onSend)
      return results.at(-1)?.command ?? ''
    } catch (cause) {
      throw queryFailed(text, cause)
    }
  }

  commit(signal: AbortSignal | null, onSend: () => void): Promise<string> {
    return this.command('commit', signal, onSend)
  }

  #send<T>(signal: AbortSignal | null, work: () => Promise<T>, onSend?: () => void): Promise<T> {
    return this.#turns.run(async () => {
      if (signal?.aborted) throw scopeEnded(signal)
      if (this.#client.closed) throw connectionLost('CONNECTION_ENDED')
      onSend?.()
      try {
        return await work()
      } catch (error) {
        if (!isAnswer(error)) markUnanswered(error)
        throw error
      }
    })
  }

  async isAlive(): Promise<boolean> {
    return true
  }

  /** Never rejects: a pool that ends it waits for nothing. The driver closes what is still open after it. */
  async end(): Promise<void> {
    this.#ended ??= this.#client.close().catch(() => {})
    await this.#ended
  }
}
