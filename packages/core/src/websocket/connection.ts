import { randomUUID } from 'node:crypto'
import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import { isPromise } from '../base/maybe-promise.ts'
import type { ActiveCall, CallOrigin } from '../call/active-call.ts'
import type { CallConnection } from '../call/call.ts'
import type { Identity } from '../call/identity.ts'
import { isPage } from '../call/page.ts'
import { isReply } from '../call/reply.ts'
import { toTraceparent } from '../call/traceparent.ts'
import { type AppError, PayloadTooLargeError, PermissionDeniedError } from '../errors/app-error.ts'
import { errorCodes } from '../errors/codes.ts'
import { type DisconnectRow, disconnects } from '../errors/disconnect.ts'
import { RSPCode } from '../errors/status.ts'
import type { Member } from '../hub/member.ts'
import type { ControlResult } from '../plugin/host.ts'
import type { Codec } from '../protocol/codec.ts'
import { unknownPkgId, zeroUuid } from '../protocol/frame.ts'
import { toBase64 } from '../protocol/json-value.ts'
import { SendResult, type Socket, type SocketListener } from '../transport/transport.ts'
import { dispatch } from './dispatch.ts'
import { Gate } from './gate.ts'
import { CallQueue } from './ordered.ts'
import type { WebSocketWire } from './wire.ts'

/** What the upgrade said. */
export interface UpgradeFacts {
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly codec: Codec
  /** What credentials in the upgrade itself led to; null: none. */
  readonly admission: ControlResult | null
}

type CloseRow = Pick<DisconnectRow, 'code' | 'reason'>

/** How long a client may take what is queued before its close frame; then it is cut. */
const closeGraceMs = 5000

/** One open WebSocket: it takes frames from the transport, runs calls, and sends. */
export class WebSocketConnection implements Member, SocketListener, CallOrigin, DropListener {
  readonly id: string = randomUUID()
  readonly wire = 'ws'
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly codec: Codec
  readonly connectedAt: number
  readonly joined: Set<string> = new Set()
  readonly shared: WebSocketWire
  readonly gate: Gate
  readonly queue: CallQueue = new CallQueue()
  identity: Identity | null = null
  /** Calls that did not end within the callback that brought them. */
  readonly running: Set<ActiveCall> = new Set()
  malformedInARow = 0
  #traceparent: string | null | undefined
  #socket: Socket | null = null
  /** Set when the end is decided: nothing is sent or served any more. */
  #ending: CloseRow | null = null

  constructor(shared: WebSocketWire, facts: UpgradeFacts) {
    this.shared = shared
    this.address = facts.address
    this.headers = facts.headers
    this.query = facts.query
    this.codec = facts.codec
    this.connectedAt = shared.services.clock.now()
    this.gate = new Gate(this, facts.admission)
  }

  get connection(): CallConnection {
    return this
  }
  /** Of the upgrade: all calls of a connection belong to the trace that opened it. */
  get traceparent(): string | null {
    if (this.#traceparent === undefined) this.#traceparent = toTraceparent(this.headers.traceparent ?? '')
    return this.#traceparent
  }
  get admitted(): boolean {
    return this.gate.passed && this.#ending === null
  }
  get inFlight(): number {
    return this.running.size
  }
  get maxMessageBytes(): number {
    return this.shared.options.maxMessageBytes
  }
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes() ?? 0
  }
  get topics(): readonly string[] {
    return [...this.joined]
  }
  /** False once the end is decided. */
  get live(): boolean {
    return this.#ending === null && this.#socket !== null
  }

  // ---- SocketListener

  opened(socket: Socket): void {
    this.#socket = socket
    this.shared.open.add(this)
    this.shared.instruments.active.inc()
    this.gate.open()
  }

  message(data: ArrayBuffer, binary: boolean): void {
    if (this.#ending !== null) return
    const { instruments } = this.shared
    instruments.received.inc()
    instruments.receivedBytes.inc(data.byteLength)
    if (this.gate.shut) this.gate.hold(data, binary)
    else this.receive(data, binary)
  }

  /** A message behind the gate. */
  receive(data: ArrayBuffer, binary: boolean): void {
    const { maxMessageBytes } = this.shared.options
    if (data.byteLength > maxMessageBytes) {
      const error = new PayloadTooLargeError(maxMessageBytes)
      this.sendError(unknownPkgId, zeroUuid, error)
      return this.shared.refusedFrame(error.code)
    }
    dispatch(this, this.codec.decode(data, binary))
  }

  closed(code: number, reason: string): void {
    const row = this.#ending ?? { code, reason }
    const admitted = this.gate.passed
    this.#retire(row)
    this.#socket = null
    this.gate.close()
    this.shared.open.delete(this)
    this.shared.instruments.active.dec()
    this.shared.instruments.closed(row)
    const failed = (error: unknown): void =>
      this.shared.services.log.error({ err: error }, 'An onDisconnect hook failed')
    for (const hook of this.shared.onDisconnect) {
      try {
        const result: unknown = hook(this, { code: row.code, reason: row.reason, admitted })
        if (isPromise(result)) result.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    }
  }

  // ---- CallOrigin

  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void {
    next(call, call.data)
  }

  succeed(call: ActiveCall, result: unknown): number {
    const value = isReply(result) ? formOf(result) : result
    const text = isPage(value)
      ? this.codec.encodeReply(call.pkgId, call.id, RSPCode.OK, value.meta, value.items)
      : this.codec.encodeReply(call.pkgId, call.id, RSPCode.OK, isReply(result) ? result.meta : null, value)
    this.send(text, this.codec.binary)
    return 200
  }

  fail(call: ActiveCall, error: AppError): void {
    this.sendError(call.pkgId, call.id, error)
  }

  ended(call: ActiveCall): void {
    if (this.running.delete(call)) call.services.onWorkEnd?.()
  }

  // ---- sending

  send(data: string | Uint8Array, binary: boolean): void {
    if (this.#ending !== null || this.#socket === null) return
    const result = this.#socket.send(data, binary)
    if (result === SendResult.dropped) this.#tooSlow()
    else if (result !== SendResult.closed) {
      const { instruments } = this.shared
      instruments.sent.inc()
      instruments.sentBytes.inc(typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength)
    }
  }

  deliver(data: string | Uint8Array, binary: boolean): void {
    this.send(data, binary)
  }

  sendControl(frame: { readonly type: string; readonly [key: string]: unknown }): void {
    this.send(JSON.stringify(frame), false)
  }

  sendError(pkgId: number, reqId: string, error: AppError): void {
    const { code, status } = error
    const isDefault = code === 'permission_denied' && error.message === errorCodes.permission_denied.message
    const msg = isDefault ? `No permission for pkg_id ${pkgId}` : error.message
    let frame: string | Uint8Array
    try {
      frame = this.codec.encodeReply(pkgId, reqId, status, null, { code, msg, details: error.details })
    } catch (cause) {
      this.shared.services.log.error({ err: cause, code }, 'The details of an error have no form on the wire')
      frame = this.codec.encodeReply(pkgId, reqId, status, null, { code, msg, details: null })
    }
    this.send(frame, this.codec.binary)
  }

  // ---- topics

  join(topic: string): Promise<void> {
    return dropSafe(this.#join(topic), 'connection.join', this)
  }

  async #join(topic: string): Promise<void> {
    if (!this.gate.passed) throw new Error('A connection joins topics once it has been admitted: not in onConnect')
    const rule = this.shared.findTopicRule(topic)
    let asked: Identity | null
    do {
      // A renewal meanwhile asks again for topics that are joined already, which this one is not.
      asked = this.identity
      if (rule === null || (await rule.authorize(asked, topic)) !== true)
        throw new PermissionDeniedError('Not allowed to join this topic')
    } while (asked !== this.identity)
    if (this.admitted) this.shared.hub.join(this, topic)
  }

  /** Of a promise that was handed out on behalf of no call. */
  dropped(error: unknown, promise: string): void {
    const { id, address, identity } = this
    const fields = { connection_id: id, address, user_id: identity?.id ?? null }
    this.shared.services.rejections.dropped(error, promise, undefined, fields)
  }

  leave(topic: string): void {
    this.shared.hub.leave(this, topic)
  }

  // ---- the end

  close(row: CloseRow = disconnects.normal): void {
    if (this.#ending === null) this.#end(row)
  }

  /** The first drop: the client has a gap, so nothing more may reach it, and it is gone for everybody else. */
  #tooSlow(): void {
    this.shared.instruments.dropped.inc()
    this.#end(disconnects.tooSlow)
  }

  #end(row: CloseRow): void {
    this.#retire(row)
    const socket = this.#socket
    if (socket === null) return
    // The close frame goes behind what is queued (rule 11); a client that takes nothing is cut and sees 1006. A drain has a time of
    // its own, and cuts at its end.
    if (!this.shared.draining && socket.bufferedBytes() > 0)
      this.shared.services.clock.timer(closeGraceMs, () => socket.close())
    socket.end(row.code, row.reason)
  }

  #retire(row: CloseRow): void {
    if (this.#ending === null) this.#ending = row
    this.shared.hub.remove(this)
    this.queue.clear()
    for (const call of this.running) call.abandon('The connection has closed')
    this.running.clear()
  }
}

function formOf(reply: { readonly value: unknown }): unknown {
  return reply.value instanceof Uint8Array ? toBase64(reply.value) : reply.value
}
