import { BootError } from '../../base/boot-error.ts'
import type { Clock } from '../../base/clock.ts'
import { checkListenOptions } from '../../transport/socket-limits.ts'
import type { ListenOptions, Transport, TransportHandlers } from '../../transport/transport.ts'
import { Unsent } from '../../transport/unsent.ts'
import {
  type RawConnect,
  type RawHeaders,
  type RawRequest,
  type RawResponse,
  type RawStreamedResponse,
  UpgradeRefused,
} from '../raw-types.ts'
import { sendBody } from './memory-body.ts'
import { MemoryExchange } from './memory-http.ts'
import { concatBytes, later, refusedError, resetError, toOwnBytes } from './memory-network.ts'
import type { MemoryClientEvents, MemoryClientSocket } from './memory-peer.ts'
import { claimPort } from './memory-ports.ts'
import { MemoryRequest, type RequestParts } from './memory-request.ts'
import { MemoryTopics } from './memory-topics.ts'
import { MemoryUpgrade } from './memory-upgrade.ts'

export interface MemoryTransportOptions {
  /** Honours `idleTimeoutSeconds` and `maxLifetimeMinutes` by this clock. Without it no socket ends by the passing of time. */
  readonly clock?: Clock
  /** What requests say of TLS; false. */
  readonly secure?: boolean
}

/** A transport without a network, and the clients' way into it. */
export interface MemoryTransport extends Transport {
  /**
   * Shakes hands. Rejects with {@link UpgradeRefused} when the server answers with HTTP, and with an error of code
   * ECONNREFUSED or ECONNRESET when it does not answer. No event comes before the promise has resolved.
   */
  connect(options: RawConnect, events: MemoryClientEvents): Promise<MemoryClientSocket>
  /** Sends a request and reads the whole answer. */
  request(options: RawRequest): Promise<RawResponse>
  /** Sends a request; the answer's body is read at the caller's pace, which is felt by the server. */
  stream(options: RawRequest): Promise<RawStreamedResponse>
}

/**
 * Creates the transport that tests use when the network itself is not what they test. It keeps the port's contract as the
 * native one does: messages die when the callback returns, deliveries take a macrotask each and stay in order, slow clients
 * cause back pressure, limits cut.
 *
 * @example
 * const transport = memoryTransport()
 * await transport.listen(options, handlers)
 * const { status } = await transport.request({ method: 'GET', path: '/health' })
 */
export function memoryTransport(options: MemoryTransportOptions = {}): MemoryTransport {
  return new InMemoryTransport(options)
}

interface Serving {
  readonly options: ListenOptions
  readonly handlers: TransportHandlers
  readonly port: number
  readonly freePort: () => void
  accepting: boolean
}

class InMemoryTransport implements MemoryTransport {
  readonly name = 'memory'
  readonly #clock: Clock | null
  readonly #secure: boolean
  readonly #exchanges = new Set<MemoryExchange>()
  readonly #upgrades = new Set<MemoryUpgrade>()
  readonly #unsent = new Unsent()
  readonly #topics = new MemoryTopics()
  #serving: Serving | null = null

  constructor(options: MemoryTransportOptions) {
    this.#clock = options.clock ?? null
    this.#secure = options.secure ?? false
  }

  async listen(options: ListenOptions, handlers: TransportHandlers): Promise<{ readonly port: number }> {
    if (this.#serving !== null)
      throw new BootError('wrong_state', 'This memory transport is already listening: create another one')
    checkListenOptions(options)
    const { port, free } = claimPort(options.port)
    this.#serving = { options, handlers, port, freePort: free, accepting: true }
    return { port }
  }

  get acceptedBytes(): number {
    return this.#topics.acceptedBytes
  }

  publish(topic: string, data: Uint8Array, binary: boolean): void {
    this.#topics.publish(topic, data, binary)
  }

  stopAccepting(): void {
    if (this.#serving === null) return
    this.#serving.accepting = false
    this.#serving.freePort()
  }

  flushed(): Promise<void> {
    return this.#unsent.none()
  }

  async close(): Promise<void> {
    this.stopAccepting()
    this.#serving = null
    for (const upgrade of [...this.#upgrades]) upgrade.cut()
    for (const exchange of [...this.#exchanges]) exchange.cut()
  }

  async connect(options: RawConnect, events: MemoryClientEvents): Promise<MemoryClientSocket> {
    options.signal?.throwIfAborted()
    const serving = this.#accept()
    const { headers = {}, path, protocols = [], address, signal } = options
    const offered = protocols.length === 0 ? {} : { 'sec-websocket-protocol': protocols.join(', ') }
    const parts = this.#parts(serving, {
      method: 'GET',
      path,
      headers: { ...handshakeHeaders, ...offered, ...headers },
      address,
    })
    if (!isHandshake(serving, parts)) throw new UpgradeRefused(await this.request({ ...parts, signal }))
    const around = {
      limits: serving.options.limits,
      clock: this.#clock,
      fault: reporter(serving),
      unsent: this.#unsent,
      topics: this.#topics,
    }
    const upgrade = new MemoryUpgrade(parts, around, {
      protocols,
      events,
      onGone: () => this.#upgrades.delete(upgrade),
    })
    this.#upgrades.add(upgrade)
    later(() => upgrade.arrive(serving.handlers))
    const onAbort = (): void => upgrade.hangUp(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    return upgrade.answer.finally(() => signal?.removeEventListener('abort', onAbort))
  }

  async request(options: RawRequest): Promise<RawResponse> {
    const { body, ...head } = await this.stream(options)
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return { ...head, body: concatBytes(chunks) }
  }

  async stream(options: RawRequest): Promise<RawStreamedResponse> {
    const { signal, body } = options
    signal?.throwIfAborted()
    const serving = this.#accept()
    const parts = this.#parts(serving, {
      ...options,
      headers: { ...framing(body, options.headers), ...options.headers },
    })
    if (isHandshake(serving, parts)) return this.#refusalOf(parts, signal)
    const exchange = new MemoryExchange(parts, reporter(serving), this.#unsent)
    const { response } = exchange
    this.#exchanges.add(exchange)
    const leave = (reason: unknown): void => {
      response.leave(reason)
      later(() => exchange.leave())
    }
    const onAbort = (): void => leave(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    response.onLeave = () => leave(resetError())
    response.onEnd = () => {
      this.#exchanges.delete(exchange)
      signal?.removeEventListener('abort', onAbort)
    }
    later(() => {
      if (exchange.aborted) return
      exchange.guard(() => serving.handlers.request(exchange))
    })
    if (body !== undefined) sendBody(body, exchange.body).catch(leave)
    return { ...(await response.head), body: response.body() }
  }

  /** A handshake that comes as a request is one all the same: what can be read as an answer is its refusal. */
  async #refusalOf({ path, headers, address }: RequestParts, signal?: AbortSignal): Promise<RawStreamedResponse> {
    try {
      const socket = await this.connect({ path, headers, address, signal }, { frame() {}, closed() {} })
      socket.terminate()
    } catch (error) {
      if (!(error instanceof UpgradeRefused)) throw error
      return {
        status: error.status,
        headers: error.headers,
        setCookies: error.setCookies,
        body: once(error.body),
      }
    }
    throw new Error('the server switched to the WebSocket protocol: open sockets with connect()')
  }

  #accept(): Serving {
    if (this.#serving === null || !this.#serving.accepting) throw refusedError()
    return this.#serving
  }

  #parts(serving: Serving, request: Omit<RawRequest, 'body' | 'signal'>): RequestParts {
    const { method, path, headers = {}, address } = request
    return { method, path, address, secure: this.#secure, headers: { host: `127.0.0.1:${serving.port}`, ...headers } }
  }
}

const handshakeHeaders = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** As uWS recognises a handshake: by the path and the length of the key. */
function isHandshake(serving: Serving, parts: RequestParts): boolean {
  const request = new MemoryRequest(parts, () => {})
  const { method, path } = request
  return method === 'GET' && path === serving.options.websocketPath && request.header('sec-websocket-key').length === 24
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** How the length of a body is told. */
function framing(body: RawRequest['body'], headers: RawHeaders = {}): Record<string, string> {
  const declared = Object.keys(headers).some((name) => /^(content-length|transfer-encoding)$/i.test(name))
  if (body === undefined || declared) return {}
  if (typeof body === 'string' || body instanceof Uint8Array)
    return { 'content-length': String(toOwnBytes(body).byteLength) }
  return { 'transfer-encoding': 'chunked' }
}

function reporter(serving: Serving): (error: unknown) => void {
  return (error) => serving.handlers.fault(error)
}
