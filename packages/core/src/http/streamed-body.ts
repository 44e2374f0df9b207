import type { ActiveCall } from '../call/active-call.ts'
import type { StreamSource } from '../call/reply.ts'
import { isPrematureClose, openSource, type SourceReader } from '../call/stream-source.ts'
import { runInTrace } from '../call/tracer.ts'
import type { ResponseStream } from '../transport/transport.ts'

/** During a drain: how long a source may produce nothing until it is asked to end, and then until it is cut. */
const idleMs = 1000

const restarting = 'The server is restarting'

/** A streamed response: sends the chunks of its source, never faster than the client receives them. */
export class StreamedBody {
  readonly #call: ActiveCall
  readonly #source: StreamSource
  readonly #stream: ResponseStream
  #reader: SourceReader<string | Uint8Array> | null = null
  /** The source is no longer read. */
  #stopped = false
  /** `call.signal` is aborted: an error of the source is expected then. */
  #aborted = false
  /** Since when the source is awaited; null while the client is. */
  #waitingSinceMs: number | null = null
  #wake: () => void = () => {}

  constructor(call: ActiveCall, source: StreamSource, stream: ResponseStream) {
    this.#call = call
    this.#source = source
    this.#stream = stream
  }

  /**
   * Resolves when the body has ended, with whether all of it was sent, and never rejects. If the source throws, the connection is cut, so that the client does not take
   * a part of the body for all of it.
   */
  async run(): Promise<boolean> {
    // After this the call has been answered, and aborting it concerns only the body.
    await Promise.resolve()
    try {
      if (!this.#stream.open) {
        const hasLeft = this.#stopped
        this.stop('The response has no body')
        return !hasLeft
      }
      this.#reader ??= openSource(this.#source)
      while (!this.#stopped) {
        const next = await this.#next(this.#reader)
        if (next === null) return false
        if (next.done === true) {
          this.#stream.end()
          return true
        }
        if (!(await this.#stream.write(toChunk(next.value)))) this.stop('The client has stopped receiving')
      }
    } catch (error) {
      this.#stream.abort()
      this.#failed(error)
    }
    return false
  }

  /** The client has disconnected, or the response has no body: aborts `call.signal` and ends the source. */
  stop(reason: string): void {
    this.#abort(reason)
    if (this.#stopped) return
    this.#stopped = true
    this.#wake()
    runInTrace(this.#call, () => void this.#end().catch((error: unknown) => this.#failed(error)))
  }

  /** The drain timeout has passed. */
  cut(): void {
    this.stop(restarting)
    this.#stream.abort()
  }

  /**
   * The app closes. If the source produces nothing for a second, `call.signal` is aborted; if it neither ends nor produces anything for
   * another second, the response is cut.
   */
  endWhenIdle(abortedMs: number = Number.NEGATIVE_INFINITY): void {
    const { clock } = this.#call.services
    if (!this.#stream.open) return
    const nowMs = clock.monotonic()
    const leftMs = this.#waitingSinceMs === null ? idleMs : Math.max(this.#waitingSinceMs, abortedMs) + idleMs - nowMs
    if (leftMs > 0) {
      clock.timer(leftMs, () => this.endWhenIdle(abortedMs))
    } else if (abortedMs !== Number.NEGATIVE_INFINITY) {
      this.cut()
    } else {
      this.#abort(restarting)
      clock.timer(idleMs, () => this.endWhenIdle(nowMs))
    }
  }

  #next(reader: SourceReader<string | Uint8Array>): Promise<IteratorResult<string | Uint8Array, unknown> | null> {
    this.#waitingSinceMs = this.#call.services.clock.monotonic()
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(null)
      Promise.resolve(reader.next()).then(
        (next) => {
          this.#waitingSinceMs = null
          resolve(next)
        },
        (error) => (this.#stopped ? this.#failed(error) : reject(error)),
      )
    })
  }

  /** A source that was never read has to be opened before it can be ended. */
  async #end(): Promise<void> {
    this.#reader ??= openSource(this.#source)
    await this.#reader.end()
  }

  #abort(reason: string): void {
    this.#aborted = true
    this.#call.abandon(reason)
  }

  #failed(error: unknown): void {
    if (!this.#aborted) this.#call.log.error({ err: error }, 'A streamed body failed: the connection was cut')
    // The call logs it if it is not the result of the abort.
    else if (!isPrematureClose(error)) this.#call.fail(error)
  }
}

/** A source without types may give anything. */
function toChunk(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  throw new TypeError(`A streamed body consists of strings and Uint8Arrays, not of ${typeof value}`)
}
