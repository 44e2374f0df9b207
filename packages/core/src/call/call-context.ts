import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import type { Logger } from '../base/logger.ts'
import type { AppError } from '../errors/app-error.ts'
import type { ActiveCall } from './active-call.ts'
import type { AskOptions, Call, CallConnection, RouteInfo, Wire } from './call.ts'
import type { CallServices } from './call-services.ts'
import type { CompiledRoute } from './compiled-route.ts'
import { type Cookies, cookiesOf } from './cookies.ts'
import type { Deadline } from './deadlines.ts'
import { Effects } from './effects.ts'
import type { AnyEvent, EventData, QuestionDefinition } from './event.ts'
import type { Identity } from './identity.ts'
import type { ItemsResult } from './item-stream.ts'
import type { PendingCommits } from './pending-commits.ts'
import type { Audience } from './publication.ts'
import { ReplyHeaders } from './reply-headers.ts'
import type { ItemSink } from './streamed-reply.ts'
import { traceOf } from './trace.ts'
import { traceIdOf } from './traceparent.ts'

/** The other end of a call, which sent the input and gets the reply: a connection, or one HTTP request. */
export interface CallPeer {
  readonly wire: Wire
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly connection: CallConnection | null
  readonly traceparent: string | null
  /** The client used TLS, to this server or to a trusted proxy; only over HTTP. */
  readonly isSecure?: boolean | undefined
  /** As sent; only over HTTP. */
  readonly method?: string | undefined
  /** As sent, without the query, truncated; only over HTTP. */
  readonly requestedPath?: string | undefined
  /** Headers of the one reply to this request, which `onRequest` may have added to already; only over HTTP. Created by the first access. */
  readonly replyHeaders?: ReplyHeaders | undefined
  /** Null when no header was added. */
  readonly addedHeaders?: ReplyHeaders | null
  /** Reads the input, now or later, and passes it to `next`; rejects it by `call.fail`. */
  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void
  /** Encodes and sends the reply. Throws only before anything has been sent. Returns the HTTP status, or `answeredLater`. */
  succeed(call: ActiveCall, result: unknown): number
  /** Never throws. */
  fail(call: ActiveCall, error: AppError): void
  /** Prepares the reply of a route with `output: stream(…)`. Sends nothing yet. */
  openItems(call: ActiveCall, items: ItemsResult): ItemSink
  /** The call has been answered, or its client has disconnected. */
  ended(call: ActiveCall): void
}

/**
 * A call as its steps and its handler see it. What steps add becomes a property of it. It has the fields of `ActiveCall` too: a class
 * without fields and private methods of its own needs no constructor, which saves 2 % of a call.
 */
export class CallContext implements Call, DropListener {
  readonly id: string
  readonly compiled: CompiledRoute
  /** A streamed reply takes its place. */
  peer: CallPeer
  readonly services: CallServices
  readonly startedMs: number
  identity: Identity | null
  /** `data` of the package; undefined on HTTP, where the input is read later. */
  readonly data: unknown
  /** Of the package; 0 on HTTP. */
  readonly pkgId: number
  /** Answered, or its client has disconnected: nothing more is sent. */
  settled = false
  /** Runs once the call has been answered and its command or handler has ended, which a deadline does not wait for. */
  onDone: (() => void) | null = null
  /** The command or handler is running. Only set for a call with `onDone`. */
  executing = false
  /** Null for a call that ended within the callback that brought it. */
  armedDeadline: Deadline | null = null
  /** Null when nothing was sent to be committed. */
  addedCommits: PendingCommits | null = null
  #controller: AbortController | null = null
  #abortReason: Error | null = null
  #effects: Effects | null = null
  #headers: ReplyHeaders | null = null
  #connection: CallConnection | null = null
  #log: Logger | null = null

  constructor(
    compiled: CompiledRoute,
    peer: CallPeer,
    services: CallServices,
    id: string,
    identity: Identity | null,
    data: unknown = undefined,
    pkgId = 0,
  ) {
    this.id = id
    this.compiled = compiled
    this.peer = peer
    this.services = services
    this.identity = identity
    this.data = data
    this.pkgId = pkgId
    this.startedMs = services.clock.monotonic()
  }

  get wire(): Wire {
    return this.peer.wire
  }
  get route(): RouteInfo {
    return this.compiled.info
  }
  get address(): string {
    return this.peer.address
  }
  get headers(): Readonly<Record<string, string>> {
    return this.peer.headers
  }
  get cookies(): Cookies {
    return cookiesOf(this)
  }
  get method(): string | null {
    return this.peer.method ?? null
  }
  get path(): string | null {
    return this.peer.requestedPath ?? null
  }
  get secure(): boolean | null {
    return this.peer.isSecure ?? null
  }
  get query(): Readonly<Record<string, string | readonly string[]>> {
    return this.peer.query
  }
  get connection(): CallConnection | null {
    const { connection } = this.peer
    if (connection === null) return null
    this.#connection ??= new ConnectionOfCall(connection, this)
    return this.#connection
  }
  get traceparent(): string | null {
    return this.peer.traceparent
  }
  get deadline(): number {
    const { deadlineMs } = this.compiled
    if (deadlineMs === 0) return Number.POSITIVE_INFINITY
    const { clock } = this.services
    // It begins anew with each piece of a streamed body.
    const dueMs = this.armedDeadline?.armed ? this.armedDeadline.dueMs : this.startedMs + deadlineMs
    return clock.now() + Math.round(dueMs - clock.monotonic())
  }
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#abortReason !== null) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }
  /** `signal` was read. */
  get hasSignal(): boolean {
    return this.#controller !== null
  }
  get log(): Logger {
    this.#log ??= this.services.log.child(callFields(this))
    return this.#log
  }
  get replyHeaders(): ReplyHeaders {
    this.#headers ??= this.peer.replyHeaders ?? new ReplyHeaders()
    return this.#headers
  }
  /** Null when no header was added. */
  get addedHeaders(): ReplyHeaders | null {
    return this.#headers ?? this.peer.addedHeaders ?? null
  }

  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): void {
    publish(this, { kind: 'topic', topic }, event, data)
  }
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): void {
    publish(this, { kind: 'all' }, event, data)
  }
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): void {
    publish(this, { kind: 'identity', identityId }, event, data)
  }
  afterCommit(effect: () => void | Promise<void>): void {
    this.effects.add(effect)
  }

  /** What waits for a commit or for success. */
  get effects(): Effects {
    this.#effects ??= new Effects(
      (error) => this.log.error({ err: error }, 'An effect after the commit failed'),
      (pending) => this.services.track(pending),
    )
    return this.#effects
  }
  /** Null when none was added. */
  get addedEffects(): Effects | null {
    return this.#effects
  }

  /** Null while the call may go on. */
  get abortReason(): Error | null {
    return this.#abortReason
  }
  /** Aborts `signal`. The first reason counts. */
  abort(reason: Error): void {
    if (this.#abortReason !== null) return
    this.#abortReason = reason
    this.#controller?.abort(reason)
  }

  /** A promise that was returned on behalf of this call has failed, and nothing handled it. */
  dropped(error: unknown, promise: string): void {
    const { connection } = this.peer
    this.services.rejections.dropped(
      error,
      promise,
      this.log,
      connection === null ? {} : { connection_id: connection.id },
    )
  }
}

function publish(
  { id, services, addedEffects }: CallContext,
  audience: Audience,
  event: AnyEvent,
  data: unknown,
): void {
  const { hub } = services
  const publication = hub.prepare(audience, event, data, id)
  if (addedEffects?.held) addedEffects.add({ publication, send: (held) => hub.send(held) })
  else hub.send(publication)
}

/** The connection of a call: a promise that fails unhandled is logged with the fields of that call. */
class ConnectionOfCall implements CallConnection {
  readonly #connection: CallConnection
  readonly #call: DropListener

  constructor(connection: CallConnection, call: DropListener) {
    this.#connection = connection
    this.#call = call
  }

  get id(): string {
    return this.#connection.id
  }
  get address(): string {
    return this.#connection.address
  }
  get identity(): Identity | null {
    return this.#connection.identity
  }
  join(topic: string): Promise<void> {
    return dropSafe(this.#connection.join(topic), 'connection.join', this.#call)
  }
  leave(topic: string): void {
    this.#connection.leave(topic)
  }
  ask<S, A>(event: QuestionDefinition<unknown, S, A>, data: NoInfer<S>, options?: AskOptions): Promise<A> {
    return dropSafe(this.#connection.ask(event, data, options), 'connection.ask', this.#call)
  }
}

/** The fields of every log line about a call. `endpoint` is the pattern of the route, never the path: its values are bounded. */
export function callFields(call: CallContext): Record<string, unknown> {
  const { id, wire, route, identity, address, traceparent } = call
  const fields: Record<string, unknown> = { request_id: id, wire, route: route.name }
  if (wire === 'ws') fields.pkg_id = call.pkgId
  else {
    if (route.method !== null) fields.method = route.method
    // 'unmatched' for a request that no route handles.
    fields.endpoint = route.path ?? route.name
    if (route.path === null) fields.path = call.peer.requestedPath
  }
  fields.user_id = identity?.id ?? null
  fields.address = address
  const trace = traceOf(call)
  if (trace !== undefined) {
    fields.trace_id = trace.traceId
    fields.span_id = trace.spanId
  } else if (traceparent !== null) fields.trace_id = traceIdOf(traceparent)
  return fields
}
