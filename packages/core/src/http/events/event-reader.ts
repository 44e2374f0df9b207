import { dropSafe } from '../../base/drop-safe.ts'
import type { MaybePromise } from '../../base/maybe-promise.ts'
import type { ActiveCall } from '../../call/active-call.ts'
import type { Identity } from '../../call/identity.ts'
import { toTraceparent } from '../../call/traceparent.ts'
import { findPacked, type PackedHeaders, unpackHeaders } from '../../edge/packed-headers.ts'
import { toQuery } from '../../edge/request-preprocessor.ts'
import { ConflictError } from '../../errors/app-error.ts'
import { disconnects } from '../../errors/disconnect.ts'
import type { Connection, HubConnection } from '../../hub/connection.ts'
import { nextSerial, toConnectionId } from '../../hub/connection-id.ts'
import type { CloseReason } from '../../hub/disconnect-target.ts'
import { notifyHooks } from '../../plugin/notify-hooks.ts'
import { heartbeat, toJsonEvent, toRetryText } from '../../protocol/server-sent-events.ts'
import type { ResponseStream } from '../../transport/transport.ts'
import type { BeatReader } from './event-beats.ts'
import { type EventCodec, toControlEvent } from './event-codec.ts'
import type { EventWire } from './event-wire.ts'
import { OneTopic, type ReaderFacts, type ReaderSource } from './reader-facts.ts'

/** How long a client that is cut off may take to receive what is queued; then the connection is cut. */
const endGraceMs = 5000
/** A client for which bytes wait, and that has taken none of them for so long, is cut. */
const stalledMs = 30_000

/** There is no close code on this wire: what RFC 6455 says of a connection that ended without one. */
export const clientLeft: CloseReason = { code: 1006, reason: 'The client has disconnected' }
const topicLeft: CloseReason = { code: 1008, reason: 'The topic was left' }

/**
 * One client of server-sent events: a connection to the hub and to plugins, which sends nothing. As with a WebSocket most are idle: what one does not need is
 * not kept.
 */
export class EventReader implements HubConnection, BeatReader {
  readonly serial: number = nextSerial()
  readonly address: string
  readonly identity: Identity | null
  readonly connectedAt: number
  readonly #shared: EventWire
  /** Null once nothing of its call is needed any more. */
  #source: ReaderSource | null
  /** Its signal may be read later. */
  #call: WeakRef<ActiveCall> | null = null
  readonly #headers: PackedHeaders
  readonly #query: string
  readonly #heartbeatMs: number
  readonly joined: OneTopic = new OneTopic()
  /** The handshake has succeeded, even if the reader has ended since. */
  wasAdmitted = false
  /** Null until the response has begun. */
  #stream: ResponseStream | null = null
  /** Set once the end is decided. */
  #ending: CloseReason | null = null
  #hasEnded = false
  /** Nothing was sent since the last look. */
  #isQuiet = false
  /** It is awaited that a slow client takes what waits. */
  #isDraining = false
  #sentBytes = 0
  /** Of those, what the client had taken at the last look at which something waited for it; -1 if nothing did. */
  #takenBytes = -1
  #takenAtMs = 0

  constructor(shared: EventWire, source: ReaderSource, facts: ReaderFacts) {
    this.#shared = shared
    this.#source = source
    this.address = facts.address
    this.identity = facts.identity
    this.#headers = facts.headers
    this.#query = facts.query
    this.#heartbeatMs = facts.heartbeatMs
    this.connectedAt = shared.services.clock.now()
  }

  // ---- Connection

  get wire(): 'http' {
    return 'http'
  }
  get id(): string {
    return toConnectionId(this.serial)
  }
  get headers(): Connection['headers'] {
    return unpackHeaders(this.#headers)
  }
  get query(): Connection['query'] {
    return toQuery(this.#query)
  }
  get traceparent(): string | null {
    return toTraceparent(findPacked(this.#headers, 'traceparent'))
  }
  get maxMessageBytes(): number {
    return 0
  }
  get inFlight(): number {
    return 0
  }
  get admitted(): boolean {
    return this.wasAdmitted && this.isOpen
  }
  get bufferedBytes(): number {
    return this.#stream?.bufferedBytes ?? 0
  }
  get topics(): readonly string[] {
    const { topic } = this.joined
    return topic === null ? [] : [topic]
  }
  join(): Promise<never> {
    return this.#refuse('connection.join', 'has the topic of its reply, and can join no other')
  }
  ask(): Promise<never> {
    return this.#refuse('connection.ask', 'cannot answer')
  }
  /** It is nothing without its topic. */
  leave(topic: string): void {
    if (this.joined.has(topic)) this.close(topicLeft)
  }
  /** An event of the type of the frame. */
  sendControl(frame: Parameters<Connection['sendControl']>[0]): void {
    void this.send(toControlEvent(frame))
  }
  close(row: CloseReason = disconnects.normal): void {
    if (this.#ending === null) this.end(row)
  }

  // ---- HubConnection

  get codec(): EventCodec {
    return this.#shared.codec
  }
  get socket(): null {
    return null
  }
  get isOptedIn(): boolean {
    return this.#shared.hub.isOptedIn(this)
  }
  reauthorize(): MaybePromise<void> {
    return this.#shared.joins.reauthorize(this)
  }

  deliver(data: string | Uint8Array): boolean {
    if (this.#ending !== null) return true
    if (this.#stream === null) this.#source?.begin()
    const stream = this.#stream
    if (stream === null || !stream.open) return true
    if (stream.bufferedBytes > this.#shared.maxBackpressureBytes) {
      // It misses an event now, so it must not receive anything more.
      this.#ending = disconnects.tooSlow
      this.#shared.hub.remove(this)
      this.#shared.instruments.dropped.inc()
      return false
    }
    void this.#write(stream, data)
    return true
  }

  // ---- for its source

  get isOpen(): boolean {
    return this.#ending === null
  }

  /** The response has begun, with this text. */
  begun(stream: ResponseStream, text: string): void {
    this.#stream = stream
    const { open, instruments, beats } = this.#shared
    instruments.connection('accepted')
    instruments.active.inc()
    open.add(this)
    beats.add(this, this.#heartbeatMs)
    if (stream.open) void this.#write(stream, text)
    else this.end(clientLeft)
  }

  /** From here on only the hub sends to it: its call, its request and what came with them can be freed. */
  detach(call: ActiveCall): void {
    this.#source = null
    this.#call = new WeakRef(call)
    this.#stream?.detach?.(this)
  }

  left(): void {
    this.end(clientLeft)
  }

  /** Cuts a client that is too slow for it. Resolves to false when no more is to be sent. */
  send(data: string | Uint8Array): Promise<boolean> | false {
    if (this.#ending === null && this.#stream?.open) {
      if (this.#stream.bufferedBytes <= this.#shared.maxBackpressureBytes) return this.#write(this.#stream, data)
      this.#shared.instruments.dropped.inc()
      this.end(disconnects.tooSlow)
    }
    return false
  }

  beat(nowMs: number, sends: boolean): void {
    const stream = this.#stream
    if (stream === null || this.#ending !== null) return
    const { bufferedBytes } = stream
    if (bufferedBytes > 0) return this.#look(nowMs, this.#sentBytes - bufferedBytes)
    this.#takenBytes = -1
    if (this.#isQuiet && sends) void this.#write(stream, heartbeat)
    this.#isQuiet = true
  }

  /** The app closes: the client is told when to come back, so that clients do not all return at once. */
  restart(): void {
    const { reconnectWindowMs } = this.#shared
    void this.send(toRetryText(Math.floor(Math.random() * (reconnectWindowMs + 1)), null))
    this.close(disconnects.serviceRestart)
  }

  /** The last event says how it ended. Idempotent. `last`: in place of the event `close`. */
  end(
    row: CloseReason,
    last: string = toJsonEvent('close', JSON.stringify({ code: row.code, reason: row.reason })),
  ): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#ending ??= row
    const { hub, topicCalls, beats, open, instruments, services, onDisconnect } = this.#shared
    const { code, reason } = this.#ending
    hub.remove(this)
    topicCalls.abandon(this)
    const stream = this.#stream
    if (stream !== null) {
      beats.remove(this, this.#heartbeatMs)
      open.delete(this)
      instruments.active.dec()
      instruments.closed(this.#ending)
      if (stream.open && this.#ending !== clientLeft) this.#finish(stream, last)
    }
    this.#source?.readerEnded(this.#ending, stream !== null)
    this.#call?.deref()?.abandon(reason)
    notifyHooks(onDisconnect, this, { code, reason, admitted: this.wasAdmitted }, (error) =>
      services.log.error({ err: error }, 'An onDisconnect hook failed'),
    )
    services.onWorkEnd?.()
  }

  #finish(stream: ResponseStream, last: string): void {
    void stream.write(last)
    stream.end()
    // A client that takes nothing is disconnected after a while. A drain has a time limit of its own.
    if (stream.bufferedBytes > 0 && !this.#shared.draining)
      this.#shared.services.clock.timer(endGraceMs, () => stream.abort())
  }

  #write(stream: ResponseStream, data: string | Uint8Array): Promise<boolean> {
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
    this.#isQuiet = false
    this.#sentBytes += bytes
    this.#shared.instruments.sent(bytes)
    const written = stream.write(data)
    if (stream.bufferedBytes > 0 && !this.#isDraining) this.#drain(written)
    return written
  }

  /** Of a slow client alone. */
  #drain(written: Promise<boolean>): void {
    this.#isDraining = true
    void written.then((more) => {
      this.#isDraining = false
      if (more) this.#shared.hub.drained(this)
      // The transport may have cut it by itself.
      else this.left()
    })
  }

  #look(nowMs: number, takenBytes: number): void {
    if (takenBytes !== this.#takenBytes) {
      this.#takenBytes = takenBytes
      this.#takenAtMs = nowMs
    } else if (nowMs - this.#takenAtMs >= stalledMs) {
      this.#stream?.abort()
      this.end(disconnects.tooSlow)
    }
  }

  #refuse(name: string, what: string): Promise<never> {
    const refused = Promise.reject(new ConflictError(`A reader of server-sent events ${what}`))
    const { id, address, identity } = this
    const fields = { connection_id: id, address, user_id: identity?.id ?? null }
    const { rejections } = this.#shared.services
    return dropSafe<never>(refused, name, {
      dropped: (error, promise) => rejections.dropped(error, promise, undefined, fields),
    })
  }
}
