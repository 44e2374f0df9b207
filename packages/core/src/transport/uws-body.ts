import type { BodyFailure, BodyReader } from './transport.ts'
import { type BodyFlow, heldBodyBytes, UwsBodyReader } from './uws-body-reader.ts'
import type { UwsResponse } from './uws-types.ts'

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
export class UwsBody implements BodyFlow {
  /** Has its last byte arrived, and was what came with it well-formed? */
  complete = false
  readonly #res: UwsResponse
  readonly #declared: number
  readonly #owner: BodyOwner
  #state: 'holding' | 'reading' | 'streaming' | 'dropping' = 'holding'
  #received = 0
  #paused = false
  /** The rest will not come. */
  #stalled = false
  /** The client has disconnected, or the answer closes the connection: no native call is allowed. */
  #over = false
  #parts: Uint8Array[] = []
  /** The buffer of a body whose length was declared. */
  #target: Uint8Array | null = null
  #maxBytes = 0
  #keeps = true
  #done: Done | null = null
  #dropped: (() => void) | null = null
  #reader: UwsBodyReader | null = null

  /** Runs when the socket has been paused. */
  onPaused: (() => void) | null = null

  constructor(res: UwsResponse, declared: number, owner: BodyOwner) {
    this.#res = res
    primeResume(res)
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

  /** The socket is paused, and so nothing that is queued for it leaves. */
  get isPaused(): boolean {
    return this.#paused && !this.complete && !this.#over
  }

  /** After a write, which resumes a paused socket when the system does not take all of it. */
  hold(): void {
    if (this.isPaused) this.#res.pause()
  }

  /** Is it cheaper to wait for the rest than to close in the middle, which may reset the connection? */
  get restIsSmall(): boolean {
    return !this.#stalled && this.#declared !== -1 && this.#declared - this.#received <= heldBodyBytes
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

  /** Reads it in pieces. */
  open(maxBytes: number): BodyReader {
    if (this.#state !== 'holding') throw new Error('openBody was called after readBody, openBody or the answer')
    const reader = new UwsBodyReader(this.isDeclared ? this.#declared : null, maxBytes, this)
    if (this.#declared > maxBytes || this.#received > maxBytes) {
      this.cancel(false)
      reader.stop('too_large')
      return reader
    }
    const held = this.#target === null ? this.#parts : [this.#target.subarray(0, this.#received)]
    this.#drop()
    this.#state = 'streaming'
    this.#reader = reader
    for (const part of held) reader.push(part, true)
    if (this.complete) reader.finish()
    return reader
  }

  /** Drops what was held and ignores the rest. `then` runs when the last byte has arrived. */
  discard(then: () => void): void {
    this.#drop()
    this.#dropped = then
    this.#resume()
  }

  /** A stream answers, which may last. A body that the handler does not read is dropped as it arrives: a paused socket would not tell that the client has left. */
  dropUnread(): void {
    if (this.#state === 'holding' || this.#state === 'dropping') this.discard(() => {})
  }

  /** The body is no longer wanted: the answer does not wait for its end. */
  abandon(): void {
    this.#over = true
    this.#drop()
  }

  abort(): void {
    this.#over = true
    this.#dropped = null
    if (this.#reader === null) this.#pass('aborted')
    else this.#drop()
  }

  #receive(chunk: ArrayBuffer, isLast: boolean): void {
    this.#received += chunk.byteLength
    if (this.#state === 'dropping') {
      // Nothing is kept.
    } else if (this.#state === 'reading' && this.#received > this.#maxBytes) {
      this.#pass('too_large')
    } else if (this.#reader !== null) {
      this.#stream(this.#reader, chunk, isLast)
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
    if (this.#over) return
    this.complete = true
    // uWS may receive the end in the turn in which it was paused.
    this.#resume()
    const then = this.#dropped
    this.#dropped = null
    const reader = this.#reader
    if (this.#state === 'reading') this.#pass(this.#whole())
    else if (reader !== null) this.#run(() => reader.finish())
    else if (then !== null) this.#run(then)
  }

  #stream(reader: UwsBodyReader, chunk: ArrayBuffer, isLast: boolean): void {
    this.#run(() => reader.push(joined([new Uint8Array(chunk)], chunk.byteLength), isLast))
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
    const reader = this.#reader
    this.#reader = null
    if (reader !== null) this.#run(() => reader.stop('aborted'))
  }

  // ---- BodyFlow: not after the answer, when native calls would throw. Then there is no reader.

  pause(): void {
    if (this.#reader !== null) this.#pause()
  }

  resume(): void {
    if (this.#reader !== null && !this.complete) this.#resume()
  }

  renew(): void {
    if (this.#reader === null || this.#paused || this.complete) return
    // In this order: uWS resumes what it has noted when it paused.
    this.#res.pause()
    this.#res.resume()
  }

  cancel(stalled: boolean): void {
    this.#stalled = stalled
    this.#reader = null
    this.#drop()
    if (!this.complete) this.#pause()
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#res.pause()
    this.onPaused?.()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#res.resume()
  }
}

let isPrimed = false

/** `resume` restores what uWS noted when it last paused a socket with nothing queued, and one with something queued: the first has to exist. */
function primeResume(res: UwsResponse): void {
  if (isPrimed) return
  isPrimed = true
  res.pause()
  res.resume()
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
