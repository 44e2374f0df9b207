import type { MaybePromise } from '../../../base/maybe-promise.ts'
import { defaultSocketLimits } from '../../../transport/socket-limits.ts'
import type {
  HttpExchange,
  Socket,
  SocketLimits,
  SocketListener,
  Transport,
  UpgradeRequest,
} from '../../../transport/transport.ts'
import type { RawClient, RawSocket } from '../../raw-client.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred } from '../helpers.ts'

/** The transport that a suite tests. */
export interface TransportSubject {
  /** A new one for each test. */
  createTransport(): Transport
  /** A client of that transport: `networkRawClient({ port })` for one that listens on a real port. */
  createClient(transport: Transport, port: number): RawClient
}

export interface ServeOptions {
  /** May be a promise: its rejection is unhandled, and fails the run. */
  readonly request?: (exchange: HttpExchange) => MaybePromise<void>
  readonly upgrade?: (request: UpgradeRequest) => MaybePromise<void>
  readonly limits?: Partial<SocketLimits>
  readonly port?: number
}

/** A server that listens, and a client of it. */
export interface Served {
  readonly transport: Transport
  readonly client: RawClient
  readonly port: number
  readonly faults: unknown[]
}

/** The two ends of one open socket. */
export interface Opened extends Served {
  readonly socket: RawSocket
  readonly server: Socket
  /** Every `closed` that the server's end was told. */
  readonly closures: { readonly code: number; readonly reason: string }[]
  /** The first of them. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>
}

export interface TransportFixture {
  serve(options?: ServeOptions): Promise<Served>
  open(listener?: Partial<SocketListener>, limits?: Partial<SocketLimits>): Promise<Opened>
}

export const get = { method: 'GET', path: '/' } as const

/** Servers and clients for tests, cut after each of them. */
export function createTransportFixture({ afterEach }: TestRunner, subject: TransportSubject): TransportFixture {
  const running: Served[] = []

  afterEach(async () => {
    for (const { client, transport } of running.splice(0)) {
      await client.close()
      await transport.close()
    }
  })

  async function serve(options: ServeOptions = {}): Promise<Served> {
    const transport = subject.createTransport()
    const faults: unknown[] = []
    const limits = { ...defaultSocketLimits, ...options.limits }
    const { request = (exchange) => exchange.respond(200, [], 'plain') } = options
    const { upgrade = (handshake) => handshake.reject(403, [], 'no') } = options
    const { port } = await transport.listen(
      { host: '127.0.0.1', port: options.port ?? 0, websocketPath: '/ws', limits },
      {
        request: (exchange) => void request(exchange),
        upgrade: (handshake) => void upgrade(handshake),
        fault: (error) => faults.push(error),
      },
    )
    const served = { transport, port, faults, client: subject.createClient(transport, port) }
    running.push(served)
    return served
  }

  async function open(listener: Partial<SocketListener> = {}, limits: Partial<SocketLimits> = {}): Promise<Opened> {
    const server = deferred<Socket>()
    const ended = deferred<{ code: number; reason: string }>()
    const closures: { code: number; reason: string }[] = []
    const upgrade = (request: UpgradeRequest): void =>
      request.accept({
        opened: (socket) => {
          server.resolve(socket)
          listener.opened?.(socket)
        },
        message: (data, binary) => listener.message?.(data, binary),
        drained: () => listener.drained?.(),
        closed: (code, reason) => {
          closures.push({ code, reason })
          ended.resolve({ code, reason })
          listener.closed?.(code, reason)
        },
      })
    const served = await serve({ limits, upgrade })
    const socket = await served.client.connect()
    return { ...served, socket, server: await server.promise, closures, ended: ended.promise }
  }

  return { serve, open }
}
