import { type App, createApp, type ListenAddress } from '../app/app.ts'
import type { AppOptions, EventTable, PkgIds, RouteTable } from '../app/app-options.ts'
import type { Transport } from '../transport/transport.ts'
import { uws } from '../transport/uws-server.ts'
import { watchAnsweredErrors } from './answered-errors.ts'
import { watchLeftovers } from './leftovers.ts'
import { memoryRawClient } from './memory-raw-client.ts'
import { memoryTransport } from './memory-transport/memory-transport.ts'
import { networkRawClient } from './network-raw-client.ts'
import type { RawClient, RawSocket } from './raw-client.ts'
import type { RawConnect } from './raw-types.ts'
import { createTestBroker } from './test-broker.ts'
import { createTestClient, type TestClient } from './test-client.ts'
import { createTestLogger, type LogLine } from './test-logger.ts'
import { sendRequest, type TestRequest, type TestResponse } from './test-request.ts'
import type { VirtualClock } from './virtual-clock.ts'

export type TransportName = 'memory' | 'uws'

export interface TestConnect extends Partial<RawConnect> {
  /** Sent first; the client is ready when it was answered. */
  readonly handshake?: { readonly type: string; readonly [key: string]: unknown }
}

/** An app that listens, and its clients. */
export interface TestApp<Routes extends RouteTable, Events extends EventTable> {
  readonly app: App<Routes, Events>
  readonly address: ListenAddress
  /** All lines that were logged so far. */
  readonly logs: readonly LogLine[]
  readonly raw: RawClient
  /** Connects a typed client. */
  client(options?: TestConnect): Promise<TestClient<Routes, Events>>
  /** Opens an untyped socket. Rejects with `UpgradeRefused`. */
  connect(options?: Partial<RawConnect>): Promise<RawSocket>
  /** `target`: method and path with the query. */
  request(target: string, options?: TestRequest): Promise<TestResponse>
  /**
   * Cuts every client and closes the app; advances its clock when that is a virtual one. Rejects, after all is closed, when a call has no
   * answer yet, unless `abandon` is true, or when a rejection was unhandled while the app was open. Idempotent.
   */
  close(options?: { readonly abandon?: boolean }): Promise<void>
}

export interface TestAppOptions {
  /** Default `memory`. */
  readonly transport?: TransportName
  /** `allow`: `close` ignores calls without an answer and unhandled rejections. Default `fail`. */
  readonly leftovers?: 'fail' | 'allow'
}

/**
 * Creates an app that listens, in the environment `test`, over the memory transport by default, with a logger that keeps its lines.
 * `options` override that.
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
  { transport = 'memory', leftovers = 'fail' }: TestAppOptions = {},
): Promise<TestApp<Routes, Events>> {
  const log = createTestLogger()
  const { network, clientOf } = createNetwork(transport, options.clock)
  const errors = watchAnsweredErrors()
  const left = leftovers === 'fail' ? watchLeftovers() : null
  // Time passes in Redis, and not in a virtual clock.
  const broker = options.clock === undefined ? createTestBroker() : null
  const app = createApp<Ids, Routes, Events>({
    environment: 'test',
    log,
    transport: network,
    // Tests do not spread out the reconnects of clients.
    drainSpreadMs: 0,
    // Left to the test runner; `close` reports them too.
    unhandledRejections: false,
    ...(broker !== null && { broker }),
    ...options,
    plugins: [...(options.plugins ?? []), errors.plugin, ...(left === null ? [] : [left.plugin])],
  })
  const address = await app.listen({ port: 0 })
  left?.start()
  const raw = clientOf(address.port, options.websocket?.path ?? '/ws')
  return {
    app,
    address,
    logs: log.lines,
    raw,
    async client({ handshake, ...connect } = {}) {
      const { headers, address } = connect
      const over = { raw, routes: options.routes, headers, address, errors }
      const client = createTestClient<Routes, Events>(app, await raw.connect(connect), over)
      if (handshake === undefined) return client
      client.send(handshake)
      await client.nextControl()
      return client
    },
    connect: (connect) => raw.connect(connect),
    request: (target, request) => sendRequest(raw, target, request),
    async close({ abandon = false } = {}) {
      // Before clients are cut, because that aborts calls without an answer.
      if (!abandon) await left?.look()
      await raw.close()
      await closeWithClock(app, options.clock)
      left?.stop()
      left?.report()
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

/** A virtual clock does not advance by itself, and the drain waits by it. */
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
