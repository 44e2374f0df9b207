import { randomUUID } from 'node:crypto'
import type { App } from '../app/app.ts'
import type { EventTable, RouteTable } from '../app/app-options.ts'
import { toCallError } from './answered-errors.ts'
import {
  type AnswerOf,
  asReceived,
  type CallError,
  type InputArguments,
  type ReceivedData,
  type SentOverHttp,
  type SentTo,
} from './answers.ts'
import { ClientFrames } from './client-frames.ts'
import { callHttp, type TestClientHttp } from './http-call.ts'
import type { RawClosure, RawSocket } from './raw-client.ts'

/** A client of both wires, typed by the routes and events of an app. */
export interface TestClient<Routes extends RouteTable, Events extends EventTable> {
  /** Calls a route over WebSocket. Rejects with a {@link CallError}, or when the connection ends before the answer. */
  call<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentTo<Routes[Name]>>
  ): Promise<AnswerOf<Routes[Name]>>
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
  app: App<Routes> | App,
  socket: RawSocket,
  http?: TestClientHttp,
): TestClient<Routes, Events> {
  const { routes, events } = app.describe()
  const pkgIds = new Map([...routes, ...events].map(({ name, pkgId }) => [name, pkgId]))
  const frames = new ClientFrames(socket)
  const pkgIdOf = (name: string): number => {
    const pkgId = pkgIds.get(name)
    if (typeof pkgId !== 'number') throw new TypeError(`'${name}' is neither a route nor an event of this app`)
    return pkgId
  }
  return {
    async call(name, ...[data]) {
      const req_id = randomUUID()
      // First, because an input without a JSON form fails here, and then no answer must be awaited.
      const frame = JSON.stringify({ pkg_id: pkgIdOf(name), req_id, method: '', data })
      const answer = frames.reply(req_id)
      // When `send` throws, no one awaits the answer: the end of the connection must not become an unhandled rejection.
      answer.catch(() => {})
      socket.send(frame)
      const reply = await answer
      // The envelope is that of core, whose tests check its parts.
      if (reply.status_code !== 0) {
        const received = { callId: req_id, answer: reply.data as CallError, rspCode: Number(reply.status_code) }
        throw toCallError(received, http?.errors, http?.routes[name])
      }
      return asReceived(reply.meta === null ? reply.data : { items: reply.data, meta: reply.meta })
    },
    async http(name, ...[input]) {
      if (http === undefined)
        throw new TypeError(
          'This client has no HTTP side: pass `http` to createTestClient(), or use the client of createTestApp()',
        )
      return asReceived(await callHttp(http, name, input))
    },
    nextEvent: async (name, timeoutMs) => asReceived(await frames.events(pkgIdOf(name)).next(timeoutMs)),
    nextControl: (timeoutMs) => frames.controls.next(timeoutMs),
    nextStray: (timeoutMs) => frames.strays.next(timeoutMs),
    send: (frame) => socket.send(isRaw(frame) ? frame : JSON.stringify(frame)),
    closed: socket.closed,
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}

function isRaw(frame: object | string): frame is string | Uint8Array {
  return typeof frame === 'string' || frame instanceof Uint8Array
}
