import type { BodyFailure } from './transport.ts'
import type { UwsResponse } from './uws-types.ts'

/** What is kept of a body before anybody asked for it; then the socket is paused. One receive of uWS may go over it. */
const heldBodyBytes = 64 * 1024

type Done = (body: Uint8Array | BodyFailure) => void

/** The length that was declared; -1 when chunked; 0 when there is no body. */
export function declaredLength(length: string, coding: string): number {
  if (length === '') return coding === '' ? 0 : -1
  // What is no number is refused by the parser right after the callback.
  const bytes = Number(length)
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : -1
}

/**
 * A request's body on its way in. `onData` must be attached in the callback of the request (rule 34), so the bytes come
 * whether or not anybody wants them: they are held, then read or dropped.
 */
export class UwsBody {
  /** Whether its last byte has come, and what came with it was found to be well-formed. */
  complete = false
  readonly #res: UwsResponse
  readonly #declared: number
  readonly #guard: (run: () => void) => void
  #state: 'holding' | 'reading' | 'dropping' = 'holding'
  #received = 0
  #paused = false
  #aborted = false
  #parts: Uint8Array[] = []
  /** Where the bytes go when their number is known. */
  #target: Uint8Array | null = null
  #maxBytes = 0
  #done: Done | null = null
  #dropped: (() => void) | null = null

  constructor(res: UwsResponse, declared: number, guard: (run: () => void) => void) {
    this.#res = res
    this.#declared = declared
    this.#guard = guard
    res.onData((chunk, isLast) => this.#receive(chunk, isLast))
  }

  /** Whether waiting for the rest is cheaper than the reset that closing in the middle of it may cause. */
  get restIsSmall(): boolean {
    return this.#declared !== -1 && this.#declared - this.#received <= heldBodyBytes
  }

  read(maxBytes: number, done: Done): void {
    if (this.#state !== 'holding') throw new Error('readBody was called before, or after the answer')
    if (this.#declared > maxBytes || this.#received > maxBytes) {
      // The rest is not read at all; the answer will close the connection.
      this.#drop()
      done('too_large')
      return
    }
    this.#state = 'reading'
    this.#maxBytes = maxBytes
    this.#done = done
    if (this.complete) this.#finish(this.#whole())
    else this.#resume()
  }

  /** Lets go of what was held and ignores the rest. `then` runs when the last byte has come. */
  discard(then: () => void): void {
    this.#drop()
    this.#dropped = then
    this.#resume()
  }

  /** The answer goes out before the end of the body, or has gone. */
  abandon(): void {
    this.#drop()
  }

  abort(): void {
    this.#aborted = true
    this.#dropped = null
    this.#guard(() => this.#finish('aborted'))
  }

  #receive(chunk: ArrayBuffer, isLast: boolean): void {
    this.#received += chunk.byteLength
    if (this.#state === 'dropping') {
      // Nothing is kept.
    } else if (this.#state === 'reading' && this.#received > this.#maxBytes) {
      this.#guard(() => this.#finish('too_large'))
    } else {
      if (chunk.byteLength > 0) this.#store(chunk)
      const fits = this.#declared <= heldBodyBytes && this.#received < heldBodyBytes
      if (this.#state === 'holding' && !isLast && !fits) this.#pause()
    }
    if (!isLast) return
    // uWS says that a chunked body is over before it looks at what follows the last chunk: it finds trailer fields to be wrong, and
    // ends the connection, when the body would have been handed out already. So that is done when it has looked.
    if (this.#declared === -1) setImmediate(() => this.#ended())
    else this.#ended()
  }

  #ended(): void {
    if (this.#aborted) return
    this.complete = true
    const then = this.#dropped
    this.#dropped = null
    if (this.#state === 'reading') this.#guard(() => this.#finish(this.#whole()))
    else if (then !== null) this.#guard(then)
  }

  /** Copies: the chunk is detached when the callback returns (rule 28). */
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

  #finish(result: Uint8Array | BodyFailure): void {
    const done = this.#done
    this.#drop()
    done?.(result)
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

/** Memory of its own, not a slice of the pool that other buffers share; not zeroed, for all of it is written. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.byteLength
  }
  return bytes
}
