import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { AskOptions, CallConnection } from '../call/call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { QuestionDefinition } from '../call/event.ts'
import type { Identity } from '../call/identity.ts'
import { isPage, isReply } from '../call/reply.ts'
import type { ItemSink } from '../call/streamed-reply.ts'
import { type AppError, coreError, NotFoundError, PayloadTooLargeError } from '../errors/app-error.ts'
import { disconnects } from '../errors/disconnect.ts'
import { RestartingError } from '../errors/restarting-error.ts'
import { RSPCode } from '../errors/status.ts'
import { notifyHooks } from '../plugin/notify-hooks.ts'
import type { ControlFrame, Frame, RefusedFrame, RequestFrame } from '../protocol/frame.ts'
import { unknownPkgId, uuidPattern, zeroUuid } from '../protocol/frame.ts'
import { toFrameValue } from '../protocol/json-value.ts'
import { refuseFrame } from '../protocol/to-frame.ts'
import type { Socket, SocketListener } from '../transport/transport.ts'
import { CallQueue } from './call-queue.ts'
import { ConnectionOutput } from './connection-output.ts'
import { ConnectionHandshake } from './handshake.ts'
import { ItemPackages, resumeItems } from './item-packages.ts'
import { ask, endQuestions } from './questions.ts'
import { addCall, countCalls, hasCall, listCalls, type RunningCalls, removeCall } from './running-calls.ts'
import { toPeer } from './traced-peer.ts'
import type { CloseRow, UpgradeFacts, WebSocketWire, WireConnection } from './wire.ts'

/** How long a client may take to receive queued bytes before its close frame; then it is disconnected. */
const closeGraceMs = 5000

/** One open WebSocket: receives frames, runs calls, sends replies and events. Most are idle: what one does not need is not created, or dropped. */
export class WebSocketConnection
  extends ConnectionOutput
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

  constructor(shared: WebSocketWire, facts: UpgradeFacts) {
    super(shared, facts)
    this.#handshake = new ConnectionHandshake(this, facts.admission)
  }

  get connection(): CallConnection {
    return this
  }
  get admitted(): boolean {
    return this.wasAdmitted && this.ending === null
  }
  get isOptedIn(): boolean {
    return this.shared.hub.isOptedIn(this)
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
  get topics(): readonly string[] {
    return this.#joined === null ? [] : [...this.#joined]
  }
  get hasHeldFrames(): boolean {
    return this.#handshake?.hasHeldFrames ?? false
  }

  // ---- SocketListener

  opened(socket: Socket): void {
    this.socket = socket
    this.shared.open.add(this)
    this.shared.instruments.active.inc()
    this.#handshake?.start()
  }

  message(data: ArrayBuffer, binary: boolean): void {
    if (this.ending !== null) return
    const { instruments } = this.shared
    instruments.received.inc()
    instruments.receivedBytes.inc(data.byteLength)
    if (this.#handshake?.holdsFrames) this.#handshake.hold(data, binary)
    else this.receive(data, binary)
  }

  drained(): void {
    resumeItems(this)
    this.shared.hub.drained(this)
  }

  closed(code: number, reason: string): void {
    const row = this.ending ?? { code, reason }
    this.#retire(row)
    this.socket = null
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
      return this.#refuse({ kind: 'refused', pkgId: unknownPkgId, reqId: zeroUuid, error })
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
    const { pkgId, reqId, data } = frame
    const route = router.find(pkgId) ?? unmatched
    const call = new ActiveCall(route, toPeer(this, frame), services, reqId, this.identity, data, pkgId)
    if (services.onCall !== null) services.onCall(call)
    if (draining) return this.#reject(call, new RestartingError())
    if (route === unmatched) return call.fail(new NotFoundError(`No handler found for pkg_id ${pkgId}`))
    this.#start(call, options.ordered ? this : route.ordered ? route : null, false)
  }

  start(call: ActiveCall, lane: string | null, endsCalls: boolean): void {
    const { services, draining } = this.shared
    if (services.onCall !== null) services.onCall(call)
    if (draining && !call.compiled.servesWhileDraining) return call.fail(new RestartingError())
    this.#start(call, lane, endsCalls)
  }

  /** A call that does not begin. Hooks may hold back its reply: a client that sends on and on meanwhile would fill the memory. */
  #reject(call: ActiveCall, error: AppError): void {
    if (countCalls(this.#running) >= 4 * this.shared.options.maxInFlight) this.close(disconnects.tooManyHeldFrames)
    if (this.ending === null) call.fail(error)
    else call.abandon('The connection has closed')
    if (!call.settled) this.#running = addCall(this.#running, call)
  }

  /** Calls of one lane do not overlap. */
  #start(call: ActiveCall, lane: unknown, endsCalls: boolean): void {
    if (!endsCalls && countCalls(this.#running) >= this.shared.options.maxInFlight)
      return this.#reject(call, coreError('too_many_in_flight'))
    if (lane === null) call.compiled.run(call)
    else {
      this.#queue ??= new CallQueue()
      this.#queue.enter(lane, call)
    }
    // A call that ran synchronously has been answered already.
    if (call.settled) return
    this.#running = addCall(this.#running, call)
    call.armDeadline()
  }

  #control(frame: ControlFrame): void {
    const coreFrame = this.shared.frames.get(frame.type)
    if (coreFrame !== undefined) {
      this.#malformedInARow = 0
      return coreFrame(this, frame.fields)
    }
    const handle = this.shared.controls.get(frame.type)
    if (handle === undefined) {
      // It may have been meant as a package, and its sender finds the reply by the id.
      const { req_id: id } = frame.fields
      const reqId = typeof id === 'string' && uuidPattern.test(id) ? id : zeroUuid
      return this.#refuse(refuseFrame('The frame is neither a package nor a known control frame', unknownPkgId, reqId))
    }
    this.#malformedInARow = 0
    this.#handshake ??= new ConnectionHandshake(this, null)
    this.#handshake.runControl(handle, frame.fields)
  }

  #refuse({ pkgId, reqId, error }: RefusedFrame): void {
    this.sendError(pkgId, reqId, error)
    this.shared.refusedFrame(error.code)
    if (error.code !== 'malformed_request') return
    this.shared.instruments.malformed.inc()
    if (++this.#malformedInARow >= this.shared.options.maxMalformedFrames)
      this.close(disconnects.tooManyMalformedFrames)
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
    const value = isReply(result) ? toFrameValue(result.value) : result
    const text = isPage(value)
      ? this.codec.encodeReply(call.pkgId, call.id, RSPCode.OK, value.meta, value.items)
      : this.codec.encodeReply(call.pkgId, call.id, RSPCode.OK, isReply(result) ? result.meta : null, value)
    this.send(text, this.codec.binary)
    return 200
  }

  fail(call: ActiveCall, error: AppError): void {
    this.sendError(call.pkgId, call.id, error)
  }

  openItems(call: ActiveCall): ItemSink {
    return new ItemPackages(this, call)
  }

  ended(call: ActiveCall): void {
    if (!hasCall(this.#running, call)) return
    this.#running = removeCall(this.#running, call)
    call.services.onWorkEnd?.()
  }

  // ---- topics

  join(topic: string): Promise<void> {
    return dropSafe(this.shared.joins.join(this, topic, this.wasAdmitted), 'connection.join', this)
  }

  leave(topic: string): void {
    this.shared.hub.leave(this, topic)
  }

  ask<S, A>(event: QuestionDefinition<unknown, S, A>, data: NoInfer<S>, options: AskOptions = {}): Promise<A> {
    return dropSafe(ask(this, event, data, options), 'connection.ask', this)
  }

  reauthorize(): Promise<void> | undefined {
    return this.shared.joins.reauthorize(this)
  }

  /** An unawaited promise of this connection has failed outside a call. */
  dropped(error: unknown, promise: string): void {
    const { id, address, identity } = this
    const fields = { connection_id: id, address, user_id: identity?.id ?? null }
    this.shared.services.rejections.dropped(error, promise, undefined, fields)
  }

  // ---- the end

  leaveHub(): void {
    this.shared.hub.remove(this)
  }

  close(row: CloseRow = disconnects.normal): void {
    if (this.ending === null) this.end(row)
  }

  end(row: CloseRow): void {
    this.#retire(row)
    const socket = this.socket
    if (socket === null) return
    socket.end(row.code, row.reason)
    // After what is queued; a client that receives nothing is disconnected, and sees 1006. A drain has a time limit of its own.
    if (!this.shared.draining && socket.bufferedBytes() > 0)
      this.shared.services.clock.timer(closeGraceMs, () => socket.close())
  }

  /** Leaves the hub and aborts the calls. Idempotent. */
  #retire(row: CloseRow): void {
    if (this.ending === null) this.ending = row
    this.shared.hub.remove(this)
    this.shared.topicCalls.abandon(this)
    this.#queue?.clear()
    for (const call of this.running) call.abandon('The connection has closed')
    endQuestions(this)
    this.#running = null
  }
}
