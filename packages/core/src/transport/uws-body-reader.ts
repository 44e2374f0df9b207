import type { BodyFailure, BodyReader } from './transport.ts'

/** Bytes of a body that are held before they are read; then the socket is paused. What uWS receives at once may exceed it. */
export const heldBodyBytes: number = 64 * 1024

type Done = (piece: Uint8Array | null | BodyFailure) => void

/** The socket that the body comes from. Does nothing once the client has disconnected or the answer is complete. */
export interface BodyFlow {
  pause(): void
  resume(): void
  /** Begins the time limit of uWS for a slow client anew. */
  renew(): void
  /** The rest is not wanted. `stalled`: nor awaited. */
  cancel(stalled: boolean): void
}

/** A body that is read in pieces: holds what arrives, until it is read. */
export class UwsBodyReader implements BodyReader {
  readonly length: number | null
  readonly #maxBytes: number
  readonly #flow: BodyFlow
  #parts: Uint8Array[] = []
  #heldBytes = 0
  #receivedBytes = 0
  #done: Done | null = null
  /** What every further `read` gets, once the parts are read: null at the end. Undefined while more may come. */
  #end: null | BodyFailure | undefined = undefined

  /** `length`: null for a chunked body. */
  constructor(length: number | null, maxBytes: number, flow: BodyFlow) {
    this.length = length
    this.#maxBytes = maxBytes
    this.#flow = flow
  }

  read(done: Done): void {
    if (this.#done !== null) throw new Error('read was called before the last piece was passed on')
    const part = this.#parts.shift()
    if (part !== undefined) {
      this.#heldBytes -= part.byteLength
      if (this.#heldBytes < heldBodyBytes) this.#flow.resume()
      done(part)
    } else if (this.#end !== undefined) done(this.#end)
    else {
      this.#done = done
      this.#flow.resume()
    }
  }

  cancel(stalled = false): void {
    if (this.#end !== undefined && this.#parts.length === 0) return
    this.stop('aborted')
    this.#flow.cancel(stalled)
  }

  renew(): void {
    if (this.#end === undefined) this.#flow.renew()
  }

  /** A piece has arrived, which is a copy. `isLast`: nothing has to be paused any more. */
  push(part: Uint8Array, isLast: boolean): void {
    if (this.#end !== undefined) return
    this.#receivedBytes += part.byteLength
    if (this.#receivedBytes > this.#maxBytes) {
      this.#flow.cancel(false)
      this.stop('too_large')
      return
    }
    if (part.byteLength === 0) return
    const done = this.#done
    this.#done = null
    if (done !== null) return done(part)
    this.#parts.push(part)
    this.#heldBytes += part.byteLength
    if (this.#heldBytes >= heldBodyBytes && !isLast) this.#flow.pause()
  }

  /** The last byte has arrived: what is held is still read. */
  finish(): void {
    if (this.#end !== undefined) return
    this.#end = null
    this.#pass(null)
  }

  /** There is no more to read: what is held is dropped. */
  stop(failure: BodyFailure): void {
    if (this.#end === undefined || this.#end === null) this.#end = failure
    this.#parts = []
    this.#heldBytes = 0
    this.#pass(failure)
  }

  #pass(end: null | BodyFailure): void {
    const done = this.#done
    this.#done = null
    done?.(end)
  }
}
