import type { Logger } from '../base/logger.ts'
import type { Cookies } from './cookies.ts'
import type { AnyEvent, EventData, QuestionDefinition } from './event.ts'
import type { Identity } from './identity.ts'
import type { ReplyHeaders } from './reply-headers.ts'

export type Wire = 'ws' | 'http'

/** A parsed query or form. A key that occurs more than once has its values in order. */
export type QueryRecord = Readonly<Record<string, string | readonly string[]>>

/** `public`: any caller. `authenticated`: only with an identity. */
export type Access = 'public' | 'authenticated'

/** What a route is, once it is part of an app. */
export interface RouteInfo {
  /** Its key in `routes`, or `GET /metrics` for an endpoint. */
  readonly name: string
  /** Null for a route that is on HTTP only. */
  readonly pkgId: number | null
  /** Null for a route that is on WebSocket only. */
  readonly method: string | null
  /** The pattern, `/authors/:id`; null for a route that is on WebSocket only. */
  readonly path: string | null
  readonly access: Access
  readonly summary: string
  /** It serves the files of a folder: `staticFiles`. */
  readonly files: boolean
}

/**
 * Sends events. The same three methods are on the call and on `app.hub`. Each throws at once for an event that the app does not declare, and
 * for data that does not match it.
 */
export interface Publisher {
  /** To every connection that joined `topic`. Throws for a topic that no rule of the app matches. */
  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): void
  /** To every admitted connection. */
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): void
  /** To every connection of one identity. Throws in an app without a plugin that identifies callers. */
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): void
}

/** The connection a call came in on, as handlers and steps see it: a new object for each call, to be compared by `id`. */
export interface CallConnection {
  /** Unique, and never used again; a reconnect has another one. */
  readonly id: string
  readonly address: string
  readonly identity: Identity | null
  /**
   * Joins a topic, after its `authorize` returned true; `permission_denied` when it does not, or when no topic of the app matches. Await it,
   * so that the caller gets the error: a failure that is not awaited is only logged.
   */
  join(topic: string): Promise<void>
  /** Leaves a topic; does nothing if it has not joined. */
  leave(topic: string): void
  /**
   * Sends an event with an `answer` schema, with a `req_id` of its own, and resolves with what the client answers, validated. Rejects with
   * `deadline_exceeded` when no answer comes in time, with `unavailable` when the connection is or becomes closed, with `validation_error`
   * for an answer that does not fit, which the client gets as an `error` frame, and with `too_many_in_flight` when the connection has
   * `maxInFlight` open questions already. Only a connection of this process can be asked.
   *
   * @example
   * const { accepted } = await call.connection.ask(confirmTransfer, { amount: 100 }, { timeoutMs: 60_000 })
   */
  ask<Sent, Answer>(
    event: QuestionDefinition<unknown, Sent, Answer>,
    data: NoInfer<Sent>,
    options?: AskOptions,
  ): Promise<Answer>
}

export interface AskOptions {
  /** How long the client may take, from 1 to 2^31 - 1. Default 30,000. */
  readonly timeoutMs?: number
}

/** One execution of a route, on either wire, as steps and handlers see it. */
export interface Call extends Publisher {
  /** `req_id` of the package, or the correlation id of the request. */
  readonly id: string
  readonly wire: Wire
  readonly route: RouteInfo
  /** Fixed when the call starts: a later renewal or logout does not change it. Null on a public route over HTTP. */
  readonly identity: Identity | null
  /** The caller's IP address, behind the trusted proxies. Read from the socket by the first access. */
  readonly address: string
  /** Lower-case names; on WebSocket those of the upgrade. */
  readonly headers: Readonly<Record<string, string>>
  /** Of the request, on WebSocket of the upgrade, and of the reply. Parsed by the first access. */
  readonly cookies: Cookies
  /** As requested over HTTP, `GET`, also where no route matched; null on WebSocket. */
  readonly method: string | null
  /** As requested over HTTP, without the query; at most 256 characters. Null on WebSocket. */
  readonly path: string | null
  /** The client used TLS, to this server or to a trusted proxy; null on WebSocket. */
  readonly secure: boolean | null
  /** As sent, decoded; on WebSocket that of the upgrade. */
  readonly query: QueryRecord
  /** Aborted when the client disconnects or the deadline passes. */
  readonly signal: AbortSignal
  /** Epoch milliseconds at which the call is answered with `deadline_exceeded`, unless its COMMIT was sent; Infinity without one. */
  readonly deadline: number
  /**
   * The W3C `traceparent` of the request or of the package, else of the upgrade, to be sent with requests that the handler makes; null without a
   * valid one.
   */
  readonly traceparent: string | null
  readonly log: Logger
  /** Null on HTTP. */
  readonly connection: CallConnection | null
  /** Headers of the reply, on success and failure alike; without effect on WebSocket. */
  readonly replyHeaders: ReplyHeaders
  /**
   * Runs `effect` after the transaction commits, in order; without one, after the call succeeded. Not after a failure, and not
   * when the client disconnected or the deadline passed before anything was committed. What it throws is logged: the reply is already decided.
   */
  afterCommit(effect: () => void | Promise<void>): void
}
