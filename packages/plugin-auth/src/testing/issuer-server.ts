import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Clock } from '@twinwire/core'

/** The endpoints of the issuer. */
export type IssuerEndpoint = 'realm' | 'discovery' | 'certs' | 'token' | 'logout'

/**
 * A fault of an endpoint: `down` closes the connection without a response, `hang` sends no response until the fault is cleared,
 * `garbage` sends an HTML page with status 200, `empty` sends `{}`, `huge` sends an endless body, `redirect` redirects to another host,
 * `status` sends an HTTP error, `delayMs` sends the correct response later, by the issuer's clock.
 */
export type IssuerFault =
  | 'down'
  | 'hang'
  | 'garbage'
  | 'empty'
  | 'huge'
  | 'redirect'
  | { readonly status: number }
  | { readonly delayMs: number }

export interface IssuerAnswer {
  readonly status: number
  /** Sent as JSON; without it, no body. */
  readonly body?: object
}

/** Handles a request to an endpoint without a fault. */
export type IssuerHandler = (endpoint: IssuerEndpoint, form: URLSearchParams) => Promise<IssuerAnswer> | IssuerAnswer

interface IssuerServerOptions {
  readonly realm: string
  readonly port: number
  readonly clock: Clock
  readonly handle: IssuerHandler
}

const maxFormBytes = 64 * 1024
const hugeChunk = Buffer.alloc(64 * 1024, ' ')

/** The HTTP server of a test issuer: Keycloak's paths, a count of requests, and faults. Loopback only. */
export class IssuerServer {
  readonly #options: IssuerServerOptions
  readonly #paths: ReadonlyMap<string, readonly [method: string, endpoint: IssuerEndpoint]>
  readonly #faults = new Map<IssuerEndpoint, IssuerFault>()
  readonly #hanging = new Map<ServerResponse, IssuerEndpoint>()
  #server: Server | null = null
  #port: number
  readonly hits: Record<IssuerEndpoint, number> = { realm: 0, discovery: 0, certs: 0, token: 0, logout: 0 }

  constructor(options: IssuerServerOptions) {
    this.#options = options
    this.#port = options.port
    const realm = `/realms/${encodeURIComponent(options.realm)}`
    const connect = `${realm}/protocol/openid-connect`
    this.#paths = new Map([
      [realm, ['GET', 'realm'] as const],
      [`${realm}/.well-known/openid-configuration`, ['GET', 'discovery'] as const],
      [`${connect}/certs`, ['GET', 'certs'] as const],
      [`${connect}/token`, ['POST', 'token'] as const],
      [`${connect}/logout`, ['POST', 'logout'] as const],
    ])
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Listens, after a stop on the same port. */
  async start(): Promise<void> {
    if (this.#server !== null) return
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (!response.headersSent) send(response, { status: 500, body: { error: String(error) } })
      })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
    this.#server = server
  }

  /** Closes every connection and the port. Idempotent. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server === null) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }

  setFault(endpoint: IssuerEndpoint, fault: IssuerFault | null): void {
    if (fault === null) this.#faults.delete(endpoint)
    else this.#faults.set(endpoint, fault)
    // As by an issuer that restarts.
    for (const [response, waiting] of this.#hanging) if (waiting === endpoint) response.destroy()
  }

  clearFaults(): void {
    for (const endpoint of [...this.#faults.keys()]) this.setFault(endpoint, null)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', this.url)
    const [method, endpoint] = this.#paths.get(pathname) ?? []
    if (endpoint === undefined) return send(response, { status: 404, body: { error: 'Resource not found' } })
    if (request.method !== method)
      return send(response, { status: 405, body: { error: 'HTTP 405 Method Not Allowed' } })
    this.hits[endpoint] += 1
    const form = method === 'POST' ? await readForm(request) : new URLSearchParams()
    if (form === null) return send(response, { status: 413, body: { error: 'invalid_request' } })
    const fault = this.#faults.get(endpoint)
    if (fault !== undefined && !(await this.#fail(endpoint, fault, response))) return
    send(response, await this.#options.handle(endpoint, form))
  }

  /** Resolves with true when the response must still be sent. */
  async #fail(endpoint: IssuerEndpoint, fault: IssuerFault, response: ServerResponse): Promise<boolean> {
    if (typeof fault === 'object') {
      if ('status' in fault) {
        send(response, { status: fault.status, body: { error: 'unknown_error' } })
        return false
      }
      await new Promise<void>((resolve) => void this.#options.clock.timer(fault.delayMs, resolve))
      return true
    }
    switch (fault) {
      case 'down':
        response.destroy()
        break
      case 'hang':
        this.#hanging.set(response, endpoint)
        response.once('close', () => this.#hanging.delete(response))
        break
      case 'garbage':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><h1>It works!</h1>')
        break
      case 'empty':
        send(response, { status: 200, body: {} })
        break
      case 'huge':
        sendForever(response)
        break
      case 'redirect':
        response.writeHead(302, { location: 'http://127.0.0.2:9/keys' }).end()
        break
    }
    return false
  }
}

function send(response: ServerResponse, { status, body }: IssuerAnswer): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  if (body === undefined) response.writeHead(status).end()
  else response.writeHead(status, headers).end(JSON.stringify(body))
}

/** Sends as fast as it is read, until the client closes the connection. */
function sendForever(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  const more = (): void => {
    while (!response.destroyed && response.write(hugeChunk));
  }
  response.on('drain', more)
  more()
}

/** Null when it is too large. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxFormBytes) return null
    chunks.push(bytes)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
