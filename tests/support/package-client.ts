import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A package as the server sends it; a reply has `status_code` and `meta`, an event has not. */
export interface ReceivedFrame {
  readonly pkg_id: number
  readonly req_id: string
  readonly status_code?: number
  readonly meta?: unknown
  readonly data: unknown
}

/** A frame that is not a package: it has a type. */
export interface ControlFrame {
  readonly type: string
  readonly [key: string]: unknown
}

const answerWithinMs = 20_000

/** A client of packages that shares no code with ours: `ws`, and the little that the contract asks for. */
export class PackageClient {
  readonly #socket: WebSocket
  readonly #replies = new Map<string, (frame: ReceivedFrame) => void>()
  readonly #listeners = new Set<() => void>()
  /** Events since the connection was opened, in order. */
  readonly events: ReceivedFrame[] = []
  /** Control frames since then: `auth_ok` and similar. */
  readonly control: ControlFrame[] = []
  /** The close code, once it is closed. */
  readonly closed: Promise<number>

  private constructor(socket: WebSocket) {
    this.#socket = socket
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.on('message', (message) => this.#receive(JSON.parse(String(message))))
  }

  /** With a token, it is in the upgrade: the first frame that comes is `auth_ok`. */
  static async connect(url: string, token?: string): Promise<PackageClient> {
    const socket = new WebSocket(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
    const client = new PackageClient(socket)
    await once(socket, 'open')
    return client
  }

  /** Resolves with the reply, whatever its status. */
  call(pkgId: number, data?: object, reqId: string = randomUUID()): Promise<ReceivedFrame> {
    const reply = new Promise<ReceivedFrame>((resolve) => this.#replies.set(reqId, resolve))
    this.#socket.send(JSON.stringify({ pkg_id: pkgId, req_id: reqId, method: '', data }))
    return Promise.race([reply, this.#late(`No reply to package ${pkgId}`)])
  }

  /** Resolves as soon as `count` events are there. */
  async received(count: number): Promise<void> {
    await this.#until(() => this.events.length >= count, `No event number ${count}`)
  }

  /** Sends an `auth` frame. What comes of it is in `control`, or closes the connection. */
  authenticate(token: string): void {
    this.#socket.send(JSON.stringify({ type: 'auth', token: `Bearer ${token}` }))
  }

  /** Resolves as soon as `count` control frames are there. */
  async controlled(count: number): Promise<void> {
    await this.#until(() => this.control.length >= count, `No control frame number ${count}`)
  }

  async close(): Promise<void> {
    this.#socket.close()
    await this.closed
  }

  #receive(frame: ReceivedFrame | ControlFrame): void {
    if (isControl(frame)) {
      this.control.push(frame)
    } else if (frame.status_code === undefined) {
      this.events.push(frame)
    } else {
      this.#replies.get(frame.req_id)?.(frame)
      this.#replies.delete(frame.req_id)
      return
    }
    for (const look of this.#listeners) look()
  }

  async #until(holds: () => boolean, message: string): Promise<void> {
    if (holds()) return
    const there = new Promise<void>((resolve) => {
      const look = (): void => {
        if (!holds()) return
        this.#listeners.delete(look)
        resolve()
      }
      this.#listeners.add(look)
    })
    await Promise.race([there, this.#late(message)])
  }

  #late(message: string): Promise<never> {
    return new Promise((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`${message} within ${answerWithinMs} ms`)), answerWithinMs)
      timer.unref()
      void this.closed.then((code) => reject(new Error(`${message}: the connection was closed with ${code}`)))
    })
  }
}

function isControl(frame: ReceivedFrame | ControlFrame): frame is ControlFrame {
  return 'type' in frame
}
