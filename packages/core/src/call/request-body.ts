import { dropSafe } from '../base/drop-safe.ts'
import { type AppError, coreError, PayloadTooLargeError } from '../errors/app-error.ts'
import type { BodyFailure, BodyReader } from '../transport/transport.ts'
import type { ActiveCall } from './active-call.ts'
import type { Deadline, Expiring } from './deadlines.ts'

/**
 * The body of a request on a route with `http: { body: 'stream' }`, as it arrives. It is read once, by one loop, no faster than the loop
 * takes it: the client is paused meanwhile. Leaving the loop early drops the rest, and the answer then closes the connection.
 *
 * The loop throws `payload_too_large` when the body becomes longer than `http.maxBodyBytes`, and `request_timeout` when nothing arrives for
 * `http.bodyTimeoutMs`, which also ends the call. It throws the reason of `call.signal` when the client disconnects.
 *
 * @example
 * handler: async ({ name }, call) => {
 *   await pipeline(call.body, createWriteStream(join(folder, name)))
 * }
 */
export interface RequestBody extends AsyncIterable<Uint8Array> {
  /** In bytes, as the client declared it; null for a chunked body. 0 without a body. */
  readonly length: number | null
  /** `content-type` as sent; '' without one. */
  readonly contentType: string
}

/** What a route says about its streamed body. */
export interface StreamedBodyLimits {
  readonly maxBytes: number
  /** 0: none. */
  readonly timeoutMs: number
}

/** A transport that limits slow clients does so after at least 8 s. */
const renewEveryMs = 4000

type Next = IteratorResult<Uint8Array, undefined>

const done: Next = { done: true, value: undefined }

/** Reads a body for a handler. */
export class IncomingBody implements RequestBody, AsyncIterator<Uint8Array, undefined>, Expiring {
  readonly contentType: string
  readonly #call: ActiveCall
  readonly #reader: BodyReader
  readonly #limits: StreamedBodyLimits
  #isRead = false
  /** Why there is no more; null at the end and after the loop was left. */
  #end: Error | null | undefined = undefined
  /** Of the wait for the next piece. */
  #wait: Deadline | null = null
  #waitingSinceMs = 0
  #renewedMs: number
  /** Reads of a reader that does not wait for the last piece. */
  #before: Promise<unknown> | null = null

  constructor(call: ActiveCall, reader: BodyReader, contentType: string, limits: StreamedBodyLimits) {
    this.contentType = contentType
    this.#call = call
    this.#reader = reader
    this.#limits = limits
    this.#renewedMs = call.services.clock.monotonic()
  }

  get length(): number | null {
    return this.#reader.length
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    if (this.#isRead)
      throw new Error('call.body was read before: it is a stream, so keep what is needed twice while reading it')
    this.#isRead = true
    return this
  }

  next(): Promise<Next> {
    const before = this.#before
    const read = before === null ? this.#read() : before.then(() => this.#read())
    const settled = read.then(ignore, ignore)
    this.#before = settled
    void settled.then(() => {
      if (this.#before === settled) this.#before = null
    })
    return dropSafe(read, 'body.next', this.#call)
  }

  /** The loop was left: the rest is not wanted. */
  async return(): Promise<Next> {
    if (this.#end === undefined) {
      this.#end = null
      this.#reader.cancel()
    }
    return done
  }

  #read(): Promise<Next> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return this.#end === null ? resolve(done) : reject(this.#end)
      let waits = true
      this.#reader.read((piece) => {
        waits = false
        this.#arrived()
        if (piece instanceof Uint8Array) resolve({ done: false, value: piece })
        // An answer ends the reading just before its reason is known.
        else
          queueMicrotask(() => {
            this.#end ??= piece === null ? null : this.#toError(piece)
            if (this.#end === null) resolve(done)
            else reject(this.#end)
          })
      })
      if (waits) this.#begin()
    })
  }

  #toError(failure: BodyFailure): Error {
    if (failure === 'too_large') return new PayloadTooLargeError(this.#limits.maxBytes)
    return this.#call.abortReason ?? new Error('The call was answered before its body was read to the end')
  }

  // ---- The client is awaited: its time limit runs, and the deadline of the call does not.

  #begin(): void {
    const { services } = this.#call
    const nowMs = services.clock.monotonic()
    this.#waitingSinceMs = nowMs
    if (nowMs - this.#renewedMs >= renewEveryMs) this.#renew(nowMs)
    this.#call.pauseDeadline()
    this.#arm(nowMs)
  }

  #arrived(): void {
    if (this.#wait === null) return
    this.#call.services.deadlines.disarm(this.#wait)
    this.#wait = null
    this.#call.restartDeadline()
  }

  #arm(nowMs: number): void {
    const { timeoutMs } = this.#limits
    const leftMs = timeoutMs === 0 ? renewEveryMs : this.#waitingSinceMs + timeoutMs - nowMs
    this.#wait = this.#call.services.deadlines.arm(this, nowMs, Math.min(leftMs, renewEveryMs))
  }

  #renew(nowMs: number): void {
    this.#renewedMs = nowMs
    this.#reader.renew()
  }

  expire(): void {
    const { timeoutMs } = this.#limits
    const nowMs = this.#call.services.clock.monotonic()
    if (timeoutMs === 0 || nowMs < this.#waitingSinceMs + timeoutMs) {
      this.#renew(nowMs)
      this.#arm(nowMs)
      return
    }
    const error = stalled(timeoutMs)
    this.#end = error
    this.#reader.cancel(true)
    void this.#call.failEarly(error)
  }
}

const ignore = (): void => {}

function stalled(timeoutMs: number): AppError {
  return coreError('request_timeout', `No byte of the body arrived for ${timeoutMs} ms`, {
    details: { timeout_ms: timeoutMs },
  })
}
