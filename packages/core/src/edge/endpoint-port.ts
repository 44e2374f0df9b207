import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BootError } from '../base/boot-error.ts'
import type { Clock } from '../base/clock.ts'

export interface EndpointPortOptions {
  /** The plugin as it is called, `metrics()`, for messages. */
  readonly owner: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly clock: Clock
  /** How long an idle connection is kept. Default 5000. */
  readonly keepAliveTimeoutMs?: number
  /** Answers one request. It must not throw. */
  answer(request: IncomingMessage, response: ServerResponse): void
}

/** A port of its own, for an endpoint that clients of the app must not reach. */
export interface EndpointPort {
  readonly port: number
  /** Stops listening; running requests get two seconds. */
  close(): Promise<void>
}

const closeGraceMs = 2000
const requestTimeoutMs = 10_000
const maxConnections = 100

/**
 * Opens a port for {@link EndpointAccess} with `port`.
 *
 * @throws BootError `unavailable_port`, or `bad_option` for an address that is not of this machine
 *
 * @example
 * const server = await openEndpointPort({
 *   owner: 'audit()', host: '127.0.0.1', port: 9470, clock: host.clock,
 *   answer: (_request, response) => response.end('ok'),
 * })
 */
export async function openEndpointPort(options: EndpointPortOptions): Promise<EndpointPort> {
  const { port, clock, keepAliveTimeoutMs = 5000 } = options
  const server = createServer(
    { keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: requestTimeoutMs },
    (request, response) => options.answer(request, response),
  )
  server.maxConnections = maxConnections
  await listen(server, options)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return { port: bound, close: () => close(server, clock) }
}

function listen(server: Server, { owner, host, port }: EndpointPortOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE'
      const message = isTaken
        ? `${owner}: the port ${host}:${port} is taken: choose another access.port`
        : `${owner}: cannot listen on ${host}:${port}: choose another access.host or access.port (${error.message})`
      reject(new BootError(isTaken ? 'unavailable_port' : 'bad_option', message, { cause: error }))
    })
    server.listen(port, host, () => resolve())
  })
}

function close(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.timer(closeGraceMs, () => server.closeAllConnections())
    server.close(() => {
      timer.cancel()
      resolve()
    })
    server.closeIdleConnections()
  })
}
