import { randomUUID } from 'node:crypto'
import { CallError as ClientError, type ManifestRoute, toAnswer } from '@twinwire/client/internal'
import type { App } from '../app/app.ts'
import type { EventTable, RouteTable } from '../app/app-options.ts'
import type { Position } from '../hub/broker.ts'
import type { AnswerOf, InputArguments, ItemOf, ReceivedData, SentOverHttp, SentTo } from '../route/wire-types.ts'
import { toCallError } from './answered-errors.ts'
import { asReceived, type CallError, type ErrorAnswer } from './answers.ts'
import { callHttp, type TestClientHttp } from './http-call.ts'
import type { RawClosure, RawSocket } from './raw-client.ts'
import { noLimitMs, TestSession } from './test-session.ts'

/** The answer to `subscribe`. */
export interface TestSubscription {
  /** Null for a stream without history. */
  readonly position: Position | null
  /** Everything since the position that was named has been received. */
  readonly recovered: boolean
}

/** A client of both wires, typed by the routes and events of an app. */
export interface TestClient<Routes extends RouteTable, Events extends EventTable> {
  /** Calls a route over WebSocket. Rejects with a {@link CallError}, or when the connection ends before the answer. */
  call<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentTo<Routes[Name]>>
  ): Promise<AnswerOf<Routes[Name]>>
  /**
   * Calls a route with `output: stream(…)` over WebSocket, as soon as the first item is requested. Rejects with a {@link CallError} if the
   * stream ends with an error, also after some items. A loop that is left early cancels the call, and waits for its last package.
   *
   * @example
   * for await (const line of client.stream('TAIL', { file: 'access.log' })) lines.push(line)
   */
  stream<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentTo<Routes[Name]>>
  ): AsyncGenerator<ItemOf<Routes[Name]>, void, undefined>
  /**
   * The same call over HTTP, by the method and path of the route: path parameters are filled from the input, the rest is the query or, for
   * POST, PUT and PATCH, the body. Sends the headers that the client connected with. A route with a custom mapping (`http.input`) takes the
   * keys of path, query and body that it maps. A route without `http`, or one that takes a raw body, is a TypeError.
   *
   * @example
   * const author = await client.http('GET_AUTHOR', { id: 7 }) // GET /authors/7
   */
  http<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentOverHttp<Routes[Name]>>
  ): Promise<AnswerOf<Routes[Name]>>
  /**
   * Subscribes to a topic, `@me` or `@all`. Resolves with the answer, after the events that were missed since the position `since`. Rejects with a
   * {@link CallError}: `permission_denied` for a topic that clients may not subscribe to.
   *
   * @example
   * const { position } = await client.subscribe('chat:1')
   * const { recovered } = await other.subscribe('chat:1', { since: position })
   */
  subscribe(topic: string, options?: { readonly since?: Position | null }): Promise<TestSubscription>
  /** Data of the next event of that name, in order. Rejects when none comes within `timeoutMs` (5000). */
  nextEvent<Name extends keyof Events & string>(name: Name, timeoutMs?: number): Promise<ReceivedData<Events[Name]>>
  /** The next control frame (`{"type": …}`). */
  nextControl(timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>
  /** Sends any frame, an object as JSON. A reply to it is read by `nextStray`. */
  send(frame: object | string | Uint8Array): void
  /** The next reply that no `call` waits for. */
  nextStray(timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>
  readonly closed: Promise<RawClosure>
  close(code?: number, reason?: string): void
  /** Cuts the connection without a close frame. */
  terminate(): void
}

/**
 * Creates a typed client of an open socket. From then on only this client may read its frames. `http`: the client of its HTTP calls.
 *
 * @example
 * const client = createTestClient(app, await raw.connect())
 * const author = await client.call('CREATE_AUTHOR', { name: 'Ursula' })
 * // Routes and events that a plugin adds are not in the type of the app: name them.
 * const presence = createTestClient<PresenceRoutes, PresenceEvents>(app, await raw.connect())
 */
export function createTestClient<Routes extends RouteTable, Events extends EventTable = Record<never, never>>(
  app: App<Routes, Events> | App,
  socket: RawSocket,
  http?: TestClientHttp,
): TestClient<Routes, Events> {
  const { routes, events } = app.manifest()
  const session = new TestSession(socket)
  const routeOf = (name: string): ManifestRoute & { readonly pkgId: number } => {
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined
    if (route?.pkgId === undefined) throw new TypeError(`'${name}' is not a route of this app with a PkgID`)
    return { ...route, pkgId: route.pkgId }
  }
  const eventOf = (name: string): number => {
    const event = Object.hasOwn(events, name) ? events[name] : undefined
    if (event === undefined) throw new TypeError(`'${name}' is not an event of this app`)
    return event.pkgId
  }
  const failure = (callId: string | null, name: string | null, answer: unknown, rspCode?: number): CallError => {
    const route = name === null ? undefined : http?.routes[name]
    // The envelope is that of core, whose tests check its parts.
    return toCallError({ callId, answer: answer as ErrorAnswer, rspCode }, http?.errors, route)
  }
  return {
    async call(name, ...[data]) {
      const route = routeOf(name)
      if (route.reply === 'stream') throw new TypeError(`${name} streams its reply: read it with stream('${name}')`)
      const reqId = randomUUID()
      const { reply } = await session.call(route.pkgId, reqId, data).next(noLimitMs)
      if (reply.status_code !== 0) throw failure(reqId, name, reply.data, reply.status_code)
      return asReceived(toAnswer(route, reply))
    },
    async *stream(name, ...[data]) {
      const route = routeOf(name)
      if (route.reply !== 'stream') throw new TypeError(`${name} has no streamed reply: use call('${name}')`)
      const reqId = randomUUID()
      const parts = session.call(route.pkgId, reqId, data)
      let more = false
      try {
        for (;;) {
          const part = await parts.next()
          more = part.more
          if (!more && part.reply.status_code !== 0) throw failure(reqId, name, part.reply.data, part.reply.status_code)
          if (!more) return
          yield asReceived(part.reply.data)
        }
      } finally {
        if (more) session.cancel(reqId)
        while (more) more = (await parts.next()).more
      }
    },
    async http(name, ...[input]) {
      if (routes[name]?.reply === 'stream')
        throw new TypeError(`${name} streams its reply: send a request, and read its body`)
      if (http === undefined)
        throw new TypeError(
          'This client has no HTTP side: pass `http` to createTestClient(), or use the client of createTestApp()',
        )
      return asReceived(await callHttp(http, name, routes[name], input))
    },
    async subscribe(topic, { since = null } = {}) {
      const frame = { type: 'subscribe', topic, ...(since !== null && { since }) }
      const { epoch, offset, recovered } = await session.ask(frame).catch((error: unknown) => {
        throw error instanceof ClientError ? failure(null, null, error) : error
      })
      const position = typeof epoch === 'string' && typeof offset === 'number' ? { epoch, offset } : null
      return { position, recovered: recovered === true }
    },
    nextEvent: async (name, timeoutMs) => asReceived(await session.events(eventOf(name)).next(timeoutMs)),
    nextControl: (timeoutMs) => session.controls.next(timeoutMs),
    nextStray: (timeoutMs) => session.strays.next(timeoutMs),
    send: (frame) => socket.send(isRaw(frame) ? frame : JSON.stringify(frame)),
    closed: socket.closed,
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}

function isRaw(frame: object | string): frame is string | Uint8Array {
  return typeof frame === 'string' || frame instanceof Uint8Array
}
