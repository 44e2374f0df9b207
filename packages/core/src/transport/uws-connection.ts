import { SendResult, type Socket, type SocketLimits, type SocketListener } from './transport.ts'
import type { Unsent } from './unsent.ts'
import { type Fault, report } from './uws-head.ts'
import type { UwsBehavior, UwsWebSocket } from './uws-types.ts'

/**
 * What we put on the native object. A property of it is read in 1 ns; `getUserData()`, a Map and a WeakMap take 11 to
 * 13.
 */
export interface OpenSocket extends UwsWebSocket {
  listener: SocketListener
  socket: UwsSocket
}

/** One open WebSocket. No native call is made once uWS has let go of it: any would throw. */
export class UwsSocket implements Socket {
  readonly #listener: SocketListener
  readonly #fault: Fault
  readonly #unsent: Unsent
  /** Null before it is open, and once it is closed as far as core is concerned. */
  #ws: OpenSocket | null = null
  /** Closed for core, still sending what was queued; then this code goes out. */
  #ending: { readonly ws: OpenSocket; readonly code: number; readonly reason: string } | null = null

  constructor(listener: SocketListener, fault: Fault, unsent: Unsent) {
    this.#listener = listener
    this.#fault = fault
    this.#unsent = unsent
  }

  send(data: string | Uint8Array, binary: boolean): SendResult {
    return this.#ws === null ? SendResult.closed : this.#ws.send(data, binary)
  }

  cork(write: () => void): void {
    if (this.#ws === null) write()
    else this.#ws.cork(write)
  }

  bufferedBytes(): number {
    return this.#ws === null ? 0 : this.#ws.getBufferedAmount()
  }

  end(code: number, wholeReason: string): void {
    const ws = this.#ws
    if (ws === null) return
    const reason = fitReason(wholeReason)
    // uWS calls `close` before this returns (rule 29).
    if (ws.getBufferedAmount() === 0) {
      ws.end(code, reason)
      return
    }
    // Over the limit uWS would drop the close frame, cut off what is queued and leave no handle to cut the connection
    // with (rule 11). So it ends when the queue is empty, unless `close` comes first.
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

  /** A listener threw (rule 30). */
  fail(error: unknown): void {
    report(this.#fault, error)
    this.close()
  }

  /** A hint only (rule 14). */
  drained(): void {
    const ending = this.#ending
    if (ending === null || ending.ws.getBufferedAmount() > 0) return
    ending.ws.end(ending.code, ending.reason)
    this.#ended()
  }

  /** uWS has let go of it. */
  gone(code: number, reason: string): void {
    this.#ended()
    if (this.#ws !== null) this.#tellClosed(code, reason)
  }

  /** Nothing waits for the client any more. */
  #ended(): void {
    if (this.#ending === null) return
    this.#ending = null
    this.#unsent.remove()
  }

  #tellClosed(code: number, reason: string): void {
    // First: the listener may call any of the methods above (rule 29).
    this.#ws = null
    try {
      this.#listener.closed(code, reason)
    } catch (error) {
      report(this.#fault, error)
    }
  }
}

/**
 * A close frame has room for 123 bytes. uWS would cut in the middle of a character, and the client find it malformed.
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

/** How uWS is to treat every socket of ours. */
export function createBehavior(limits: SocketLimits, upgrade: UwsBehavior['upgrade']): UwsBehavior<OpenSocket> {
  return {
    maxPayloadLength: limits.maxPayloadBytes,
    maxBackpressure: limits.maxBackpressureBytes,
    // It would only stop reading, and close some time later (rule 12). Core cuts by what `send` returned (rules 9 and
    // 13).
    closeOnBackpressureLimit: false,
    idleTimeout: limits.idleTimeoutSeconds,
    maxLifetime: limits.maxLifetimeMinutes,
    sendPingsAutomatically: limits.sendPings,
    // Off (rule 40).
    compression: 0,
    upgrade,
    open(ws) {
      // What `accept` passed to `upgrade`.
      const { socket } = ws.getUserData() as { socket: UwsSocket }
      socket.open(ws)
    },
    message(ws, data, binary) {
      try {
        ws.listener.message(data, binary)
      } catch (error) {
        ws.socket.fail(error)
      }
    },
    drain(ws) {
      ws.socket.drained()
    },
    close(ws, code, reason) {
      // Its remote address and its buffers are gone by now (rule 22).
      ws.socket.gone(code, reason.byteLength === 0 ? '' : Buffer.from(reason).toString())
    },
  }
}
