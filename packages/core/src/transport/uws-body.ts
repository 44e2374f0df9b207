import type { BodyFailure } from './transport.ts'
import type { UwsResponse } from './uws-types.ts'

/** Bytes of a body that are held before it is read; then the socket is paused. One receive of uWS may exceed it. */
const heldBodyBytes = 64 * 1024

type Done = (body: Uint8Array | BodyFailure) => void

/** The request of a body. */
interface BodyOwner {
  /** A callback of uWS for the socket begins, and ends. */
  enter(): void
  leave(): void
  /** What a handler threw ends in an answer. */
  fail(error: unknown): void
}

/** The declared length; -1 for chunked; 0 when there is no body. */
export function declaredLength(length: string, coding: string): number {
  if (length === '') return coding === '' ? 0 : -1
  // The parser refuses what is not a number, right after the callback.
  const bytes = Number(length)
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : -1
}

/**
 * The body of a request as it arrives. `onData` must be attached in the callback of the request, so the bytes come whether or not
 * they are wanted: they are held, then read or dropped.
 */
export class UwsBody {
  /** Has its last byte arrived, and was what came with it well-formed? */
  complete = false
  readonly #res: UwsResponse
  readonly #declared: number
  readonly #owner: BodyOwner
  #state: 'holding' | 'reading' | 'dropping' = 'holding'
  #received = 0
  #paused = false
  #aborted = false
  #parts: Uint8Array[] = []
  /** The buffer of a body whose length was declared. */
  #target: Uint8Array | null = null
  #maxBytes = 0
  #keeps = true
  #done: Done | null = null
  #dropped: (() => void) | null = null

  constructor(res: UwsResponse, declared: number, owner: BodyOwner) {
    this.#res = res
    this.#declared = declared
    this.#owner = owner
    res.onData((chunk, isLast) => {
      owner.enter()
      try {
        this.#receive(chunk, isLast)
      } finally {
        owner.leave()
      }
    })
  }

  /** Is its length declared? Then `onData` is called right after the callback of the request, even with no bytes. */
  get isDeclared(): boolean {
    return this.#declared !== -1
  }

  /** Is it cheaper to wait for the rest than to close in the middle, which may reset the connection? */
  get restIsSmall(): boolean {
    return this.#declared !== -1 && this.#declared - this.#received <= heldBodyBytes
  }

  /** `keeps`: the bytes are used after `done` has returned. */
  read(maxBytes: number, done: Done, keeps: boolean): void {
    if (this.#state !== 'holding') throw new Error('readBody was called before, or after the answer')
    if (this.#declared > maxBytes || this.#received > maxBytes) {
      // The rest is not read at all; the answer will close the connection.
      this.#drop()
      done('too_large')
      return
    }
    this.#state = 'reading'
    this.#maxBytes = maxBytes
    this.#keeps = keeps
    this.#done = done
    if (!this.complete) return this.#resume()
    const whole = this.#whole()
    this.#drop()
    done(whole)
  }

  /** Drops what was held and ignores the rest. `then` runs when the last byte has arrived. */
  discard(then: () => void): void {
    this.#drop()
    this.#dropped = then
    this.#resume()
  }

  /** The body is no longer wanted: the answer does not wait for its end. */
  abandon(): void {
    this.#drop()
  }

  abort(): void {
    this.#aborted = true
    this.#dropped = null
    this.#pass('aborted')
  }

  #receive(chunk: ArrayBuffer, isLast: boolean): void {
    this.#received += chunk.byteLength
    if (this.#state === 'dropping') {
      // Nothing is kept.
    } else if (this.#state === 'reading' && this.#received > this.#maxBytes) {
      this.#pass('too_large')
    } else if (isLast && !this.#keeps && this.#received === chunk.byteLength && this.#declared !== -1) {
      // All of it at once, as most are: no copy.
      this.complete = true
      this.#pass(new Uint8Array(chunk))
      return
    } else {
      if (chunk.byteLength > 0) this.#store(chunk)
      const fits = this.#declared <= heldBodyBytes && this.#received < heldBodyBytes
      if (this.#state === 'holding' && !isLast && !fits) this.#pause()
    }
    if (!isLast) return
    // uWS reports the end of a chunked body before it parses what follows the last chunk, and closes the connection for trailer fields:
    // uws-rules.md#request-body.
    if (this.#declared === -1) setImmediate(() => this.#ended())
    else this.#ended()
  }

  #ended(): void {
    if (this.#aborted) return
    this.complete = true
    const then = this.#dropped
    this.#dropped = null
    if (this.#state === 'reading') this.#pass(this.#whole())
    else if (then !== null) this.#run(then)
  }

  /** Copies: the chunk is detached when the callback returns. */
  #store(chunk: ArrayBuffer): void {
    const bytes = new Uint8Array(chunk)
    if (this.#target === null && this.#declared > 0 && (this.#state === 'reading' || this.#declared <= heldBodyBytes)) {
      this.#target = joined(this.#parts, this.#declared)
      this.#parts = []
    }
    if (this.#target !== null) this.#target.set(bytes, this.#received - bytes.byteLength)
    else this.#parts.push(joined([bytes], bytes.byteLength))
  }

  #whole(): Uint8Array {
    const only = this.#parts.length === 1 ? this.#parts[0] : undefined
    return this.#target ?? only ?? joined(this.#parts, this.#received)
  }

  #pass(result: Uint8Array | BodyFailure): void {
    const done = this.#done
    this.#drop()
    if (done === null) return
    try {
      done(result)
    } catch (error) {
      this.#owner.fail(error)
    }
  }

  #run(then: () => void): void {
    try {
      then()
    } catch (error) {
      this.#owner.fail(error)
    }
  }

  #drop(): void {
    this.#state = 'dropping'
    this.#done = null
    this.#target = null
    this.#parts = []
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#res.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#res.resume()
  }
}

/** A separate allocation, not a slice of Node's shared pool; not zeroed, because all of it is written. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}
