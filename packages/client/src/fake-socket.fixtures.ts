import { vi } from 'vitest'
import { createClient } from './client.ts'
import type { AnyApp, Client, ClientOptions } from './client-types.ts'
import type { ClientSocket, SocketEvent } from './environment.ts'
import type { Manifest } from './manifest.ts'

type Frame = Readonly<Record<string, unknown>>

/** A WebSocket whose server is the test. */
export class FakeSocket implements ClientSocket {
  binaryType = 'blob'
  readonly url: string
  readonly sent: Frame[] = []
  closedWith: number | null = null
  readonly #listeners: [string, (event: SocketEvent) => void][] = []

  constructor(url: string) {
    this.url = url
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.push([type, listener])
  }

  send(frame: string | Uint8Array): void {
    this.sent.push(JSON.parse(String(frame)))
  }

  close(code = 1005): void {
    this.closedWith = code
  }

  /** What the environment reports. */
  emit(type: string, event: Partial<SocketEvent> = {}): void {
    for (const [of, listener] of this.#listeners) if (of === type) listener({ type, ...event })
  }

  receive(frame: Frame): void {
    this.emit('message', { data: JSON.stringify(frame) })
  }

  /** The frames of that type, or the packages without one. */
  frames(type?: string): readonly Frame[] {
    return this.sent.filter((frame) => frame.type === type)
  }

  /** Replies to the call that was sent last. */
  reply(data: unknown): void {
    const { pkg_id, req_id } = this.frames().at(-1) ?? {}
    this.receive({ pkg_id, req_id, status_code: 0, data })
  }
}

const manifest: Manifest = {
  version: 1,
  path: '/ws',
  maxMessageBytes: 200,
  routes: {
    GET: { pkgId: 1, http: 'GET /things/:id' },
    ONCE: { pkgId: 2, http: 'POST /things', once: true },
    TAIL: { pkgId: 3, http: 'GET /tail', reply: 'stream' },
  },
  events: { MOVED: { pkgId: 10 } },
  closes: [],
}

/** A client, and the sockets that it has opened. */
export function createFakeClient<A extends AnyApp = AnyApp>(
  options: Partial<ClientOptions> = {},
): {
  client: Client<A>
  sockets: FakeSocket[]
  /** The last one. */
  socket: () => FakeSocket
  /** Opens the last one as a server does that asks for no token. */
  open: () => Promise<FakeSocket>
} {
  const sockets: FakeSocket[] = []
  class Recorded extends FakeSocket {
    constructor(url: string) {
      super(url)
      sockets.push(this)
    }
  }
  const socket = (): FakeSocket => {
    const last = sockets.at(-1)
    if (last === undefined) throw new Error('No socket was opened')
    return last
  }
  const client = createClient<A>({ url: 'http://host', manifest, WebSocket: Recorded, ...options })
  const open = async (): Promise<FakeSocket> => {
    await vi.advanceTimersByTimeAsync(0)
    socket().emit('open')
    return socket()
  }
  return { client, sockets, socket, open }
}
