import type { BodyFailure, BodyReader } from '../../transport/transport.ts'
import type { RawRequest } from '../raw-types.ts'
import { MemoryBodyReader } from './memory-body-reader.ts'
import { concatBytes, later, toOwnBytes } from './memory-network.ts'

/** Bytes that are held until a handler reads the body. */
const holdBytes = 64 * 1024

/** A large body travels in pieces, so that caps and pauses act in its middle. */
const pieceBytes = 16 * 1024

interface Reader {
  readonly maxBytes: number
  readonly done: (body: Uint8Array | BodyFailure) => void
}

/** The body of one request on its way to the server. */
export class MemoryBody {
  readonly #declared: number | null
  #chunks: Uint8Array[] = []
  #received = 0
  #complete: boolean
  /** No more is read: answered, aborted or too large. */
  #stopped = false
  #readCalled = false
  #reader: Reader | null = null
  /** It is read in pieces, at most `#maxBytes` of it. */
  #pieces: MemoryBodyReader | null = null
  #maxBytes = 0
  #wakeSender: (() => void) | null = null

  /** `declared` is null when the length is not known in advance (chunked), and 0 when there is no body. */
  constructor(declared: number | null) {
    this.#declared = declared
    this.#complete = declared === 0
  }

  /** Everything has arrived: the connection could carry another request. */
  get complete(): boolean {
    return this.#complete
  }

  /** Server side. `done` has been made safe by the caller: it does not throw. */
  read(maxBytes: number, done: Reader['done']): void {
    if (this.#readCalled) throw new Error('readBody or openBody may be called once')
    this.#readCalled = true
    if (this.#stopped) {
      done('aborted')
      return
    }
    this.#reader = { maxBytes, done }
    if (this.#declared !== null && this.#declared > maxBytes) this.#refuse()
    else this.#progress()
    this.#wake()
  }

  /** Server side. `guard` runs what a handler passed. */
  open(maxBytes: number, guard: (run: () => void) => void): BodyReader {
    if (this.#readCalled) throw new Error('readBody or openBody may be called once')
    this.#readCalled = true
    const source = { wake: () => this.#wake(), cancel: () => this.#cancel() }
    const pieces = new MemoryBodyReader(this.#declared, source, guard)
    if (this.#stopped) {
      pieces.stop('aborted')
      return pieces
    }
    if ((this.#declared ?? this.#received) > maxBytes) {
      this.#cancel()
      pieces.stop('too_large')
      return pieces
    }
    this.#pieces = pieces
    this.#maxBytes = maxBytes
    for (const chunk of this.#chunks) pieces.push(chunk)
    this.#chunks = []
    if (this.#complete) pieces.finish()
    return pieces
  }

  /** No more is read: the sender stops, and a waiting reader gets `aborted`. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#chunks = []
    const reader = this.#reader
    this.#reader = null
    const pieces = this.#pieces
    this.#pieces = null
    this.#wake()
    reader?.done('aborted')
    pieces?.stop('aborted')
  }

  /** Client side: resolves when the next piece may go, false when none is wanted any more. */
  async ready(): Promise<boolean> {
    while (!this.#stopped && this.#paused()) {
      await new Promise<void>((resolve) => {
        this.#wakeSender = resolve
      })
    }
    return !this.#stopped && !this.#complete
  }

  /** A piece arrives. */
  push(piece: Uint8Array): void {
    if (this.#stopped || this.#complete) return
    const rest = this.#declared === null ? piece.byteLength : this.#declared - this.#received
    const taken = piece.subarray(0, rest)
    if (this.#pieces === null) this.#chunks.push(taken)
    this.#received += taken.byteLength
    this.#complete = this.#received === this.#declared
    if (this.#pieces !== null) return this.#pass(this.#pieces, taken)
    this.#progress()
  }

  /** The client has no more. A body shorter than it was declared stays incomplete, as it does on a real connection. */
  finish(): void {
    if (this.#stopped || this.#complete || this.#declared !== null) return
    this.#complete = true
    if (this.#pieces !== null) this.#pieces.finish()
    else this.#progress()
  }

  #pass(pieces: MemoryBodyReader, taken: Uint8Array): void {
    if (this.#received > this.#maxBytes) {
      this.#cancel()
      return pieces.stop('too_large')
    }
    pieces.push(taken)
    if (this.#complete) pieces.finish()
  }

  /** The sender stays paused until the answer ends the connection. */
  #cancel(): void {
    this.#pieces = null
    this.#chunks = []
  }

  #paused(): boolean {
    if (this.#reader !== null || this.#complete) return false
    if (this.#pieces !== null) return this.#pieces.heldBytes >= holdBytes
    return this.#readCalled || this.#received >= holdBytes
  }

  #progress(): void {
    const reader = this.#reader
    if (reader === null) return
    if (this.#received > reader.maxBytes) {
      this.#refuse()
      return
    }
    if (!this.#complete) return
    this.#reader = null
    const whole = concatBytes(this.#chunks)
    this.#chunks = []
    reader.done(whole)
  }

  /** Past the cap: what came is dropped, and the sender stays paused until the answer ends the connection. */
  #refuse(): void {
    const reader = this.#reader
    this.#reader = null
    this.#chunks = []
    reader?.done('too_large')
  }

  #wake(): void {
    const wake = this.#wakeSender
    this.#wakeSender = null
    wake?.()
  }
}

/** The length that a request's headers declare; null for chunked. */
export function declaredLength(contentLength: string, transferEncoding: string): number | null {
  if (transferEncoding !== '') return null
  return contentLength === '' ? 0 : Number(contentLength)
}

/** Sends a body at the server's pace. Rejects with what the client's own iterable throws. */
export async function sendBody(source: NonNullable<RawRequest['body']>, body: MemoryBody): Promise<void> {
  const iterator = isWhole(source) ? [toOwnBytes(source)][Symbol.iterator]() : source[Symbol.asyncIterator]()
  while (await body.ready()) {
    const next = await iterator.next()
    if (next.done) {
      later(() => body.finish())
      return
    }
    // A copy: a generator may reuse its buffer.
    const chunk = toOwnBytes(next.value)
    for (let offset = 0; offset < chunk.byteLength; offset += pieceBytes) {
      if (!(await body.ready())) break
      await new Promise<void>((resolve) => {
        later(() => {
          body.push(chunk.subarray(offset, offset + pieceBytes))
          resolve()
        })
      })
    }
  }
  await iterator.return?.()
}

function isWhole(source: NonNullable<RawRequest['body']>): source is string | Uint8Array {
  return typeof source === 'string' || source instanceof Uint8Array
}
