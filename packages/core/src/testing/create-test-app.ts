import { type App, createApp, type ListenAddress } from '../app.ts'
import type { AppOptions, EventTable, PkgIds, RouteTable } from '../app-options.ts'
import type { VirtualClock } from '../clock/virtual-clock.ts'
import { memoryTransport } from '../transport/memory-transport.ts'
import type { RawConnect, RawHeaders, RawRequest } from '../transport/raw-types.ts'
import type { Transport } from '../transport/transport.ts'
import { uws } from '../transport/uws-server.ts'
import { memoryRawClient } from './memory-raw-client.ts'
import { networkRawClient } from './network-raw-client.ts'
import type { RawClient, RawSocket } from './raw-client.ts'
import { createTestClient, type TestClient } from './test-client.ts'
import { createTestLogger, type LogLine } from './test-logger.ts'

export type TransportName = 'memory' | 'uws'

/** A request as a test writes it: `request('POST /authors', { json: { name: 'Ursula' } })`. */
export interface TestRequest extends Omit<RawRequest, 'method' | 'path'> {
  /** Sent as the body, with its content type. */
  readonly json?: unknown
}

/** The answer, read to its end. */
export interface TestResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly bytes: Uint8Array
  /** The body as JSON; throws when it is none. */
  json(): unknown
}

export interface TestConnect extends Partial<RawConnect> {
  /** Sent first; the client is ready when its answer has come. */
  readonly handshake?: { readonly type: string; readonly [key: string]: unknown }
}

/** An app that listens, and ways into it. */
export interface TestApp<Routes extends RouteTable, Events extends EventTable> {
  readonly app: App<Routes>
  readonly address: ListenAddress
  /** Everything that was logged so far. */
  readonly logs: readonly LogLine[]
  readonly raw: RawClient
  /** Connects a typed client. */
  client(options?: TestConnect): Promise<TestClient<Routes, Events>>
  /** Opens a socket of which nothing is known. Rejects with `UpgradeRefused`. */
  connect(options?: Partial<RawConnect>): Promise<RawSocket>
  /** `target`: method and path with the query. */
  request(target: string, options?: TestRequest): Promise<TestResponse>
  /** Cuts every client and closes the app; drives its clock when that is a virtual one. */
  close(): Promise<void>
}

/**
 * Creates an app, listening, in the environment `test`, over the memory transport unless told otherwise, with a logger that keeps its
 * lines. What `options` say wins.
 *
 * @example
 * const { client, close } = await createTestApp({ pkgIds: { GREET: 1 }, routes: { GREET: greet } })
 * await (await client()).call('GREET', { name: 'Ursula' })
 * await close()
 */
export async function createTestApp<
  const Ids extends PkgIds,
  Routes extends RouteTable,
  Events extends EventTable = Record<never, never>,
>(
  options: AppOptions<Ids, Routes, Events>,
  { transport = 'memory' }: { readonly transport?: TransportName } = {},
): Promise<TestApp<Routes, Events>> {
  const log = createTestLogger()
  const { network, clientOf } = createNetwork(transport, options.clock)
  const app = createApp<Ids, Routes, Events>({
    environment: 'test',
    log,
    transport: network,
    // Tests do not wait for clients to come back one after the other.
    drainSpreadMs: 0,
    ...options,
  })
  const address = await app.listen({ port: 0 })
  const raw = clientOf(address.port, options.websocket?.path ?? '/ws')
  return {
    app,
    address,
    logs: log.lines,
    raw,
    async client({ handshake, ...connect } = {}) {
      const { headers, address } = connect
      const over = { raw, routes: options.routes, headers, address }
      const client = createTestClient<Routes, Events>(app, await raw.connect(connect), over)
      if (handshake === undefined) return client
      client.send(handshake)
      await client.nextControl()
      return client
    },
    connect: (connect) => raw.connect(connect),
    request: (target, request) => send(raw, target, request),
    async close() {
      await raw.close()
      await closeWithClock(app, options.clock)
    },
  }
}

function createNetwork(
  name: TransportName,
  clock: VirtualClock | AppOptions<PkgIds, RouteTable, EventTable>['clock'],
): { network: Transport; clientOf: (port: number, path: string) => RawClient } {
  if (name === 'uws') {
    return { network: uws(), clientOf: (port, defaultPath) => networkRawClient({ port, defaultPath }) }
  }
  const network = memoryTransport(clock === undefined ? {} : { clock })
  return { network, clientOf: (_port, defaultPath) => memoryRawClient(network, defaultPath) }
}

async function send(raw: RawClient, target: string, options: TestRequest = {}): Promise<TestResponse> {
  const space = target.indexOf(' ')
  const [method, path] = [target.slice(0, space), target.slice(space + 1)]
  const { json, ...rest } = options
  const asJson =
    json === undefined ? {} : { body: JSON.stringify(json), headers: withType(rest.headers, 'application/json') }
  const { status, headers, body } = await raw.request({ ...rest, ...asJson, method, path })
  const text = new TextDecoder().decode(body)
  return { status, headers, text, bytes: body, json: () => JSON.parse(text) }
}

function withType(headers: RawHeaders = {}, type: string): RawHeaders {
  return { 'content-type': type, ...headers }
}

/** A virtual clock stands still: the drain, which waits by it, would never end. */
async function closeWithClock(app: { close(): Promise<void> }, clock: object | undefined): Promise<void> {
  const closed = app.close()
  if (clock === undefined || !isVirtual(clock)) return closed
  let done = false
  const finished = closed.finally(() => {
    done = true
  })
  while (!done) await clock.advance(50)
  return finished
}

function isVirtual(clock: object): clock is VirtualClock {
  return 'advance' in clock
}
