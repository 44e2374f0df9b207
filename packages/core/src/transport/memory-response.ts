import { later } from './memory-network.ts'

/** What the network takes from a server before a slow client holds it up. */
const windowBytes = 64 * 1024

/** Status and headers, as the client gets them. */
export interface ResponseHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
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
  #chunks: Uint8Array[] = []
  #bufferedBytes = 0
  /** As the client sees it; the server learns later. */
  #state: 'open' | 'ended' | 'failed' = 'open'
  #writable = true
  #error: unknown
  #wakeReader: (() => void) | null = null
  #waitingWriters: ((more: boolean) => void)[] = []

  constructor() {
    this.head = new Promise((resolve, reject) => {
      this.#resolveHead = resolve
      this.#rejectHead = reject
    })
  }

  /** Server side. */
  start(head: ResponseHead): void {
    later(() => this.#resolveHead(head))
  }

  /** Server side: resolves when more may be written. `chunk` is the pipe's own. */
  write(chunk: Uint8Array): Promise<boolean> {
    if (!this.#writable) return Promise.resolve(false)
    this.#bufferedBytes += chunk.byteLength
    later(() => {
      if (this.#state !== 'open') return
      this.#chunks.push(chunk)
      this.#wake()
    })
    if (this.#bufferedBytes <= windowBytes) return Promise.resolve(true)
    return new Promise((resolve) => this.#waitingWriters.push(resolve))
  }

  /** Server side: the answer is complete once this has travelled. */
  end(): void {
    later(() => {
      // Whoever did not await a write is not left hanging, also when the client has left meanwhile.
      this.#release(true)
      if (this.#state !== 'open') return
      this.#state = 'ended'
      this.onEnd()
      this.#wake()
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

  /** Server side: the client is gone, and nobody waits for room any more. */
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
    this.#bufferedBytes -= bytes
    if (this.#bufferedBytes <= windowBytes && this.#waitingWriters.length > 0) later(() => this.#release(true))
  }

  #fail(error: unknown): void {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    this.#error = error
    this.onEnd()
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
