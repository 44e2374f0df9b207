import { isPromise } from '../../base/maybe-promise.ts'
import type { ActiveCall } from '../../call/active-call.ts'
import type { EventsSource, TopicSource } from '../../call/events-source.ts'
import { isPrematureClose, openSource, type SourceReader } from '../../call/stream-source.ts'
import { toErrorBody } from '../../edge/error-response.ts'
import { InternalError } from '../../errors/app-error.ts'
import { disconnects } from '../../errors/disconnect.ts'
import { toAppError } from '../../errors/normalize.ts'
import { type ServerSentEvent, toEventText, toJsonEvent } from '../../protocol/server-sent-events.ts'
import type { EventReader } from './event-reader.ts'

export type EventIterable = Exclude<EventsSource, TopicSource>

/** So many events are read in a row; then other work of the process has its turn. */
const eventsPerTurn = 64

/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/** Sends the events of an iterable to one reader, no faster than its client receives them. */
export class EventPump {
  readonly #call: ActiveCall
  readonly #iterable: EventIterable
  #source: SourceReader<ServerSentEvent> | null = null
  #isStopped = false
  /** The iterable has ended by itself, or is being ended. */
  #sourceEnded = false

  constructor(call: ActiveCall, iterable: EventIterable) {
    this.#call = call
    this.#iterable = iterable
  }

  /** Resolves when nothing more is sent, and never rejects. */
  async run(reader: EventReader): Promise<void> {
    try {
      for (let sent = 1; ; sent++) {
        const next = await this.#next()
        if (this.#isStopped) return
        if (next.done === true) return reader.end(disconnects.normal, toJsonEvent('end', 'null'))
        const written = reader.send(toEventText(next.value))
        // A promise for each event only where a client is slow.
        if (written === false || (reader.bufferedBytes > 0 && !(await written)) || this.#isStopped) return
        if (sent % eventsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    } catch (thrown) {
      if (this.#isStopped && isPrematureClose(thrown)) return
      this.#failed(reader, thrown)
    }
  }

  /** Nothing more is read. An iterable that was never read has to be opened before it can be ended. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    if (this.#sourceEnded) return
    this.#sourceEnded = true
    this.#call.services.track(this.#close())
  }

  async #next(): Promise<IteratorResult<ServerSentEvent, unknown>> {
    try {
      this.#source ??= openSource(this.#iterable)
      const result = this.#source.next()
      const next = isPromise(result) ? await result : result
      if (next.done === true) this.#sourceEnded = true
      return next
    } catch (error) {
      this.#sourceEnded = true
      throw error
    }
  }

  /** What it throws as it ends, also in an `await` that the abort of `call.signal` ended, is not the result of the call any more. */
  async #close(): Promise<void> {
    try {
      this.#source ??= openSource(this.#iterable)
      await this.#source.end()
    } catch (error) {
      if (!isPrematureClose(error)) this.#call.fail(error)
    }
  }

  #failed(reader: EventReader, thrown: unknown): void {
    // The call logs it if it is not the result of its abort.
    if (this.#isStopped) return this.#call.fail(thrown)
    const error = toAppError(thrown, this.#call.services.errorMappers)
    if (error instanceof InternalError || error.cause !== undefined)
      this.#call.log.error({ err: error.cause ?? thrown, code: error.code }, 'The source of server-sent events failed')
    reader.end(
      disconnects.internalError,
      toJsonEvent(
        'error',
        toErrorBody(error, this.#call.services.errorLink, () => this.#call.log),
      ),
    )
  }
}
