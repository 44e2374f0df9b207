import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { CallConnection } from '../call/call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { Identity } from '../call/identity.ts'
import { isPage, isReply } from '../call/reply.ts'
import {
  type AppError,
  coreError,
  MalformedRequestError,
  NotFoundError,
  PayloadTooLargeError,
  UnavailableError,
} from '../errors/app-error.ts'
import { errorCodes } from '../errors/codes.ts'
import { disconnects } from '../errors/disconnect.ts'
import { RSPCode } from '../errors/status.ts'
import { notifyHooks } from '../plugin/notify-hooks.ts'
import type { ControlFrame, Frame, RefusedFrame, RequestFrame } from '../protocol/frame.ts'
import { unknownPkgId, uuidPattern, zeroUuid } from '../protocol/frame.ts'
import { toBase64 } from '../protocol/json-value.ts'
import { SendResult, type Socket, type SocketListener } from '../transport/transport.ts'
import { CallQueue } from './call-queue.ts'
import { ConnectionFacts } from './connection-facts.ts'
import { ConnectionHandshake } from './handshake.ts'
import { addCall, countCalls, hasCall, listCalls, type RunningCalls, removeCall } from './running-calls.ts'
import { joinTopic } from './topics.ts'
import type { CloseRow, UpgradeFacts, WebSocketWire, WireConnection } from './wire.ts'

/** How long a client may take to receive queued bytes before its close frame; then it is disconnected. */
const closeGraceMs = 5000

/** One open WebSocket: receives frames, runs calls, sends replies and events. Most are idle: what one does not need is not created, or dropped. */
export class WebSocketConnection
  extends ConnectionFacts
  implements WireConnection, SocketListener, CallPeer, DropListener
{
  identity: Identity | null = null
  wasAdmitted = false
  /** Null while no frame is held or awaited. */
  #handshake: ConnectionHandshake | null
  #joined: Set<string> | null = null
  /** Calls that did not end within the callback that received them. */
  #running: RunningCalls = null
  #queue: CallQueue | null = null
  #malformedInARow = 0
  #socket: Socket | null = null
  /** Set once the close is decided: nothing is received or sent any more. */
  #ending: CloseRow | null = null

  constructor(shared: WebSocketWire, facts: UpgradeFacts) {
    super(shared, facts)
    this.#handshake = new ConnectionHandshake(this, facts.admission)
  }

  get connection(): CallConnection {
    return this
  }
  get admitted(): boolean {
    return this.wasAdmitted && this.#ending === null
  }
  get inFlight(): number {
    return countCalls(this.#running)
  }
  get running(): readonly ActiveCall[] {
    return listCalls(this.#running)
  }
  get joined(): Set<string> {
    this.#joined ??= new Set()
    return this.#joined
  }
  get bufferedBytes(): number {
    return this.#socket?.bufferedBytes() ?? 0
  }
  get socket(): Socket | null {
    return this.#socket
  }
  get topics(): readonly string[] {
    return this.#joined === null ? [] : [...this.#joined]
  }
  get isOpen(): boolean {
    return this.#ending === null && this.#socket !== null
  }
  get hasHeldFrames(): boolean {
    return this.#handshake?.hasHeldFrames ?? false
  }

  // ---- SocketListener

  opened(socket: Socket): void {
    this.#socket = socket
    this.shared.open.add(this)
    this.shared.instruments.active.inc()
    this.#handshake?.start()
  }

  message(data: ArrayBuffer, binary: boolean): void {
    if (this.#ending !== null) return
    const { instruments } = this.shared
    instruments.received.inc()
    instruments.receivedBytes.inc(data.byteLength)
    if (this.#handshake?.holdsFrames) this.#handshake.hold(data, binary)
    else this.receive(data, binary)
  }

  closed(code: number, reason: string): void {
    const row = this.#ending ?? { code, reason }
    this.#retire(row)
    this.#socket = null
    this.#handshake?.end()
    this.#handshake = null
    this.shared.services.onWorkEnd?.()
    this.shared.open.delete(this)
    this.shared.instruments.active.dec()
    this.shared.instruments.closed(row)
    const outcome = { code: row.code, reason: row.reason, admitted: this.wasAdmitted }
    notifyHooks(this.shared.onDisconnect, this, outcome, (error) => {
      this.shared.services.log.error({ err: error }, 'An onDisconnect hook failed')
    })
  }

  // ---- frames

  receive(data: ArrayBuffer, binary: boolean): void {
    const { maxMessageBytes } = this.shared.options
    if (data.byteLength > maxMessageBytes) {
      const error = new PayloadTooLargeError(maxMessageBytes)
      this.#sendError(unknownPkgId, zeroUuid, error)
      return this.shared.refusedFrame(error.code)
    }
    this.dispatch(this.codec.decode(data, binary))
  }

  dispatch(frame: Frame): void {
    if (frame.kind === 'request') this.#call(frame)
    else if (frame.kind === 'control') this.#control(frame)
    else this.#refuse(frame)
  }

  #call(frame: RequestFrame): void {
    const { router, services, options, unmatched, draining } = this.shared
    this.#malformedInARow = 0
    const route = router.find(frame.pkgId) ?? unmatched
    const call = new ActiveCall(route, this, services, frame.reqId, this.identity, frame.data, frame.pkgId)
    if (services.onCall !== null) services.onCall(call)
    if (draining) return call.fail(new UnavailableError('The server is restarting'))
    if (route === unmatched) return call.fail(new NotFoundError(`No handler found for pkg_id ${frame.pkgId}`))
    if (countCalls(this.#running) >= options.maxInFlight) return call.fail(coreError('too_many_in_flight'))
    if (options.ordered || route.ordered) {
      this.#queue ??= new CallQueue()
      this.#queue.enter(options.ordered ? this : route, call)
    } else route.run(call)
    // A call that ran synchronously has been answered already.
    if (call.settled) return
    this.#running = addCall(this.#running, call)
    call.armDeadline()
  }

  #control(frame: ControlFrame): void {
    const handle = this.shared.controls.get(frame.type)
    if (handle === undefined) {
      const error = new MalformedRequestError('The frame is neither a package nor a known control frame')
      // It may have been meant as a package, and its sender finds the reply by the id.
      const { req_id: id } = frame.fields
      const reqId = typeof id === 'string' && uuidPattern.test(id) ? id : zeroUuid
      return this.#refuse({ kind: 'refused', pkgId: unknownPkgId, reqId, error })
    }
    this.#malformedInARow = 0
    this.#handshake ??= new ConnectionHandshake(this, null)
    this.#handshake.runControl(handle, frame.fields)
  }

  #refuse({ pkgId, reqId, error }: RefusedFrame): void {
    this.#sendError(pkgId, reqId, error)
    this.shared.refusedFrame(error.code)
    if (error.code !== 'malformed_request') return
    this.shared.instruments.malformed.inc()
    this.#malformedInARow++
    if (this.#malformedInARow >= this.shared.options.maxMalformedFrames) this.close(disconnects.tooManyMalformedFrames)
  }

  stopWaiting(): void {
    this.#queue?.clear()
    this.#handshake?.answerHeldFrames()
  }

  handshakeDone(): void {
    this.#handshake = null
  }

  // ---- CallPeer

  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void {
    next(call, call.data)
  }

  succeed(call: ActiveCall, result: unknown): number {
    const value = isReply(result) ? toFrameValue(result) : result
    const text = isPage(value)
      ? this.codec.encodeReply(call.pkgId, call.id, RSPCode.OK, value.meta, value.items)
      : this.codec.encodeReply(call.pkgId, call.id, RSPCode.OK, isReply(result) ? result.meta : null, value)
    this.#send(text, this.codec.binary)
    return 200
  }

  fail(call: ActiveCall, error: AppError): void {
    this.#sendError(call.pkgId, call.id, error)
  }

  ended(call: ActiveCall): void {
    if (!hasCall(this.#running, call)) return
    this.#running = removeCall(this.#running, call)
    call.services.onWorkEnd?.()
  }

  // ---- sending

  #send(data: string | Uint8Array, binary: boolean): void {
    if (!this.deliver(data, binary)) this.end(disconnects.tooSlow)
  }

  deliver(data: string | Uint8Array, binary: boolean): boolean {
    if (this.#ending !== null || this.#socket === null) return true
    const result = this.#socket.send(data, binary)
    if (result === SendResult.dropped) {
      // The client misses a frame now, so it must not receive anything more.
      this.#ending = disconnects.tooSlow
      this.shared.hub.remove(this)
      this.shared.instruments.dropped.inc()
    } else if (result !== SendResult.closed)
      this.shared.instruments.sent(1, typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength)
    return result !== SendResult.dropped
  }

  sendControl(frame: { readonly type: string; readonly [key: string]: unknown }): void {
    this.#send(JSON.stringify(frame), false)
  }

  #sendError(pkgId: number, reqId: string, error: AppError): void {
    const { code, status } = error
    const isDefault = code === 'permission_denied' && error.message === errorCodes.permission_denied.message
    const msg = isDefault ? `No permission for pkg_id ${pkgId}` : error.message
    let frame: string | Uint8Array
    try {
      frame = this.codec.encodeReply(pkgId, reqId, status, null, { code, msg, details: error.details })
    } catch (cause) {
      this.shared.services.log.error({ err: cause, code }, 'The details of an error cannot be encoded')
      frame = this.codec.encodeReply(pkgId, reqId, status, null, { code, msg, details: null })
    }
    this.#send(frame, this.codec.binary)
  }

  // ---- topics

  join(topic: string): Promise<void> {
    return dropSafe(joinTopic(this, topic, this.wasAdmitted), 'connection.join', this)
  }

  leave(topic: string): void {
    this.shared.hub.leave(this, topic)
  }

  /** An unawaited promise of this connection has failed outside a call. */
  dropped(error: unknown, promise: string): void {
    const { id, address, identity } = this
    const fields = { connection_id: id, address, user_id: identity?.id ?? null }
    this.shared.services.rejections.dropped(error, promise, undefined, fields)
  }

  // ---- the end

  close(row: CloseRow = disconnects.normal): void {
    if (this.#ending === null) this.end(row)
  }

  end(row: CloseRow): void {
    this.#retire(row)
    const socket = this.#socket
    if (socket === null) return
    socket.end(row.code, row.reason)
    // The close frame is sent after what is queued; a client that receives nothing is disconnected after a while and sees 1006. A drain
    // has a time limit of its own.
    if (!this.shared.draining && socket.bufferedBytes() > 0)
      this.shared.services.clock.timer(closeGraceMs, () => socket.close())
  }

  /** Leaves the hub and aborts the calls. Idempotent. */
  #retire(row: CloseRow): void {
    if (this.#ending === null) this.#ending = row
    this.shared.hub.remove(this)
    this.#queue?.clear()
    for (const call of this.running) call.abandon('The connection has closed')
    this.#running = null
  }
}

function toFrameValue(reply: { readonly value: unknown }): unknown {
  return reply.value instanceof Uint8Array ? toBase64(reply.value) : reply.value
}
