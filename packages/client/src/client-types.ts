import type {
  AnswerOf,
  AnswerTo,
  CoreErrorCode,
  ErrorCodeOf,
  EventTable,
  InputArguments,
  ItemOf,
  ReceivedData,
  RouteTable,
  SentOverHttp,
  SentTo,
} from '@twinwire/core'
import type { CallError, ClientErrorCode } from './call-error.ts'
import type { ClientCodec } from './codec.ts'
import type { ConnectionState } from './connection.ts'
import type { WebSocketConstructor } from './environment.ts'
import type { Manifest, PkgIds } from './manifest.ts'
import type { Position } from './position.ts'
import type { EventMeta } from './subscriptions.ts'
import type { GetToken } from './tokens.ts'
import type { Subscribed } from './topic.ts'

/** The type of an app: `typeof app`. */
export interface AnyApp {
  readonly '~routes'?: RouteTable
  readonly '~events'?: EventTable
}

export type RoutesOf<A extends AnyApp> = NonNullable<A['~routes']>
export type EventsOf<A extends AnyApp> = NonNullable<A['~events']>
export type RouteName<A extends AnyApp> = keyof RoutesOf<A> & string
export type EventName<A extends AnyApp> = keyof EventsOf<A> & string

/**
 * What a call of a route rejects with. An editor offers the codes that the route declares (`errors`), those of core and those of the client;
 * plugins may have others.
 *
 * @example
 * const isOf = (error: unknown): error is CallErrorOf<typeof app, 'CREATE_AUTHOR'> => error instanceof CallError
 */
export type CallErrorOf<A extends AnyApp, Name extends RouteName<A>> = CallError & {
  readonly code: ErrorCodeOf<RoutesOf<A>[Name]> | CoreErrorCode | ClientErrorCode | (string & Record<never, never>)
}

export interface CallOptions {
  /** Ends the call: it rejects with the reason of the signal. What was sent may still be executed. */
  readonly signal?: AbortSignal
  /** Milliseconds until the call rejects with `timeout`; for a stream, until its first item, or its first heartbeat over HTTP. Default: that of the client. */
  readonly timeoutMs?: number
  /** Default: that of the client. */
  readonly wire?: 'ws' | 'http'
}

type InputOf<A extends AnyApp, Name extends RouteName<A>, W> = 'http' extends W
  ? SentOverHttp<RoutesOf<A>[Name]>
  : SentTo<RoutesOf<A>[Name]>

/** The arguments after the name. An input that may be left out is `undefined` before options. */
export type CallArguments<A extends AnyApp, Name extends RouteName<A>, W> =
  InputArguments<InputOf<A, Name, W>> extends readonly []
    ? [input?: undefined, options?: CallOptions & { readonly wire?: W }]
    : InputArguments<InputOf<A, Name, W>> extends readonly [unknown]
      ? [...input: InputArguments<InputOf<A, Name, W>>, options?: CallOptions & { readonly wire?: W }]
      : [input?: InputOf<A, Name, W>, options?: CallOptions & { readonly wire?: W }]

/** An event as listeners of topics receive it. */
export type TopicEvent<A extends AnyApp> = {
  [Name in EventName<A>]: {
    readonly event: Name
    readonly data: ReceivedData<EventsOf<A>[Name]>
    readonly position: Position | null
    readonly cause: string | null
  }
}[EventName<A>]

/** Who is joined to a topic. */
export interface Member {
  readonly connection: string
  readonly identity: string | null
  /** What the rule of the topic says of it; null without such a function. */
  readonly info: unknown
}

export interface SubscribeOptions<A extends AnyApp> {
  /** Each event, in order and once, also across reconnects. */
  readonly onEvent?: (event: TopicEvent<A>) => void
  /** Events may have been lost: load the state again. Not called for the first answer without `since`. */
  readonly onGap?: () => void
  /** Left out: joins and leaves are not sent. */
  readonly onPresence?: (change: 'joined' | 'left', member: Member) => void
  /** The server has ended it, another identity has signed in, or the client was closed. */
  readonly onEnd?: (error: CallError) => void
  /** Continues after this position. Default: from now on. */
  readonly since?: Position | null
}

export interface Subscription {
  readonly topic: string
  /** After the last event that was delivered; null before the first answer, and for a topic without history. */
  readonly position: Position | null
  /** The first answer of the server. Rejects with a {@link CallError}. Load the state after it: what is published meanwhile arrives as an event. */
  readonly ready: Promise<Subscribed>
  unsubscribe(): void
}

export interface ClientOptions {
  /** Origin of the server, with a path in front of both wires if there is one: `https://example.com/api`. Default: that of the page. */
  readonly url?: string
  /** What `app.manifest()` returns. `createClient` requires it, or `pkgIds`. */
  readonly manifest?: Manifest
  /** In place of a manifest, for WebSocket alone. */
  readonly pkgIds?: PkgIds
  /** Left out: calls are anonymous. Asked once at a time; its token is kept until the server rejects it, or it expires. */
  readonly getToken?: GetToken
  /** Wait for `auth_ok` although no token is sent: the upgrade itself is authenticated, such as by a cookie or by a proxy. Default false. */
  readonly awaitAuth?: boolean
  /** Default `ws`. */
  readonly wire?: 'ws' | 'http'
  /** Default 30,000. */
  readonly timeoutMs?: number
  /** Calls that wait for their replies; more of them wait. Default 32: the server takes 64, control frames included. */
  readonly maxInFlight?: number
  /** Calls that wait for a connection; another one rejects with `queue_full`. Default 1,000; 0: none wait. */
  readonly maxQueued?: number
  /** Default 10,000. */
  readonly connectTimeoutMs?: number
  /** A silence after which the client pings. Default 25,000. */
  readonly pingIntervalMs?: number
  /** How long the answer to a ping may take. Default 10,000. */
  readonly pingTimeoutMs?: number
  /** Random delays of reconnects, up to a bound that doubles. Default 500 to 20,000. */
  readonly reconnect?: { readonly minMs: number; readonly maxMs: number }
  /** Default: JSON text. */
  readonly codec?: ClientCodec
  /** Default: the global one. For Node.js 20: that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch
  /**
   * Returns the W3C `traceparent` that a call sends: the header over HTTP, the member of the package over WebSocket. Asked once for each call; what it
   * throws, the call rejects with. Undefined: none, as when it is left out.
   *
   * @example
   * const client = createClient<typeof app>({ manifest, traceparent: () => activeSpan()?.traceparent })
   */
  readonly traceparent?: () => string | undefined
  /** Receives what listeners throw. Default: reported as uncaught. */
  readonly onError?: (error: unknown) => void
}

/** A client of both wires, typed by an app. */
export interface Client<A extends AnyApp> {
  /**
   * Calls a route. Connects first if it has to. Rejects with a {@link CallError}, at the latest when its deadline has passed.
   *
   * @example
   * const author = await client.call('CREATE_AUTHOR', { name: 'Ursula' })
   * const page = await client.call('GET_PAGINATED_AUTHORS', { page: 2 }, { wire: 'http', timeoutMs: 5_000 })
   */
  call<Name extends RouteName<A>, W extends 'ws' | 'http' = 'ws'>(
    name: Name,
    ...args: CallArguments<A, Name, W>
  ): Promise<AnswerOf<RoutesOf<A>[Name]>>
  /**
   * Calls a route over WebSocket and waits for an event that this call has published too, in whichever order they come. The client has to be subscribed
   * to its topic.
   *
   * @example
   * const { answer, event } = await client.callWithEvent('CREATE_AUTHOR', 'AUTHOR_CREATED', { name: 'Ursula' })
   */
  callWithEvent<Name extends RouteName<A>, Event extends EventName<A>>(
    name: Name,
    event: Event,
    ...args: CallArguments<A, Name, 'ws'>
  ): Promise<{ readonly answer: AnswerOf<RoutesOf<A>[Name]>; readonly event: ReceivedData<EventsOf<A>[Event]> }>
  /**
   * Calls a route with `output: stream(…)`. A loop that is left early cancels the call.
   *
   * @example
   * for await (const line of client.stream('TAIL', { file: 'access.log' })) show(line)
   */
  stream<Name extends RouteName<A>, W extends 'ws' | 'http' = 'ws'>(
    name: Name,
    ...args: CallArguments<A, Name, W>
  ): AsyncGenerator<ItemOf<RoutesOf<A>[Name]>, void, undefined>
  /** Calls a route over HTTP, and returns the response as it is: for downloads. Rejects with a {@link CallError} for an error answer. */
  fetch<Name extends RouteName<A>>(name: Name, ...args: CallArguments<A, Name, 'http'>): Promise<Response>
  /** Listens to an event, whichever way it came. Returns what stops it. */
  on<Name extends EventName<A>>(
    event: Name,
    listener: (data: ReceivedData<EventsOf<A>[Name]>, meta: EventMeta) => void,
  ): () => void
  /**
   * Answers an event that the server asks by (`connection.ask`). One function for each event; another one replaces it. Returns what removes it.
   *
   * @example
   * client.answer('CONFIRM', async ({ text }) => ({ accepted: await ask(text) }))
   */
  answer<Name extends EventName<A>>(
    event: Name,
    answer: (
      data: ReceivedData<EventsOf<A>[Name]>,
    ) => AnswerTo<EventsOf<A>[Name]> | Promise<AnswerTo<EventsOf<A>[Name]>>,
  ): () => void
  /**
   * Subscribes to a topic, to `@me` or to `@all`, and again after each reconnect, from the last position.
   *
   * @example
   * const subscription = client.subscribe('ticket:7', { onEvent: apply, onGap: load })
   * await subscription.ready
   * await load()
   */
  subscribe(topic: string, options?: SubscribeOptions<A>): Subscription
  /** Who is joined to a topic that this client is subscribed to: the first `max` members, 1,000 if it is left out. */
  presence(topic: string, options?: { readonly max?: number; readonly timeoutMs?: number }): Promise<readonly Member[]>
  /** A snapshot, which is another object after each change. */
  readonly state: ConnectionState
  /** Returns what stops it. */
  onState(listener: (state: ConnectionState) => void): () => void
  /** Connects now. Otherwise the first call over WebSocket, `on`, `answer` or `subscribe` does. After it was closed: once more. */
  connect(): void
  /** Sends the token that `getToken` returns now, such as after a change of roles. */
  renewToken(): void
  /** Another user: closes the connection, rejects what waits, forgets the token, the subscriptions and their positions. */
  signOut(): void
  /** Closes the connection and rejects what waits, for good unless `connect` is called. */
  close(): void
}
