import type { ClientSocket, SocketEvent } from '@twinwire/client/internal'
import type { MemoryClientSocket } from '../memory-transport/memory-peer.ts'
import type { MemoryTransport } from '../memory-transport/memory-transport.ts'
import type { RawConnect } from '../raw-types.ts'
import type { History } from './history.ts'
import type { Link, LinkUser, Pipe } from './link.ts'

/** A process of the app, as the network sees it. */
export interface ServerProcess {
  readonly name: string
  /** Null: it does not run. */
  readonly transport: MemoryTransport | null
  /** Called once, when the process is killed. Returns what stops it. */
  onKill(listener: () => void): () => void
}

export interface SocketRoute {
  readonly name: string
  readonly link: Link
  readonly history: History
  readonly connect: RawConnect
  /** A balancer chooses one for each connection. */
  readonly choose: () => ServerProcess | null
}

const abnormalClosure = 1006

/** The WebSocket of a simulated client: its frames travel over a link, in order, and end with it. */
export class SimulatedSocket implements ClientSocket, LinkUser {
  binaryType = 'arraybuffer'
  readonly #route: SocketRoute
  readonly #up: Pipe
  readonly #down: Pipe
  readonly #listeners: [string, (event: SocketEvent) => void][] = []
  #node: ServerProcess | null = null
  #peer: MemoryClientSocket | null = null
  #isOpen = true
  /** Nothing that the server sends from now on arrives. */
  #isCut = false
  #stopWatching: () => void = () => {}

  constructor(route: SocketRoute) {
    this.#route = route
    this.#up = route.link.pipe()
    this.#down = route.link.pipe()
    route.link.add(this)
    this.#up.send(() => this.#arrive())
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.push([type, listener])
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#isOpen || this.#isCut) return
    const sent = typeof frame === 'string' ? frame : frame.slice()
    this.#up.send(() => {
      this.#note('>', show(sent))
      this.#peer?.send(sent)
    })
  }

  close(code?: number, reason?: string): void {
    if (!this.#isOpen || this.#isCut) return
    this.#up.send(() => {
      this.#note('>', `close ${code ?? ''}`)
      this.#peer?.close(code, reason)
    })
  }

  cut(): void {
    if (this.#isCut || !this.#isOpen) return
    this.#isCut = true
    this.#up.lose()
    this.#down.lose()
    this.#up.send(() => {
      this.#note('>', 'cut')
      this.#peer?.terminate()
    })
    this.#down.send(() => this.#closed(abnormalClosure, '', 'cut'))
  }

  held(): void {
    this.#peer?.pause()
  }

  released(): void {
    this.#peer?.resume()
  }

  /** The handshake arrives at a process. */
  #arrive(): void {
    const { choose, connect } = this.#route
    const node = choose()
    if (node?.transport == null) return this.#refuse('no process serves')
    this.#node = node
    this.#stopWatching = node.onKill(() => this.#killed())
    const down = (deliver: () => void): void => {
      if (!this.#isCut) this.#down.send(deliver)
    }
    node.transport
      .connect(connect, {
        frame: (data) =>
          down(() => {
            this.#note('<', show(data))
            this.#emit('message', { data: typeof data === 'string' ? data : data.slice().buffer })
          }),
        closed: (code, reason) => down(() => this.#closed(code, reason, `close ${code} ${reason}`)),
      })
      .then(
        (peer) => {
          this.#peer = peer
          if (this.#isCut) return peer.terminate()
          if (this.#route.link.isHeld) peer.pause()
          down(() => {
            this.#note('<', 'open')
            this.#emit('open')
          })
        },
        (error: unknown) => this.#refuse(String(error)),
      )
  }

  #refuse(reason: string): void {
    if (this.#isCut) return
    this.#down.send(() => this.#closed(abnormalClosure, '', `not connected: ${reason}`))
  }

  /** What the process has sent may still arrive; it learns of nothing any more. */
  #killed(): void {
    if (this.#isCut) return
    this.#isCut = true
    this.#peer?.pause()
    this.#peer = null
    this.#up.drop()
    this.#down.lose()
    this.#down.send(() => this.#closed(abnormalClosure, '', 'cut'))
  }

  #closed(code: number, reason: string, note: string): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#isCut = true
    this.#stopWatching()
    this.#route.link.remove(this)
    this.#note('<', note)
    this.#emit('close', { code, reason })
  }

  #emit(type: string, event: Partial<SocketEvent> = {}): void {
    for (const [of, listener] of this.#listeners) if (of === type) listener({ type, ...event })
  }

  #note(arrow: '>' | '<', what: string): void {
    this.#route.history.add(`${this.#route.name} ${arrow} ${this.#node?.name ?? '?'}: ${what}`)
  }
}

function show(frame: string | Uint8Array): string {
  return typeof frame === 'string' ? frame : `${frame.byteLength} bytes: ${Buffer.from(frame).toString('base64')}`
}
