import type { Unsent } from '../../transport/unsent.ts'
import { later } from './memory-network.ts'

/** What the network takes from a server before a slow client holds it up. */
const windowBytes = 64 * 1024

/** What travels at once. */
const pieceBytes = 16 * 1024

/** Status and headers, as the client gets them. */
export interface ResponseHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies: readonly string[]
}

/** One answer on its way to the client: the server writes at one end, the client reads at the other at its own pace. */
export class MemoryResponse {
  readonly head: Promise<ResponseHead>
  /** Set by the transport: the client stopped reading before the end. */
  onLeave: () => void = () => {}
  /** Set by the transport: nothing of the answer is under way any more. */
  onEnd: () => void = () => {}
  #resolveHead: (head: ResponseHead) => void = () => {}
  #rejectHead: (error: unknown) => void = () => {}
  readonly #unsent: Unsent
  /** What the network has not taken yet. */
  #queue: Uint8Array[] = []
  /** What it has, and the client has not read. */
  #chunks: Uint8Array[] = []
  #chunkBytes = 0
  /** Of both. */
  #bufferedBytes = 0
  /** The server has said that the answer is complete. */
  #ending = false
  /** As the client sees it; the server learns later. */
  #state: 'open' | 'ended' | 'failed' = 'open'
  #writable = true
  #error: unknown
  #wakeReader: (() => void) | null = null
  #waitingWriters: ((more: boolean) => void)[] = []

  constructor(unsent: Unsent) {
    this.#unsent = unsent
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve
      this.#rejectHead = reject
    })
  }

  /** Server side. */
  start(head: ResponseHead): void {
    later(() => this.#resolveHead(head))
  }

  /** Server side: what the network has not taken. */
  get queuedBytes(): number {
    return this.#bufferedBytes - this.#chunkBytes
  }

  /** Server side: resolves when more may be written. `chunk` is the pipe's own. */
  write(chunk: Uint8Array): Promise<boolean> {
    if (!this.#writable) return Promise.resolve(false)
    this.#bufferedBytes += chunk.byteLength
    for (let at = 0; at < chunk.byteLength; at += pieceBytes) this.#queue.push(chunk.subarray(at, at + pieceBytes))
    later(() => this.#advance())
    if (this.#bufferedBytes <= windowBytes) return Promise.resolve(true)
    return new Promise((resolve) => this.#waitingWriters.push(resolve))
  }

  /** Server side: the answer is complete once all of it has travelled. */
  end(): void {
    if (this.#state === 'open') {
      this.#ending = true
      this.#unsent.add()
    }
    later(() => {
      // A write that was not awaited is settled too, also when the client has disconnected meanwhile.
      this.#release(true)
      this.#advance()
    })
  }

  /** Server side: the connection is cut after what was written. */
  cut(error: unknown): void {
    this.release()
    later(() => this.#fail(error))
  }

  /** Client side: it hangs up, and wants nothing of what is under way. */
  leave(error: unknown): void {
    if (this.#state !== 'open') return
    this.#chunks = []
    this.#fail(error)
  }

  /** Server side: the client has disconnected, and writers wait no more. */
  release(): void {
    this.#writable = false
    this.#release(false)
  }

  /** Client side. Leaving the loop before the end cuts the connection. */
  async *body(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift()
        if (chunk !== undefined) {
          this.#take(chunk.byteLength)
          yield chunk
        } else if (this.#state === 'failed') {
          throw this.#error
        } else if (this.#state === 'ended') {
          return
        } else {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve
          })
        }
      }
    } finally {
      if (this.#state === 'open') this.onLeave()
    }
  }

  #take(bytes: number): void {
    this.#chunkBytes -= bytes
    this.#bufferedBytes -= bytes
    if (this.#queue.length > 0) later(() => this.#advance())
    if (this.#bufferedBytes <= windowBytes && this.#waitingWriters.length > 0) later(() => this.#release(true))
  }

  /** As much travels as the network takes. */
  #advance(): void {
    if (this.#state !== 'open') return
    while (this.#chunkBytes <= windowBytes) {
      const piece = this.#queue.shift()
      if (piece === undefined) break
      this.#chunks.push(piece)
      this.#chunkBytes += piece.byteLength
    }
    if (this.#ending && this.#queue.length === 0) this.#finish('ended')
    this.#wake()
  }

  #finish(state: 'ended' | 'failed'): void {
    this.#state = state
    this.#queue = []
    if (this.#ending) this.#unsent.remove()
    this.onEnd()
  }

  #fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.#error = error
    this.#finish('failed')
    this.#rejectHead(error)
    this.#wake()
  }

  #release(more: boolean): void {
    const writers = this.#waitingWriters
    this.#waitingWriters = []
    for (const resolve of writers) resolve(more)
  }

  #wake(): void {
    const wake = this.#wakeReader
    this.#wakeReader = null
    wake?.()
  }
}
