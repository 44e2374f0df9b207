import { CallError, timeout, toCallError } from './call-error.ts'
import { Channel } from './channel.ts'
import type { ClientCodec, ServerPackage } from './codec.ts'
import { type ClientFrame, connectionLost, type Session } from './session.ts'
import { toAnswer, type WireCall } from './wire-call.ts'

interface SocketOptions {
  readonly codec: ClientCodec
  readonly maxInFlight: number
  readonly maxQueued: number
  /** Connects. @throws CallError if no connection will come */
  readonly connect: () => void
  /** Is there a connection that takes calls? */
  readonly takesCalls: () => boolean
  /** The longest frame that the server takes. */
  readonly maxMessageBytes: () => number
}

/** A call that has not ended. */
interface Pending {
  readonly call: WireCall
  readonly frame: ClientFrame
  session: Session | null
  wasSent: boolean
  /** The reply to an attempt was lost. */
  wasLost?: boolean
  readonly onReply: (reply: ServerPackage, more: boolean) => void
  /** Ends it, with an error unless it is left out. */
  readonly end: (error?: unknown) => void
}

/** Calls over WebSocket: those that wait for a connection, and those that wait for their replies. Each ends by its deadline. */
export class SocketWire {
  readonly #options: SocketOptions
  readonly #queue = new Set<Pending>()
  readonly #sent = new Set<Pending>()
  #session: Session | null = null

  constructor(options: SocketOptions) {
    this.#options = options
  }

  /** `frame`: in place of a package, a control frame with the id of the call. @throws CallError */
  call(call: WireCall, frame: ClientFrame = this.#encode(call)): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const end = this.#start(call, frame, reject, (reply, more) => {
        if (more) end(new TypeError(`${call.name} streams: use stream()`))
        else resolve(toAnswer(call.route, reply))
      })
    })
  }

  /** The items of a streamed reply. */
  async *stream(call: WireCall): AsyncGenerator<unknown, void, undefined> {
    const items = new Channel<unknown>()
    const onError = (error: unknown): void => items.end(error)
    const end = this.#start(call, this.#encode(call), onError, ({ data }, more) => {
      if (more) items.push(data)
      else items.end()
    })
    try {
      yield* items.read()
    } finally {
      end()
    }
  }

  /** A connection is open; null: it has ended. */
  open(session: Session | null): void {
    this.#session = session
    this.#flush()
  }

  /** Rejects the calls that wait for a connection. */
  reject(toError: (outcomeUnknown: boolean) => CallError): void {
    for (const { end, wasSent } of [...this.#queue]) end(toError(wasSent))
  }

  /** When it is called: what the caller changes later is not sent. */
  #encode({ name, route: { pkgId }, reqId, input, traceparent }: WireCall): ClientFrame {
    if (pkgId === undefined) throw new TypeError(`${name} is served over HTTP only: use wire: 'http'`)
    return this.#options.codec.encode(pkgId, reqId, input, traceparent)
  }

  #start(
    call: WireCall,
    frame: ClientFrame,
    onError: (error: unknown) => void,
    onReply: (reply: ServerPackage, more: boolean) => void,
  ): (error?: unknown) => void {
    const { signal, timeoutMs, reqId } = call
    const { connect, maxMessageBytes, maxQueued } = this.#options
    signal?.throwIfAborted()
    checkSize(frame, maxMessageBytes())
    connect()
    if (this.#queue.size >= maxQueued && !this.#isFree())
      throw new CallError('queue_full', `${this.#queue.size} calls wait`)
    const end = (error?: unknown): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      const isOpen = this.#queue.delete(pending) || this.#sent.delete(pending)
      pending.session?.cancel(reqId)
      if (isOpen && error !== undefined) onError(error)
      this.#flush()
    }
    const abort = (): void => end(signal?.reason)
    const timer = setTimeout(() => end(timeout(timeoutMs, pending.wasSent)), timeoutMs)
    const pending: Pending = {
      call,
      frame,
      session: null,
      wasSent: false,
      onReply: (reply, more) => {
        // From here on it is a stream, which takes as long as it takes.
        clearTimeout(timer)
        if (reply.status_code) return end(toCallError(reply.data, pending.wasLost))
        if (!more) end()
        onReply(reply, more)
      },
      end,
    }
    signal?.addEventListener('abort', abort)
    this.#queue.add(pending)
    this.#flush()
    return end
  }

  #isFree(): boolean {
    return this.#sent.size < this.#options.maxInFlight && this.#options.takesCalls()
  }

  #flush(): void {
    for (const pending of this.#queue) {
      const session = this.#session
      if (session === null || !this.#isFree()) return
      this.#queue.delete(pending)
      this.#sent.add(pending)
      pending.session = session
      pending.wasSent = true
      session.call(pending.call.reqId, pending.frame, {
        reply: pending.onReply,
        lost: () => {
          if (!pending.call.route.once) return pending.end(connectionLost())
          pending.session = null
          pending.wasLost = true
          if (this.#sent.delete(pending)) this.#queue.add(pending)
        },
      })
    }
  }
}

/** The server would end the connection, with all other calls. */
function checkSize(frame: ClientFrame, max: number): void {
  // A character of UTF-16 has at most three bytes in UTF-8.
  if (frame.length * 3 <= max) return
  const { size } = new Blob([frame])
  if (size > max) throw new CallError('payload_too_large', `${size} bytes: the server takes ${max}`)
}
