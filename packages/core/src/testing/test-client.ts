import { randomUUID } from 'node:crypto'
import type { App } from '../app/app.ts'
import type { EventTable, RouteTable } from '../app/app-options.ts'
import { toCallError } from './answered-errors.ts'
import {
  type AnswerOf,
  type Arrived,
  arrived,
  type CallError,
  type InputArguments,
  type SentOverHttp,
  type SentTo,
} from './answers.ts'
import { type EventBox, FrameRouter } from './frame-router.ts'
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
   * The same call over HTTP, by the route's own method and path: its parameters are filled from the input, the rest is the query or, for
   * POST, PUT and PATCH, the body. Sends the headers that the client connected with. A route with a mapping of its own (`http.input`) takes
   * what that makes its input of: the keys of path, query and body. A route without `http`, or one that takes a raw body, is a TypeError.
   *
   * @example
   * const author = await client.http('GET_AUTHOR', { id: 7 }) // GET /authors/7
   */
  http<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentOverHttp<Routes[Name]>>
  ): Promise<AnswerOf<Routes[Name]>>
  /** Data of the next event of that name, in order. Rejects when none comes within `timeoutMs` (5000). */
  nextEvent<Name extends keyof Events & string>(name: Name, timeoutMs?: number): Promise<Arrived<Events[Name]>>
  /** The next frame that is no package (`{"type": …}`). */
  nextControl(timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>
  /** Sends any frame: an object as JSON. What answers it, and is nobody's reply, comes by `nextStray`. */
  send(frame: object | string | Uint8Array): void
  /** The next reply that no `call` waits for. */
  nextStray(timeoutMs?: number): Promise<Readonly<Record<string, unknown>>>
  readonly closed: Promise<RawClosure>
  close(code?: number, reason?: string): void
  /** Cuts the connection without a close frame. */
  terminate(): void
}

/**
 * Makes a typed client of an open socket. Frames are read by it alone from now on. `over` is where its `http` goes.
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
  over?: TestClientHttp,
): TestClient<Routes, Events> {
  const { routes, events } = app.describe()
  const pkgIds = new Map([...routes, ...events].map(({ name, pkgId }) => [name, pkgId]))
  const frames = new FrameRouter(socket)
  const pkgIdOf = (name: string): number => {
    const pkgId = pkgIds.get(name)
    if (typeof pkgId !== 'number') throw new TypeError(`${name} is no package of this app`)
    return pkgId
  }
  const take = async <T>(box: EventBox, timeoutMs?: number): Promise<T> => arrived(await box.next(timeoutMs))
  return {
    async call(name, ...[data]) {
      const req_id = randomUUID()
      // Before an answer is expected: an input without a form as JSON fails here, and there will be none.
      const frame = JSON.stringify({ pkg_id: pkgIdOf(name), req_id, method: '', data })
      const answer = frames.expect(req_id)
      // When sending throws, nothing waits for it: the end of the connection must not become an unhandled rejection.
      answer.catch(() => {})
      socket.send(frame)
      const reply = await answer
      // The envelope is core's own; its parts are checked where core is tested and not here.
      if (reply.status_code !== 0) {
        const received = { callId: req_id, answer: reply.data as CallError, rspCode: Number(reply.status_code) }
        throw toCallError(received, over?.errors, over?.routes[name])
      }
      return arrived(reply.meta === null ? reply.data : { items: reply.data, meta: reply.meta })
    },
    async http(name, ...[input]) {
      if (over === undefined)
        throw new TypeError('This client was made without a way to HTTP: createTestApp makes one with it')
      return arrived(await callHttp(over, name, input))
    },
    nextEvent: async (name, timeoutMs) => take(frames.events(pkgIdOf(name)), timeoutMs),
    nextControl: (timeoutMs) => take(frames.controls, timeoutMs),
    nextStray: (timeoutMs) => take(frames.strays, timeoutMs),
    send: (frame) => socket.send(isRaw(frame) ? frame : JSON.stringify(frame)),
    closed: socket.closed,
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
}

function isRaw(frame: object | string): frame is string | Uint8Array {
  return typeof frame === 'string' || frame instanceof Uint8Array
}
