import { randomUUID } from 'node:crypto'
import type { App } from '../app.ts'
import type { EventTable, RouteTable } from '../app-options.ts'
import type { AnyEvent, EventDefinition } from '../router/event.ts'
import type { Route } from '../router/route.ts'
import type { Jsonified } from '../util/jsonified.ts'
import { type EventBox, FrameRouter } from './frame-router.ts'
import type { RawClosure, RawSocket } from './raw-client.ts'

/** What a caller sends to a route. */
type SentTo<R> = R extends Route<infer Input, unknown> ? Input : never
/** What a caller gets back, as it is after the wire. */
type AnswerOf<R> = R extends Route<unknown, infer Output> ? Jsonified<Output> : never
/** Data of an event, as it arrives. */
type Arrived<E extends AnyEvent> = E extends EventDefinition<infer Data> ? Jsonified<Data> : never
/** A route without input takes none; one whose input may be left out, maybe. */
type InputArguments<Input> = [Input] extends [undefined]
  ? []
  : Record<never, never> extends Input
    ? [input?: Input]
    : [input: Input]

/** A call was answered with an error. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly msg: string
  readonly details: unknown
  /** `status_code` of the reply package. */
  readonly status: number

  constructor(status: number, error: { readonly code: string; readonly msg: string; readonly details: unknown }) {
    super(`${error.code}: ${error.msg}`)
    this.status = status
    this.code = error.code
    this.msg = error.msg
    this.details = error.details
  }
}

/** A client that speaks packages, typed by the routes and events of an app. */
export interface TestClient<Routes extends RouteTable, Events extends EventTable> {
  /** Calls a route over WebSocket. Rejects with a {@link CallError}, or when the connection ends before the answer. */
  call<Name extends keyof Routes & string>(
    name: Name,
    ...input: InputArguments<SentTo<Routes[Name]>>
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
 * Makes a typed client of an open socket. Frames are read by it alone from now on.
 *
 * @example
 * const client = createTestClient(app, await raw.connect())
 * const author = await client.call('CREATE_AUTHOR', { name: 'Ursula' })
 */
export function createTestClient<Routes extends RouteTable, Events extends EventTable = Record<never, never>>(
  app: App<Routes>,
  socket: RawSocket,
): TestClient<Routes, Events> {
  const { routes, events } = app.describe()
  const pkgIds = new Map([...routes, ...events].map(({ name, pkgId }) => [name, pkgId]))
  const frames = new FrameRouter(socket)
  const pkgIdOf = (name: string): number => {
    const pkgId = pkgIds.get(name)
    if (typeof pkgId !== 'number') throw new TypeError(`${name} is no package of this app`)
    return pkgId
  }
  // The table says what comes back for a name; on the wire it is JSON like any other.
  const take = <T>(box: EventBox, timeoutMs?: number): Promise<T> => box.next(timeoutMs) as Promise<T>
  return {
    async call(name, ...[data]) {
      const req_id = randomUUID()
      const answer = frames.expect(req_id)
      socket.send(JSON.stringify({ pkg_id: pkgIdOf(name), req_id, method: '', data }))
      const reply = await answer
      // The envelope is core's own; its parts are checked where core is tested and not here.
      if (reply.status_code !== 0) throw new CallError(reply.status_code as number, reply.data as CallError)
      const result = reply.meta === null ? reply.data : { items: reply.data, meta: reply.meta }
      return result as AnswerOf<Routes[typeof name]>
    },
    nextEvent: (name, timeoutMs) => take(frames.events(pkgIdOf(name)), timeoutMs),
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
