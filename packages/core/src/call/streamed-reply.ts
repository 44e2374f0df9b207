import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AppError } from '../errors/app-error.ts'
import type { ActiveCall } from './active-call.ts'
import { ForwardedPeer } from './forwarded-peer.ts'
import type { ItemsResult } from './item-stream.ts'
import { isPrematureClose, openSource, type SourceReader } from './stream-source.ts'
import { runInTrace } from './tracer.ts'

/** Sends the items of one call over its wire. */
export interface ItemSink {
  /** A promise while the client is slow. It may never resolve: the end of the call is told by `ended`. */
  ready(): Promise<unknown> | undefined
  /** Sends an item that has its JSON form. False: the response takes no items (HEAD), or its client has disconnected. */
  send(item: unknown): boolean
  /** Sends the end. Returns the HTTP status. */
  end(): number
  /** Sends the error as the end. Never throws. */
  fail(error: AppError): void
  /** The call has ended, in whatever way. */
  ended(): void
}

/** Projects one item. Throws for an item that does not match its schema. */
export type ItemOutput = (item: unknown) => MaybePromise<unknown>

/** So many items are read in a row; then other work of the process has its turn, however fast source and client are. */
const itemsPerTurn = 64

/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/**
 * A reply that is sent item by item. It takes the place of the call's peer, so it is informed of every end of the call: a deadline, a client that
 * cancels or disconnects, a drain. The call is not answered before the end of the stream.
 */
export class StreamedReply extends ForwardedPeer {
  readonly #call: ActiveCall
  readonly #items: ItemsResult
  readonly #output: ItemOutput
  readonly #sink: ItemSink
  #reader: SourceReader<unknown> | null = null
  /** The source has ended by itself, or is being ended. */
  #sourceEnded = false
  #closing: Promise<void> | null = null
  #wake: () => void = () => {}

  constructor(call: ActiveCall, items: ItemsResult, output: ItemOutput) {
    super(call.peer)
    this.#call = call
    this.#items = items
    this.#output = output
    this.#sink = call.peer.openItems(call, items)
  }

  /** Sends the items of a call. An error before the first item is an ordinary error reply. */
  static start(call: ActiveCall, items: ItemsResult, output: ItemOutput): void {
    const reply = new StreamedReply(call, items, output)
    call.peer = reply
    void reply.#run()
  }

  /** Resolves when the source has ended, and never rejects. */
  async #run(): Promise<void> {
    const call = this.#call
    // A queue of ordered calls waits for the source, as it waits for a handler.
    const isAwaited = call.onDone !== null
    if (isAwaited) call.executing = true
    try {
      await this.#sendAll()
    } catch (error) {
      if (!(call.settled && isPrematureClose(error))) call.fail(error)
      this.#abort()
    }
    await this.#closing
    if (!isAwaited) return
    call.executing = false
    call.notifyDone()
  }

  async #sendAll(): Promise<void> {
    const call = this.#call
    for (let sent = 1; ; sent++) {
      await this.#ready()
      if (call.settled) return
      const next = await this.#next()
      if (call.settled) return
      if (next.done === true) return call.succeed(undefined)
      const item = await this.#output(next.value)
      // Another stream of this connection may have filled its queue meanwhile.
      await this.#ready()
      if (call.settled) return
      if (!this.#sink.send(item)) {
        call.succeed(undefined)
        return this.#abort()
      }
      if (sent % itemsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async #next(): Promise<IteratorResult<unknown, unknown>> {
    try {
      this.#reader ??= openSource(this.#items.source)
      const next = await this.#reader.next()
      if (next.done === true) this.#sourceEnded = true
      return next
    } catch (error) {
      this.#sourceEnded = true
      throw error
    }
  }

  #ready(): Promise<unknown> | undefined {
    if (this.#call.settled) return undefined
    const ready = this.#sink.ready()
    if (ready === undefined) return undefined
    return Promise.race([ready, new Promise<void>((resolve) => (this.#wake = resolve))])
  }

  /** What the source throws as it ends, also in an `await` that the abort of `call.signal` ended, is not the result of the call any more. */
  async #close(): Promise<void> {
    try {
      this.#reader ??= openSource(this.#items.source)
      await this.#reader.end()
    } catch (error) {
      if (!isPrematureClose(error)) this.#call.fail(error)
    }
  }

  /** Whatever the source has begun is not needed any more. */
  #abort(): void {
    this.#call.abort(new Error('The stream has ended'))
  }

  // ---- CallPeer

  override succeed(): number {
    return this.#sink.end()
  }
  override fail(_call: ActiveCall, error: AppError): void {
    this.#sink.fail(error)
  }
  override ended(call: ActiveCall): void {
    this.#sink.ended()
    if (!this.#sourceEnded) {
      this.#sourceEnded = true
      // The source ends on behalf of its own call, whatever has ended that: a frame of another call, a timer.
      runInTrace(call, () => {
        this.#closing = this.#close()
        call.services.track(this.#closing)
      })
    }
    this.#wake()
    this.peer.ended(call)
  }
}
