import type { ResponseStream } from './transport.ts'
import type { Unsent } from './unsent.ts'
import type { UwsBody } from './uws-body.ts'
import type { UwsResponse } from './uws-types.ts'

interface Pending {
  readonly bytes: Uint8Array
  at: number
  readonly resolve: (more: boolean) => void
}

/** The exchange of a stream. */
interface StreamOwner {
  readonly unsent: Unsent
  /** Called just before the native call that ends the response. */
  streamEnds(): void
}

/**
 * Chunks are written in pieces: uWS buffers what the system does not take, and the size of that buffer cannot be read. A piece with its
 * framing fits into the cork buffer of 16 KB and into what the system frees before it calls again.
 */
const pieceBytes = 16 * 1024 - 64

/** How often a client is tried that takes nothing while its own body waits. One that is found to take nothing after 30 s is cut, as by uWS. */
const probeMs = 50
const maxProbes = 600

const yes = Promise.resolve(true)
const no = Promise.resolve(false)

/** For a handler whose client has disconnected, and for answers without a body. */
export const deadStream: ResponseStream = { open: false, bufferedBytes: 0, write: () => no, end() {}, abort() {} }

// One function for all streams: `cork` runs it before it returns.
let corkedResponse: UwsResponse | null = null
let corkedBytes: Uint8Array | null = null
let isBlocked = false
const writeCorked = (): void => {
  if (corkedResponse !== null && corkedBytes !== null) isBlocked = !corkedResponse.write(corkedBytes)
}

export class UwsStream implements ResponseStream {
  /** Null once the stream has ended or the client has disconnected: calls would throw. */
  #res: UwsResponse | null
  readonly #body: UwsBody | null
  /** Null once the stream was detached. */
  #owner: StreamOwner | null
  readonly #unsent: Unsent
  /** Null while nothing waits. */
  #queue: Pending[] | null = null
  #bufferedBytes = 0
  #blocked = false
  /** The client was too slow at least once. */
  #slow = false
  #ending = false
  #probe: NodeJS.Timeout | null = null
  /** Since the client last took something, as far as is known. */
  #probes = 0

  constructor(res: UwsResponse, body: UwsBody | null, owner: StreamOwner) {
    this.#res = res
    this.#body = body
    this.#owner = owner
    this.#unsent = owner.unsent
    if (body === null) return
    this.#listen(res)
    body.onPaused = () => this.#watchPaused()
  }

  get open(): boolean {
    return this.#res !== null && !this.#ending
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    const res = this.#res
    if (res === null || this.#ending) return no
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    // An empty chunk would be the end of a chunked body.
    if (bytes.byteLength === 0) return yes
    const isFast = this.#body === null && !this.#slow && this.#queue === null && bytes.byteLength <= pieceBytes
    if (isFast && this.#writeNow(res, bytes)) return yes
    return new Promise((resolve) => {
      this.#queue ??= []
      // What uWS has taken and holds back waits here with its size alone.
      this.#queue.push({ bytes, at: isFast ? bytes.byteLength : 0, resolve })
      this.#bufferedBytes += bytes.byteLength
      if (!this.#blocked) this.#flush()
    })
  }

  end(): void {
    if (this.#res === null || this.#ending) return
    this.#ending = true
    this.#unsent.add()
    if (this.#queue === null) this.#finish()
  }

  abort(): void {
    const res = this.#res
    if (res === null) return
    this.#owner?.streamEnds()
    this.cut()
    this.#body?.abort()
    res.close()
  }

  detach(listener: { left(): void }): void {
    const res = this.#res
    if (res === null || this.#owner === null) return
    this.#owner.streamEnds()
    this.#owner = null
    // uWS keeps one handler only: that of the exchange is dropped.
    res.onAborted(() => {
      if (this.#res === null) return
      this.cut()
      this.#body?.abort()
      listener.left()
    })
  }

  /** The client has disconnected, or is cut. */
  cut(): void {
    if (this.#res === null) return
    this.#over()
    const queue = this.#queue ?? []
    this.#queue = null
    this.#bufferedBytes = 0
    for (const { resolve } of queue) resolve(false)
  }

  /** Without a promise, for a client that has taken everything so far. False: it has not taken all of this. */
  #writeNow(res: UwsResponse, bytes: Uint8Array): boolean {
    corkedResponse = res
    corkedBytes = bytes
    isBlocked = false
    try {
      res.cork(writeCorked)
    } finally {
      corkedResponse = null
      corkedBytes = null
    }
    if (isBlocked) {
      this.#blocked = true
      this.#markSlow(res)
    }
    return !isBlocked
  }

  #listen(res: UwsResponse): void {
    res.onWritable(() => {
      this.#blocked = false
      this.#flush()
      return true
    })
  }

  #flush(): void {
    // Also with nothing to write: a cork sends what uWS has buffered, which it does not do itself for a response that has an
    // `onWritable`.
    while (this.#res !== null && !this.#blocked) {
      this.#res.cork(() => this.#writePiece())
      this.#body?.hold()
      if (this.#queue === null) break
    }
    this.#watchPaused()
    if (this.#ending && this.#queue === null) this.#finish()
  }

  /**
   * A paused socket does not say when it can be written to, so that a client which reads an answer made of its own body would wait forever: it is
   * tried, by one byte at a time.
   */
  #watchPaused(): void {
    if (!this.#blocked || this.#res === null || this.#body?.isPaused !== true) return
    this.#probe ??= setTimeout(() => {
      this.#probe = null
      if (!this.#blocked || this.#res === null || this.#body?.isPaused !== true) return
      // Also those with nothing to write: a writer that waits long between its chunks would never reach the limit.
      this.#probes++
      let isStuck = false
      this.#res.cork(() => {
        isStuck = this.#writeByte()
      })
      if (isStuck) return this.abort()
      this.#body.hold()
      if (!this.#blocked) {
        this.#probes = 0
        this.#flush()
      } else if (this.#ending && this.#queue === null) this.#finish()
      else this.#watchPaused()
    }, probeMs).unref()
  }

  /** True: the client has taken nothing for so long that it is cut. Then the writer is not told that it has. */
  #writeByte(): boolean {
    const first = this.#queue?.[0]
    if (first === undefined || this.#res === null) return false
    if (first.at < first.bytes.byteLength) {
      this.#blocked = !this.#res.write(first.bytes.subarray(first.at, ++first.at))
      if (this.#blocked && this.#probes > maxProbes) return true
    }
    // All of it is queued, and nothing is left to try the client with: the writer may go on, and a byte of its next chunk is.
    if (first.at >= first.bytes.byteLength) this.#taken(first)
    return false
  }

  #writePiece(): void {
    const first = this.#queue?.[0]
    if (first === undefined || this.#res === null) return
    if (first.at < first.bytes.byteLength) {
      const end = this.#endOfPiece(first)
      this.#blocked = !this.#res.write(first.bytes.subarray(first.at, end))
      first.at = end
      if (this.#blocked) this.#markSlow(this.#res)
    }
    // While blocked, the writer waits until `onWritable`.
    if (this.#blocked || first.at < first.bytes.byteLength) return
    this.#taken(first)
  }

  #taken(first: Pending): void {
    this.#queue?.shift()
    if (this.#queue?.length === 0) this.#queue = null
    this.#bufferedBytes -= first.bytes.byteLength
    first.resolve(true)
  }

  /** A stream of a request with a body listens from the beginning. */
  #markSlow(res: UwsResponse): void {
    if (!this.#slow && this.#body === null) this.#listen(res)
    this.#slow = true
  }

  /**
   * `write` reports what uWS holds back only when more is written. So a slow client gets the last byte of a chunk in a write of its own:
   * then it is known whether the chunk has left, and a drain does not cut it.
   */
  #endOfPiece({ bytes, at }: Pending): number {
    const end = at + pieceBytes
    const { byteLength } = bytes
    return this.#slow && end >= byteLength && byteLength - at > 1 ? byteLength - 1 : end
  }

  #over(): void {
    this.#res = null
    if (this.#probe !== null) clearTimeout(this.#probe)
    if (this.#ending) this.#unsent.remove()
  }

  #finish(): void {
    if (this.#res === null) return
    // uWS would write `connection: close` into the middle of a chunked body, so the connection cannot be closed with
    // the end. Instead the rest of the request is awaited, under the time limit that uWS has for slow bodies.
    if (this.#body !== null && !this.#body.complete) {
      this.#body.discard(() => this.#finish())
      return
    }
    const res = this.#res
    this.#over()
    this.#owner?.streamEnds()
    res.cork(() => res.end())
  }
}
