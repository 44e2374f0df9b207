import { findBadHeader } from '../../transport/answer-rules.ts'
import type { HeaderList, SocketListener, TransportHandlers, UpgradeRequest } from '../../transport/transport.ts'
import { UpgradeRefused } from '../raw-types.ts'
import { later, resetError, toHeaderRecord, toOwnBytes, toSetCookies, withoutFraming } from './memory-network.ts'
import { type MemoryClientEvents, type MemoryClientSocket, MemoryPeer } from './memory-peer.ts'
import { MemoryRequest, type RequestParts } from './memory-request.ts'
import { MemorySocket, type SocketSurroundings } from './memory-socket.ts'

/** The client's side of a handshake. */
export interface UpgradeClient {
  readonly protocols: readonly string[]
  readonly events: MemoryClientEvents
  /** Nothing of this handshake or of its socket is left. */
  readonly onGone: () => void
}

/** One handshake, and afterwards what holds the two ends of its socket together. */
export class MemoryUpgrade extends MemoryRequest implements UpgradeRequest {
  /** What the client gets: its socket, or an error. */
  readonly answer: Promise<MemoryClientSocket>
  readonly #around: SocketSurroundings
  readonly #client: UpgradeClient
  #resolve: (socket: MemoryClientSocket) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #answered = false
  #socket: MemorySocket | null = null
  #peer: MemoryPeer | null = null

  constructor(parts: RequestParts, around: SocketSurroundings, client: UpgradeClient) {
    super(parts, around.fault)
    this.#around = around
    this.#client = client
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** The handshake reaches the server. */
  arrive(handlers: TransportHandlers): void {
    if (this.aborted) return
    try {
      handlers.upgrade(this)
    } catch (error) {
      this.#fail(error)
    }
  }

  accept(listener: SocketListener, protocol = ''): void {
    if (this.#isBad([['sec-websocket-protocol', protocol]]) || !this.#answer()) return
    // As uWS does: only the part before the first comma is sent.
    const chosen = protocol.split(',', 1)[0] ?? ''
    const peer = new MemoryPeer(chosen, this.#client.events, this.#client.onGone)
    const socket = new MemorySocket(listener, peer, this.#around)
    peer.attach(socket)
    this.#peer = peer
    this.#socket = socket
    later(() => {
      if (isAgreed(this.#client.protocols, chosen)) return this.#resolve(peer)
      peer.terminate()
      this.#reject(
        new Error(`the server chose the sub-protocol '${chosen}', offered were: ${this.#client.protocols.join(', ')}`),
      )
    })
    socket.start()
  }

  reject(status: number, headers: HeaderList, body: string): void {
    if (this.#isBad(headers) || !this.#answer()) return
    const bytes = toOwnBytes(body)
    const closing: HeaderList = this.malformed === null ? [] : [['connection', 'close']]
    const length = ['content-length', String(bytes.byteLength)] as const
    const record = toHeaderRecord([...withoutFraming(headers), length, ...closing])
    later(() =>
      this.#reject(new UpgradeRefused({ status, headers: record, setCookies: toSetCookies(headers), body: bytes })),
    )
    this.#client.onGone()
  }

  /** The client leaves before it has its socket. */
  hangUp(reason: unknown): void {
    this.#reject(reason)
    this.#peer?.terminate()
    later(() => {
      this.leave()
      this.#peer?.terminate()
      this.#client.onGone()
    })
  }

  /** The transport is closed. */
  cut(): void {
    if (this.#socket !== null) {
      this.#socket.close()
      return
    }
    later(() => this.#reject(resetError()))
    this.leave()
    this.#client.onGone()
  }

  #fail(error: unknown): void {
    this.#around.fault(error)
    if (this.#socket === null) this.reject(500, [], '')
    else this.#socket.close()
  }

  /** What would break the answer is a fault of the handler. */
  #isBad(headers: HeaderList): boolean {
    const bad = this.#answered || this.aborted ? null : findBadHeader(headers)
    if (bad !== null) this.#fail(bad)
    return bad !== null
  }

  #answer(): boolean {
    if (this.#answered || this.aborted) return false
    this.#answered = true
    this.settle()
    return true
  }
}

/** What a client checks: a protocol must be chosen from those that it offered, and none when it offered none. */
function isAgreed(offered: readonly string[], chosen: string): boolean {
  return offered.length === 0 ? chosen === '' : offered.includes(chosen)
}
