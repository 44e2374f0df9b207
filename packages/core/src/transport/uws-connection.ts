import { SendResult, type Socket, type SocketLimits, type SocketListener } from './transport.ts'
import type { Unsent } from './unsent.ts'
import { type Fault, reportFault } from './uws-head.ts'
import type { UwsPings } from './uws-pings.ts'
import type { UwsPublications } from './uws-publications.ts'
import type { UwsBehavior, UwsWebSocket } from './uws-types.ts'

/**
 * The native object with two more properties. A property is read in 1 ns; `getUserData()`, a Map and a WeakMap take 11 to 13.
 */
export interface OpenSocket extends UwsWebSocket {
  listener: SocketListener
  socket: UwsSocket
}

/** One open WebSocket. No native call is made once uWS has freed it: any would throw. */
export class UwsSocket implements Socket {
  readonly #listener: SocketListener
  readonly #fault: Fault
  readonly #unsent: Unsent
  readonly #publications: UwsPublications
  /** True from its first topic on. */
  #subscribed = false
  /** Null before it is open, and once it is closed for core. */
  #ws: OpenSocket | null = null
  /** Closed for core, still sending what was queued; this close frame follows. */
  #ending: { readonly ws: OpenSocket; readonly code: number; readonly reason: string } | null = null

  constructor(listener: SocketListener, fault: Fault, unsent: Unsent, publications: UwsPublications) {
    this.#listener = listener
    this.#fault = fault
    this.#unsent = unsent
    this.#publications = publications
  }

  send(data: string | Uint8Array, binary: boolean): SendResult {
    if (this.#ws === null) return SendResult.closed
    this.#publications.count(data.length)
    return this.#ws.send(data, binary, data.length >= this.#publications.compressFrom)
  }

  cork(write: () => void): void {
    if (this.#ws === null) write()
    else this.#ws.cork(write)
  }

  subscribe(topic: string): void {
    if (this.#ws === null) return
    this.#subscribed = true
    this.#ws.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.#ws?.unsubscribe(topic)
  }

  bufferedBytes(): number {
    const ws = this.#ws ?? this.#ending?.ws
    if (ws === undefined) return 0
    return ws.getBufferedAmount() + (this.#subscribed ? this.#publications.pendingBytes : 0)
  }

  end(code: number, wholeReason: string): void {
    const ws = this.#ws
    if (ws === null) return
    const reason = fitReason(wholeReason)
    // uWS calls the `close` handler before this returns.
    if (this.#queuedBytes(ws) === 0) {
      ws.end(code, reason)
      return
    }
    // Over the limit uWS would drop the close frame (uws-rules.md#slow-clients). So it ends when the queue is empty, unless `close` comes
    // first.
    this.#ending = { ws, code, reason }
    this.#unsent.add()
    ws.listener = deaf
    this.#tellClosed(code, reason)
  }

  close(): void {
    const ws = this.#ws ?? this.#ending?.ws
    this.#ended()
    ws?.close()
  }

  open(ws: OpenSocket): void {
    this.#ws = ws
    ws.socket = this
    ws.listener = this.#listener
    try {
      this.#listener.opened(this)
    } catch (error) {
      this.fail(error)
    }
  }

  /** A listener threw. */
  fail(error: unknown): void {
    reportFault(this.#fault, error)
    this.close()
  }

  /** Only a hint: bytes may still be queued. */
  drained(): void {
    const ending = this.#ending
    if (ending === null) return this.#tellDrained()
    if (this.#queuedBytes(ending.ws) > 0) return
    ending.ws.end(ending.code, ending.reason)
    this.#ended()
  }

  #tellDrained(): void {
    if (this.#ws === null) return
    try {
      this.#listener.drained?.()
    } catch (error) {
      this.fail(error)
    }
  }

  /** uWS has freed it. */
  gone(code: number, reason: string): void {
    this.#ended()
    if (this.#ws !== null) this.#tellClosed(code, reason)
  }

  /**
   * With the publications of this turn, which the ping makes uWS give to the socket. Without it `end` would, and then what the system does not
   * take of them would wait behind a close frame, with no way to cut it or to see it leave.
   */
  #queuedBytes(ws: OpenSocket): number {
    if (this.#subscribed && this.#publications.pendingBytes > 0) ws.ping()
    return ws.getBufferedAmount()
  }

  /** The queued rest is sent, or will not be. */
  #ended(): void {
    if (this.#ending === null) return
    this.#ending = null
    this.#unsent.remove()
  }

  #tellClosed(code: number, reason: string): void {
    // First, because the listener may call any of the methods above.
    this.#ws = null
    try {
      this.#listener.closed(code, reason)
    } catch (error) {
      reportFault(this.#fault, error)
    }
  }
}

/**
 * A close frame holds 123 bytes. uWS would cut in the middle of a character, and the client would refuse the frame as malformed.
 */
function fitReason(reason: string): string {
  // No character takes more than 3 bytes per unit of a string.
  if (reason.length <= 41) return reason
  const bytes = Buffer.from(reason)
  if (bytes.byteLength <= 123) return reason
  let end = 123
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

const deaf: SocketListener = { opened() {}, message() {}, closed() {} }

/** The settings and handlers of every socket. */
export function createBehavior(
  limits: SocketLimits,
  compression: number,
  upgrade: UwsBehavior['upgrade'],
  publications: UwsPublications,
  pings: UwsPings | null,
): UwsBehavior<OpenSocket> {
  return {
    maxPayloadLength: limits.maxPayloadBytes,
    maxBackpressure: limits.maxBackpressureBytes,
    // It would only stop reading, and close some time later. Core closes a slow client by the result of `send`.
    closeOnBackpressureLimit: false,
    idleTimeout: limits.idleTimeoutSeconds,
    maxLifetime: limits.maxLifetimeMinutes,
    sendPingsAutomatically: limits.sendPings,
    compression,
    upgrade,
    open(ws) {
      // What `accept` passed to `upgrade`.
      const { socket } = ws.getUserData() as { socket: UwsSocket }
      // First, because a listener may close it at once.
      pings?.add(ws)
      socket.open(ws)
    },
    message(ws, data, binary) {
      try {
        ws.listener.message(data, binary)
      } catch (error) {
        ws.socket.fail(error)
      }
    },
    ping(_ws, data) {
      // uWS has answered with a pong of that size.
      publications.count(data.byteLength)
    },
    drain(ws) {
      ws.socket.drained()
    },
    close(ws, code, reason) {
      pings?.remove(ws)
      // Neither its remote address nor its buffers can be read here.
      ws.socket.gone(code, reason.byteLength === 0 ? '' : Buffer.from(reason).toString())
    },
  }
}
