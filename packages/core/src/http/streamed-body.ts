import type { ActiveCall } from '../call/active-call.ts'
import type { StreamSource } from '../call/reply.ts'
import { isPrematureClose, openSource, type SourceReader } from '../call/stream-source.ts'
import type { ResponseStream } from '../transport/transport.ts'

/** During a drain: how long a source may give nothing until it is told to end, and then until it is cut. */
const idleMs = 1000

const restarting = 'The server is restarting'

/** A streamed answer: sends its source piece by piece, never faster than the client takes it. */
export class StreamedBody {
  readonly #call: ActiveCall
  readonly #source: StreamSource
  readonly #stream: ResponseStream
  #reader: SourceReader | null = null
  /** The source is not read any more. */
  #stopped = false
  /** `call.signal` has said that nobody wants more: what the source throws then is its way to end. */
  #told = false
  /** Since when the source has been asked for its next chunk; null while it is the client that is waited for. */
  #waitingSinceMs: number | null = null
  #wake: () => void = () => {}

  constructor(call: ActiveCall, source: StreamSource, stream: ResponseStream) {
    this.#call = call
    this.#source = source
    this.#stream = stream
  }

  /**
   * Resolves when nothing is to be sent any more, and never rejects. A source that throws cuts the connection, so that the client does
   * not take half a body for a whole one.
   */
  async run(): Promise<void> {
    // By then the call has been answered, and what is told to it concerns the body alone.
    await Promise.resolve()
    try {
      if (!this.#stream.open) return this.stop('No body is wanted')
      this.#reader ??= openSource(this.#source)
      while (!this.#stopped) {
        const next = await this.#next(this.#reader)
        if (next === null) return
        if (next.done === true) return this.#stream.end()
        if (!(await this.#stream.write(next.value))) return this.stop('The client takes no more')
      }
    } catch (error) {
      this.#stream.abort()
      this.#failed(error)
    }
  }

  /** The client has left, or no body is wanted: the source is told, and ended. */
  stop(reason: string): void {
    this.#tell(reason)
    if (this.#stopped) return
    this.#stopped = true
    this.#wake()
    this.#end().catch((error: unknown) => this.#failed(error))
  }

  /** The time of the drain is over. */
  cut(): void {
    this.stop(restarting)
    this.#stream.abort()
  }

  /**
   * The app closes. A source that gives nothing for a second is told to end, by `call.signal`; one that neither ends nor gives anything
   * for another second is cut.
   */
  endWhenIdle(toldMs: number = Number.NEGATIVE_INFINITY): void {
    const { clock } = this.#call.services
    if (!this.#stream.open) return
    const nowMs = clock.monotonic()
    const leftMs = this.#waitingSinceMs === null ? idleMs : Math.max(this.#waitingSinceMs, toldMs) + idleMs - nowMs
    if (leftMs > 0) {
      clock.timer(leftMs, () => this.endWhenIdle(toldMs))
    } else if (toldMs !== Number.NEGATIVE_INFINITY) {
      this.cut()
    } else {
      this.#tell(restarting)
      clock.timer(idleMs, () => this.endWhenIdle(nowMs))
    }
  }

  #next(reader: SourceReader): Promise<IteratorResult<string | Uint8Array, unknown> | null> {
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

  /** Never read, it is opened all the same: only so can it be ended. */
  async #end(): Promise<void> {
    this.#reader ??= openSource(this.#source)
    await this.#reader.end()
  }

  #tell(reason: string): void {
    this.#told = true
    this.#call.abandon(reason)
  }

  #failed(error: unknown): void {
    if (!this.#told) this.#call.log.error({ err: error }, 'A streamed body failed: the connection was cut')
    // Only a fault is worth a line then, which is for the call to tell.
    else if (!isPrematureClose(error)) this.#call.fail(error)
  }
}
