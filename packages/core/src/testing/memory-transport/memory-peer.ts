import { isUtf8 } from 'node:buffer'
import { later, toOwnBytes } from './memory-network.ts'
import { abnormalClosure, type Downstream, type MemorySocket, noStatus } from './memory-socket.ts'

/** The events of a client. */
export interface MemoryClientEvents {
  /** Text as a string, binary frames as bytes of their own. */
  frame(data: string | Uint8Array): void
  /** Once, last. 1005 when the close frame had no code, 1006 when there was none. */
  closed(code: number, reason: string): void
}

/** The client's end of one WebSocket. */
export interface MemoryClientSocket {
  /** The sub-protocol that the server chose; '' for none. */
  readonly protocol: string
  /** Text or, for bytes, a binary frame; `binary: false` sends bytes as text, which need not be UTF-8. Nothing goes once closing. */
  send(data: string | Uint8Array, binary?: boolean): void
  /** Sends a close frame; `closed` follows when the server has answered it. Throws on a code that a client may not send. */
  close(code?: number, reason?: string): void
  /** Cuts the connection without a close frame. */
  terminate(): void
  /** Stops reading: the server runs into back pressure, and no event comes, not even the end. */
  pause(): void
  /** Reads again, in order. */
  resume(): void
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** See {@link MemoryClientSocket}; the rest is for the server's end. */
export class MemoryPeer implements MemoryClientSocket {
  readonly protocol: string
  readonly #events: MemoryClientEvents
  readonly #onGone: () => void
  #server: MemorySocket | null = null
  #state: 'open' | 'closing' | 'closed' = 'open'
  #reading = true
  /** Frames that had left the server when the client paused. */
  #arrived: Downstream[] = []

  constructor(protocol: string, events: MemoryClientEvents, onGone: () => void) {
    this.protocol = protocol
    this.#events = events
    this.#onGone = onGone
  }

  get reading(): boolean {
    return this.#reading
  }

  attach(server: MemorySocket): void {
    this.#server = server
  }

  send(data: string | Uint8Array, binary: boolean = typeof data !== 'string'): void {
    if (this.#state !== 'open') return
    const bytes = toOwnBytes(data)
    later(() => this.#server?.receive(bytes, binary))
  }

  close(code?: number, reason = ''): void {
    if (code !== undefined && !isSendable(code)) throw new TypeError(`a client may not close with the code ${code}`)
    if (this.#state !== 'open') return
    this.#state = 'closing'
    later(() => this.#server?.receiveClose(code ?? noStatus, reason))
  }

  terminate(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#arrived = []
    later(() => {
      this.#server?.receiveEnd()
      this.#onGone()
      this.#events.closed(abnormalClosure, '')
    })
  }

  pause(): void {
    this.#reading = false
  }

  resume(): void {
    if (this.#reading) return
    this.#reading = true
    later(() => {
      if (!this.#reading) return
      this.#deliver()
      // A frame may have made the client pause again.
      if (this.#reading) this.#server?.flush()
    })
  }

  arrive(item: Downstream): void {
    this.#arrived.push(item)
    this.#deliver()
  }

  #deliver(): void {
    while (this.#reading) {
      const item = this.#arrived.shift()
      if (item === undefined) return
      this.#take(item)
    }
  }

  #take(item: Downstream): void {
    if (this.#state === 'closed') return
    if (item.kind === 'frame') {
      if (item.binary) this.#events.frame(item.bytes)
      else if (isUtf8(item.bytes)) this.#events.frame(decoder.decode(item.bytes))
      else this.#failText()
      return
    }
    const [code, reason] = item.kind === 'close' ? [item.code, item.reason] : [abnormalClosure, '']
    this.#state = 'closed'
    this.#onGone()
    this.#events.closed(code, reason)
  }

  /** A client answers a text frame that is not UTF-8 with 1007, and receives no close frame. */
  #failText(): void {
    this.#state = 'closed'
    later(() => {
      this.#server?.receiveClose(1007, '')
      this.#onGone()
      this.#events.closed(abnormalClosure, '')
    })
  }
}

/** RFC 6455, 7.4: 1004 to 1006 and 1015 stand for what is never in a frame. */
function isSendable(code: number): boolean {
  return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999)
}
