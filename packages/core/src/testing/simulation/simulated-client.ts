import { type AnyApp, type Client, createClient } from '@twinwire/client/internal'
import type { EventTable, RouteTable } from '../../app/app-options.ts'
import type { AppManifest } from '../../app/manifest.ts'
import type { Position } from '../../hub/broker.ts'
import type { AnswerOf, InputArguments, ReceivedData, SentOverHttp, SentTo } from '../../route/wire-types.ts'
import { asReceived } from '../answers.ts'
import type { History } from './history.ts'
import type { Link, SimulatedLink } from './link.ts'
import { simulatedFetch } from './simulated-fetch.ts'
import { type ServerProcess, SimulatedSocket, type SocketRoute } from './simulated-socket.ts'

export interface SimulatedClientOptions {
  /** In the history. Default `client 1`, `client 2` and so on. */
  readonly name?: string
  /** Whose it is, for `fakeIdentity()`: sends `authorization: Bearer <identity>`. Default: anonymous. */
  readonly identity?: string
  /** Index of the node that it connects to. Default: for each connection and request another one of those that run, by the seed. */
  readonly node?: number
  /** Milliseconds until a call rejects with `timeout`. Default 30,000. */
  readonly timeoutMs?: number
}

/** An event as the listener of a topic receives it. */
export type SimulatedEvent<Events extends EventTable> = {
  [Name in keyof Events & string]: {
    readonly event: Name
    readonly data: ReceivedData<Events[Name]>
    /** Null for a topic without history. */
    readonly position: Position | null
  }
}[keyof Events & string]

export interface SimulatedSubscribeOptions<Events extends EventTable> {
  /** Each event, in order and once, also across reconnects. */
  readonly onEvent?: (event: SimulatedEvent<Events>) => void
  /** Events may have been lost. */
  readonly onGap?: () => void
  /** The server has ended it, or the client was closed. */
  readonly onEnd?: (error: Error) => void
}

export interface SimulatedSubscription {
  /** After the last event that was delivered; null before the first answer, and for a topic without history. */
  readonly position: Position | null
  /** The first answer of the server. */
  readonly ready: Promise<{ readonly position: Position | null; readonly recovered: boolean }>
  unsubscribe(): void
}

/**
 * The client of `@twinwire/client` on a simulated network: it reconnects with its own delays, resumes subscriptions from their positions, and
 * repeats calls of `once()` routes. Its errors are those of that package: `code`, `msg`, `details`, `outcomeUnknown`.
 */
export interface SimulatedClient<Routes extends RouteTable, Events extends EventTable> {
  readonly name: string
  /** Its network, which the schedule may cut or hold. */
  readonly link: SimulatedLink
  /** `idle` before its first connection, `waiting` for the next attempt, `closed` when it does not connect again by itself. */
  readonly status: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed'
  /** Calls a route over WebSocket. Connects first if it has to. */
  call<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentTo<Routes[Name]>>
  ): Promise<AnswerOf<Routes[Name]>>
  /** Calls a route over HTTP, by its method and path. */
  http<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentOverHttp<Routes[Name]>>
  ): Promise<AnswerOf<Routes[Name]>>
  /** Subscribes to a topic, `@me` or `@all`, and again after each reconnect, from the last position. */
  subscribe(topic: string, options?: SimulatedSubscribeOptions<Events>): SimulatedSubscription
  /** Listens to an event, whichever way it came. Returns what stops it. */
  on<Name extends keyof Events & string>(event: Name, listener: (data: ReceivedData<Events[Name]>) => void): () => void
  /** Closes the connection and rejects what waits. */
  close(): void
}

/** The input of any route. */
type Fields = Readonly<Record<string, unknown>> | undefined

/** What a client needs of its simulation. */
export interface ClientSurroundings {
  readonly name: string
  readonly manifest: AppManifest
  readonly link: Link
  readonly history: History
  readonly choose: () => ServerProcess | null
  /** A listener of the schedule has thrown. */
  readonly onError: (error: unknown) => void
}

export function createSimulatedClient<Routes extends RouteTable, Events extends EventTable>(
  { identity, timeoutMs }: SimulatedClientOptions,
  { name, manifest, link, history, choose, onError }: ClientSurroundings,
): SimulatedClient<Routes, Events> {
  const headers = identity === undefined ? {} : { authorization: `Bearer ${identity}` }
  const route: SocketRoute = { name, link, history, choose, connect: { path: manifest.path, headers } }
  class OwnSocket extends SimulatedSocket {
    constructor() {
      super(route)
    }
  }
  const client: Client<AnyApp> = createClient({
    url: 'http://simulation',
    manifest,
    WebSocket: OwnSocket,
    fetch: simulatedFetch(route),
    onError,
    ...(timeoutMs !== undefined && { timeoutMs }),
  })
  return {
    name,
    link,
    get status() {
      return client.state.status
    },
    // The types are those of the app; the client beneath has none.
    call: async (called, ...[input]) => asReceived(await client.call(called, asReceived<Fields>(input))),
    http: async (called, ...[input]) =>
      asReceived(await client.call(called, asReceived<Fields>(input), { wire: 'http' })),
    subscribe(topic, { onEvent, onGap, onEnd } = {}) {
      return client.subscribe(topic, {
        onEvent: (event) => onEvent?.(asReceived(event)),
        onGap: () => onGap?.(),
        onEnd: (error) => onEnd?.(error),
      })
    },
    on: (event, listener) => client.on(event, (data) => listener(asReceived(data))),
    close: () => client.close(),
  }
}
