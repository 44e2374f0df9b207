import { isPromise } from '../../base/maybe-promise.ts'
import { type ActiveCall, answeredLater } from '../../call/active-call.ts'
import { addCookies } from '../../call/cookies.ts'
import { isTopicSource } from '../../call/events-source.ts'
import { ForwardedPeer } from '../../call/forwarded-peer.ts'
import type { EventsReply } from '../../call/reply.ts'
import { addHeaders } from '../../call/reply-headers.ts'
import { packHeaders } from '../../edge/packed-headers.ts'
import {
  type AppError,
  AuthenticationError,
  coreError,
  DeadlineExceededError,
  InternalError,
  PermissionDeniedError,
  UnavailableError,
} from '../../errors/app-error.ts'
import { Disconnect, disconnects } from '../../errors/disconnect.ts'
import { RestartingError } from '../../errors/restarting-error.ts'
import type { CloseReason } from '../../hub/disconnect-target.ts'
import type { Subscribed } from '../../hub/entrant.ts'
import { toJsonEvent, toRetryText } from '../../protocol/server-sent-events.ts'
import type { HeaderList, HttpExchange, ResponseStream } from '../../transport/transport.ts'
import { streamHeads } from '../response-heads.ts'
import { readEventId, toEventId } from './event-codec.ts'
import { toStatus } from './event-instruments.ts'
import { EventPump } from './event-pump.ts'
import { clientLeft, EventReader } from './event-reader.ts'
import type { EventWire } from './event-wire.ts'
import type { ReaderSource } from './reader-facts.ts'

/** Time limit of the `onConnect` hooks, as for a WebSocket. */
const hooksTimeoutMs = 10_000

/** What the response needs of its request. */
export interface EventRequest {
  readonly exchange: HttpExchange
  readonly address: string
  /** Begins the response, whose headers win over those that were added. */
  stream(call: ActiveCall, status: number, headers: HeaderList): ResponseStream
}

/**
 * The way of a request to its events: hooks of connections, the rule of the topic, the position of the client. Until the first byte an error is an
 * ordinary error response, and the deadline of the call applies. It takes the place of the call's peer, so every end of the call ends it.
 */
export class EventOpening extends ForwardedPeer implements ReaderSource {
  readonly #wire: EventWire
  readonly #request: EventRequest
  readonly #call: ActiveCall
  readonly #reply: EventsReply
  readonly #pump: EventPump | null
  /** Null until it is known that the request is none of HEAD. */
  #reader: EventReader | null = null
  #hasBegun = false
  #firstText = ''

  constructor(wire: EventWire, request: EventRequest, call: ActiveCall, reply: EventsReply) {
    super(call.peer)
    this.#wire = wire
    this.#request = request
    this.#call = call
    this.#reply = reply
    const { source } = reply.value
    this.#pump = isTopicSource(source) ? null : new EventPump(call, source)
  }

  /** Returns what the peer of a call returns that is answered later. */
  static start(wire: EventWire, request: EventRequest, call: ActiveCall, reply: EventsReply): number {
    const opening = new EventOpening(wire, request, call, reply)
    call.peer = opening
    void opening.#run()
    return answeredLater
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      if (this.#wire.draining) throw new RestartingError()
      const reader = this.#createReader()
      if (this.#request.exchange.method === 'HEAD') return await this.#answerHead(reader)
      this.#reader = reader
      // A call that was synchronous so far does not listen for a disconnect yet.
      this.#request.exchange.onAborted(() => reader.end(clientLeft))
      await this.#admit(reader)
      if (!reader.isOpen) return
      await this.#feed(reader)
    } catch (error) {
      this.#call.fail(Disconnect.is(error) ? fromRow(error) : error)
      // What failed after the first byte has been logged.
      this.#reader?.end(disconnects.internalError)
    }
  }

  #createReader(): EventReader {
    const { exchange, address } = this.#request
    return new EventReader(this.#wire, this, {
      address,
      headers: packHeaders(exchange.headers(), this.#wire.credentials),
      query: exchange.query,
      identity: this.#call.identity,
      heartbeatMs: this.#reply.value.heartbeatMs,
    })
  }

  /** It opens no connection, so no hook of connections runs. */
  async #answerHead(reader: EventReader): Promise<void> {
    const { source } = this.#reply.value
    if (isTopicSource(source)) await this.#wire.joins.ask(reader, source.topic)
    this.#call.succeed(undefined)
  }

  async #admit(reader: EventReader): Promise<void> {
    const hooks = this.#runHooks(reader)
    if (isPromise(hooks)) await this.#limited(hooks)
    if (!reader.isOpen) return
    if (this.#wire.draining) throw new RestartingError()
    reader.wasAdmitted = true
    this.#wire.hub.add(reader)
  }

  /** One after the other. */
  #runHooks(reader: EventReader, from = 0): Promise<void> | undefined {
    const { onConnect } = this.#wire
    for (let i = from; i < onConnect.length && reader.isOpen; i++) {
      const result = onConnect[i]?.(reader)
      if (isPromise(result)) return result.then(() => this.#runHooks(reader, i + 1))
    }
    return undefined
  }

  #limited(work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#wire.services.clock.timer(hooksTimeoutMs, () =>
        reject(new DeadlineExceededError(hooksTimeoutMs)),
      )
      work.finally(() => timer.cancel()).then(resolve, reject)
    })
  }

  async #feed(reader: EventReader): Promise<void> {
    const { source } = this.#reply.value
    if (this.#pump !== null) {
      this.begin()
      return this.#pump.run(reader)
    }
    if (!isTopicSource(source)) return
    const { topic } = source
    const lastId = this.#request.exchange.header('last-event-id')
    const since = lastId === '' ? null : readEventId(lastId)
    const { hub, joins } = this.#wire
    await joins.read(reader, topic, (rule) =>
      hub.subscribe(reader, { kind: 'topic', topic }, rule, since, (result) =>
        this.#subscribed(reader, topic, lastId !== '', result),
      ),
    )
    // What listens to the signal needs the call until the end.
    if (this.#hasBegun && !this.#call.hasSignal) reader.detach(this.#call)
  }

  /** After what the client has missed, before what follows. */
  #subscribed(reader: EventReader, topic: string, isResumed: boolean, { position, recovered }: Subscribed): void {
    const id = position === null ? '' : toEventId(position)
    // From here the client goes on when it comes back before the first event.
    this.#begin(isResumed || position === null ? null : id)
    if (isResumed && !recovered)
      void reader.send(`id: ${id}\n${toJsonEvent('gap', JSON.stringify({ topic, ...position }))}`)
  }

  // ---- ReaderSource

  begin(): void {
    this.#begin(null)
  }

  #begin(id: string | null): void {
    if (this.#call.settled) return
    this.#firstText = toRetryText(this.#reply.value.retryMs, id)
    this.#call.succeed(undefined)
  }

  readerEnded(row: CloseReason, hasBegun: boolean): void {
    this.#pump?.stop()
    if (hasBegun) this.#call.abandon(row.reason)
    else if (this.#call.settled) return
    else if (row === clientLeft) this.#call.abandon(row.reason)
    else this.#call.fail(fromRow(row))
  }

  // ---- CallPeer

  override succeed(call: ActiveCall): number {
    const { headers, cookies } = this.#reply
    addHeaders(call, headers)
    if (cookies !== null) addCookies(call, cookies)
    const stream = this.#request.stream(call, 200, streamHeads.events)
    this.#hasBegun = true
    this.#reader?.begun(stream, this.#firstText)
    return 200
  }

  override fail(call: ActiveCall, error: AppError): void {
    if (this.#reader !== null) this.#wire.instruments.connection(toStatus(error.httpStatus))
    super.fail(call, error)
  }

  override ended(call: ActiveCall): void {
    const reader = this.#reader
    if (reader === null) this.#pump?.stop()
    else if (!this.#hasBegun) {
      // The client has left: no `fail` follows that would count it.
      if (this.#request.exchange.aborted) this.#wire.instruments.connection('rejected_other')
      reader.end(clientLeft)
    }
    super.ended(call)
  }
}

const ofIdentity: ReadonlySet<number> = new Set(
  [disconnects.unauthorized, disconnects.tokenExpired, disconnects.sessionRevoked].map(({ code }) => code),
)

/** There are no close codes before the first byte. */
function fromRow({ code, reason }: CloseReason): AppError {
  if (ofIdentity.has(code)) return new AuthenticationError(reason)
  if (reason === disconnects.tooManyConnections.reason) return coreError('rate_limit_exceeded', reason)
  if (code === disconnects.internalError.code) return new InternalError({ cause: new Error(reason) })
  if (code === disconnects.serviceRestart.code || code === disconnects.tooSlow.code) return new UnavailableError(reason)
  return new PermissionDeniedError(reason === '' ? undefined : reason)
}
