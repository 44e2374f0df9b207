import { isUtf8 } from 'node:buffer'
import type { Clock, Timer } from '../../base/clock.ts'
import { pingAfterSeconds } from '../../transport/socket-limits.ts'
import { SendResult, type Socket, type SocketLimits, type SocketListener } from '../../transport/transport.ts'
import type { Unsent } from '../../transport/unsent.ts'
import { later, toOwnBytes } from './memory-network.ts'
import type { MemoryPeer } from './memory-peer.ts'
import type { MemoryTopics } from './memory-topics.ts'

/** What travels from the server to the client. `cut` is the end of the connection without a close frame. */
export type Downstream =
  | { readonly kind: 'frame'; readonly bytes: Uint8Array; readonly binary: boolean }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  | { readonly kind: 'cut' }

/** What a socket needs of the transport around it. */
export interface SocketSurroundings {
  readonly limits: SocketLimits
  /** Without one, nothing happens by the passing of time. */
  readonly clock: Clock | null
  readonly fault: (error: unknown) => void
  readonly unsent: Unsent
  readonly topics: MemoryTopics
}

/** No close frame came. */
export const abnormalClosure = 1006

/** A close frame without a code came. */
export const noStatus = 1005

/** The server's end of one WebSocket. */
export class MemorySocket implements Socket {
  readonly #listener: SocketListener
  readonly #peer: MemoryPeer
  readonly #around: SocketSurroundings
  #open = true
  /** Ended, and the close frame waits behind what the client has not read. */
  #ending = false
  #queue: Downstream[] = []
  #queuedBytes = 0
  #lastReceived = 0
  #idleTimer: Timer | null = null
  #lifetimeTimer: Timer | null = null

  constructor(listener: SocketListener, peer: MemoryPeer, around: SocketSurroundings) {
    this.#listener = listener
    this.#peer = peer
    this.#around = around
  }

  /** Tells the listener, and starts what time does to a socket. */
  start(): void {
    const { clock, limits } = this.#around
    if (clock !== null && limits.maxLifetimeMinutes > 0) {
      const end = (): void => this.end(1000, 'please reconnect')
      this.#lifetimeTimer = clock.timer(limits.maxLifetimeMinutes * 60_000, end)
    }
    if (clock !== null && limits.idleTimeoutSeconds > 0) this.#watch(clock)
    this.#guard(() => this.#listener.opened(this))
  }

  send(data: string | Uint8Array, binary: boolean): SendResult {
    if (!this.#open) return SendResult.closed
    // Compared before sending, as uWS does: the frame that crosses the limit is still sent.
    if (this.#queuedBytes > this.#around.limits.maxBackpressureBytes) return SendResult.dropped
    const frame = { kind: 'frame', bytes: toOwnBytes(data), binary } as const
    this.#around.topics.acceptedBytes += wireBytes(frame)
    return this.#transmit(frame)
  }

  subscribe(topic: string): void {
    if (this.#open) this.#around.topics.subscribe(this, topic)
  }

  unsubscribe(topic: string): void {
    this.#around.topics.unsubscribe(this, topic)
  }

  cork(write: () => void): void {
    write()
  }

  bufferedBytes(): number {
    return this.#queuedBytes
  }

  end(code: number, reason: string): void {
    if (!this.#open) return
    const text = limitReason(reason)
    // These mean that there is no code, and are not sent.
    const bare = code === 0 || code === noStatus || code === abnormalClosure
    const sent = this.#transmit({ kind: 'close', code: bare ? noStatus : code, reason: bare ? '' : text })
    if (sent === SendResult.queued) {
      this.#ending = true
      this.#around.unsent.add()
    }
    this.#finish(code, text)
  }

  close(): void {
    // After `end`, what a slow client has not taken yet is still to be cut.
    if (this.#open) this.#cut('')
    else this.#cutPeer()
  }

  /** A frame of the client arrives. */
  receive(bytes: Uint8Array<ArrayBuffer>, binary: boolean): void {
    if (!this.#open) return
    this.#lastReceived = this.#around.clock?.monotonic() ?? 0
    if (bytes.byteLength > this.#around.limits.maxPayloadBytes) {
      this.#cut('Received too big message')
    } else if (!binary && !isUtf8(bytes)) {
      this.#cut('Received invalid UTF-8')
    } else {
      this.#guard(() => this.#listener.message(bytes.buffer, binary))
      detach(bytes.buffer)
    }
  }

  /** A close frame of the client arrives: it is echoed. */
  receiveClose(code: number, reason: string): void {
    this.end(code, reason)
  }

  /** The client has disconnected without one. */
  receiveEnd(): void {
    this.#ended()
    if (this.#open) this.#finish(abnormalClosure, 'Received TCP FIN before WebSocket close frame')
  }

  /** The client reads again: what was queued goes, until a frame makes it pause. */
  flush(): void {
    const queuedBytes = this.#queuedBytes
    while (this.#peer.reading) {
      const item = this.#queue.shift()
      if (item === undefined) break
      this.#queuedBytes -= wireBytes(item)
      if (this.#queue.length === 0) this.#ended()
      this.#peer.arrive(item)
    }
    if (this.#open && this.#queuedBytes < queuedBytes) this.#guard(() => this.#listener.drained?.())
  }

  #transmit(item: Downstream): SendResult {
    if (this.#peer.reading && this.#queue.length === 0) {
      later(() => this.#peer.arrive(item))
      return SendResult.sent
    }
    this.#queue.push(item)
    this.#queuedBytes += wireBytes(item)
    return SendResult.queued
  }

  /** `reason` is for the listener alone, with the messages of uWS. */
  #cut(reason: string): void {
    if (!this.#open) return
    this.#cutPeer()
    this.#finish(abnormalClosure, reason)
  }

  #cutPeer(): void {
    this.#queue = []
    this.#queuedBytes = 0
    this.#ended()
    later(() => this.#peer.arrive({ kind: 'cut' }))
  }

  /** Nothing waits for the client any more. */
  #ended(): void {
    if (!this.#ending) return
    this.#ending = false
    this.#around.unsent.remove()
  }

  #finish(code: number, reason: string): void {
    this.#open = false
    this.#around.topics.unsubscribeAll(this)
    this.#idleTimer?.cancel()
    this.#lifetimeTimer?.cancel()
    this.#guard(() => this.#listener.closed(code, reason))
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#around.fault(error)
      this.close()
    }
  }

  #watch(clock: Clock): void {
    const idleMs = this.#around.limits.idleTimeoutSeconds * 1000
    const pingMs = (pingAfterSeconds(this.#around.limits)?.seconds ?? Number.POSITIVE_INFINITY) * 1000
    let pinged = Number.NEGATIVE_INFINITY
    const check = (): void => {
      const now = clock.monotonic()
      if (now >= Math.max(this.#lastReceived, pinged) + pingMs) {
        pinged = now
        // A client that reads answers at once.
        if (this.#peer.reading) this.#lastReceived = now
      }
      const leftMs = this.#lastReceived + idleMs - now
      if (leftMs <= 0) return this.#cut('WebSocket timed out from inactivity')
      const untilPingMs = Math.max(this.#lastReceived, pinged) + pingMs - now
      this.#idleTimer = clock.timer(Math.min(leftMs, untilPingMs), check)
    }
    this.#lastReceived = clock.monotonic()
    this.#idleTimer = clock.timer(Math.min(idleMs, pingMs), check)
  }
}

/** Makes every view of it unusable, as native memory is after the callback. */
function detach(buffer: ArrayBuffer): void {
  // An empty one has nothing to keep, and one that the listener transferred away is detached already.
  if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer] })
}

/** A close frame holds 123 bytes beside the code. Cut between characters, because half of one is not UTF-8. */
function limitReason(reason: string): string {
  const bytes = toOwnBytes(reason)
  if (bytes.byteLength <= 123) return reason
  return new TextDecoder().decode(bytes.subarray(0, 123), { stream: true })
}

/** Payload and frame header, as the native layer counts its buffer. */
function wireBytes(item: Downstream): number {
  if (item.kind !== 'frame') return 0
  const length = item.bytes.byteLength
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10)
}
