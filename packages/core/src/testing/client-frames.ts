import { Inbox, toClosedError } from './inbox.ts'
import type { RawClosure, RawSocket } from './raw-client.ts'

type Package = Readonly<Record<string, unknown>>

interface PendingCall {
  readonly resolve: (reply: Package) => void
  readonly reject: (error: Error) => void
}

/** The longest delay of a timer: each reader of an inbox has a time limit of its own. */
const noLimitMs = 2 ** 31 - 1

/** Reads the frames of a socket and sorts them: replies by their call, events by their PkgID. */
export class ClientFrames {
  readonly controls: Inbox<Package> = new Inbox('control frame')
  /** Replies without a pending call. */
  readonly strays: Inbox<Package> = new Inbox('reply')
  readonly #socket: RawSocket
  readonly #calls = new Map<string, PendingCall>()
  readonly #events = new Map<number, Inbox<unknown>>()
  #closed: Error | null = null

  constructor(socket: RawSocket) {
    this.#socket = socket
    void this.#read()
  }

  /** The reply with that `req_id`. */
  reply(reqId: string): Promise<Package> {
    if (this.#closed !== null) return Promise.reject(this.#closed)
    return new Promise((resolve, reject) => {
      this.#calls.set(reqId, { resolve, reject })
    })
  }

  events(pkgId: number): Inbox<unknown> {
    let events = this.#events.get(pkgId)
    if (events === undefined) {
      events = new Inbox(`event ${pkgId}`)
      if (this.#closed !== null) events.end(this.#closed)
      this.#events.set(pkgId, events)
    }
    return events
  }

  async #read(): Promise<void> {
    try {
      for (;;) this.#sort((await this.#socket.next(noLimitMs)).data)
    } catch {
      this.#finish(await this.#socket.closed)
    }
  }

  #sort(data: string | Uint8Array): void {
    // The server sends objects only.
    const frame: Package = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data))
    if (typeof frame.pkg_id !== 'number') return this.controls.push(frame)
    if (!('status_code' in frame)) return this.events(frame.pkg_id).push(frame.data)
    const reqId = String(frame.req_id)
    const call = this.#calls.get(reqId)
    if (call === undefined) return this.strays.push(frame)
    this.#calls.delete(reqId)
    call.resolve(frame)
  }

  #finish(closure: RawClosure): void {
    const error = toClosedError('The connection was closed', closure)
    this.#closed = error
    for (const inbox of [this.controls, this.strays, ...this.#events.values()]) inbox.end(error)
    for (const call of this.#calls.values()) call.reject(error)
    this.#calls.clear()
  }
}
