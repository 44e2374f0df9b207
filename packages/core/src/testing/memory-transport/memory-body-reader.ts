import type { BodyFailure, BodyReader } from '../../transport/transport.ts'

type Done = (piece: Uint8Array | null | BodyFailure) => void

/** What the reader tells the body. */
interface BodySource {
  /** A piece was taken or is awaited: the sender may go on. */
  wake(): void
  /** The rest is not wanted. */
  cancel(): void
}

/** A body that is read in pieces: holds what arrives, until it is read. */
export class MemoryBodyReader implements BodyReader {
  readonly length: number | null
  readonly #source: BodySource
  /** What passes a piece on: an exception of `done` is a fault. */
  readonly #guard: (run: () => void) => void
  #parts: Uint8Array[] = []
  #heldBytes = 0
  #done: Done | null = null
  #end: null | BodyFailure | undefined = undefined

  constructor(length: number | null, source: BodySource, guard: (run: () => void) => void) {
    this.length = length
    this.#source = source
    this.#guard = guard
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  read(done: Done): void {
    if (this.#done !== null) throw new Error('read was called before the last piece was passed on')
    const part = this.#parts.shift()
    if (part !== undefined) {
      this.#heldBytes -= part.byteLength
      this.#source.wake()
      done(part)
    } else if (this.#end !== undefined) done(this.#end)
    else {
      this.#done = done
      this.#source.wake()
    }
  }

  cancel(): void {
    if (this.#end !== undefined && this.#parts.length === 0) return
    this.stop('aborted')
    this.#source.cancel()
  }

  /** There is no time limit for slow clients here. */
  renew(): void {}

  push(part: Uint8Array): void {
    if (this.#end !== undefined || part.byteLength === 0) return
    const done = this.#done
    this.#done = null
    if (done !== null) return this.#guard(() => done(part))
    this.#parts.push(part)
    this.#heldBytes += part.byteLength
  }

  finish(): void {
    if (this.#end !== undefined) return
    this.#end = null
    this.#pass(null)
  }

  stop(failure: BodyFailure): void {
    this.#end ??= failure
    this.#parts = []
    this.#heldBytes = 0
    this.#pass(failure)
  }

  #pass(end: null | BodyFailure): void {
    const done = this.#done
    this.#done = null
    if (done !== null) this.#guard(() => done(end))
  }
}
