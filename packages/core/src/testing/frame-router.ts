import type { RawClosure, RawSocket } from './raw-client.ts'

type Package = Readonly<Record<string, unknown>>

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

const defaultTimeoutMs = 5000
/** The longest that a timer takes: whoever waits for a frame has a limit of his own. */
const noLimitMs = 2 ** 31 - 1

/** Taken when the module loads: a test's fake timers must not stop its own time-outs. */
const { setTimeout, clearTimeout } = globalThis

/** Keeps what came until somebody asks for it. */
export class EventBox {
  readonly #label: string
  readonly #items: unknown[] = []
  readonly #waiters = new Set<Waiter>()
  #end: Error | null = null

  constructor(label: string) {
    this.#label = label
  }

  put(item: unknown): void {
    for (const waiter of this.#waiters) return waiter.resolve(item)
    this.#items.push(item)
  }

  end(error: Error): void {
    this.#end = error
    for (const waiter of this.#waiters) waiter.reject(error)
  }

  next(timeoutMs: number = defaultTimeoutMs): Promise<unknown> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift())
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        resolve: (item) => {
          done()
          resolve(item)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      }
      const timer = setTimeout(
        () => waiter.reject(new Error(`no ${this.#label} came within ${timeoutMs} ms`)),
        timeoutMs,
      )
      this.#waiters.add(waiter)
    })
  }
}

/** Leads each frame of a socket to who waits for it: a reply to its call, an event to its box. */
export class FrameRouter {
  readonly controls: EventBox = new EventBox('control frame')
  readonly strays: EventBox = new EventBox('reply')
  readonly #socket: RawSocket
  readonly #replies = new Map<string, Waiter>()
  readonly #events = new Map<number, EventBox>()
  #closed: Error | null = null

  constructor(socket: RawSocket) {
    this.#socket = socket
    void this.#read()
  }

  /** The reply with that `req_id`. */
  expect(reqId: string): Promise<Package> {
    if (this.#closed !== null) return Promise.reject(this.#closed)
    return new Promise((resolve, reject) => {
      this.#replies.set(reqId, { resolve: (value) => resolve(value as Package), reject })
    })
  }

  events(pkgId: number): EventBox {
    let box = this.#events.get(pkgId)
    if (box === undefined) {
      box = new EventBox(`event ${pkgId}`)
      if (this.#closed !== null) box.end(this.#closed)
      this.#events.set(pkgId, box)
    }
    return box
  }

  async #read(): Promise<void> {
    try {
      for (;;) this.#take((await this.#socket.next(noLimitMs)).data)
    } catch {
      this.#finish(await this.#socket.closed)
    }
  }

  #take(data: string | Uint8Array): void {
    // What our own server sends is an object.
    const frame = JSON.parse(typeof data === 'string' ? data : new TextDecoder().decode(data)) as Package
    if (typeof frame.pkg_id !== 'number') return this.controls.put(frame)
    if (!('status_code' in frame)) return this.events(frame.pkg_id).put(frame.data)
    const reqId = String(frame.req_id)
    const waiter = this.#replies.get(reqId)
    if (waiter === undefined) return this.strays.put(frame)
    this.#replies.delete(reqId)
    waiter.resolve(frame)
  }

  #finish({ code, reason }: RawClosure): void {
    const error = new Error(`the connection was closed with ${code}${reason === '' ? '' : ` (${reason})`}`)
    this.#closed = error
    for (const box of [this.controls, this.strays, ...this.#events.values()]) box.end(error)
    for (const waiter of this.#replies.values()) waiter.reject(error)
    this.#replies.clear()
  }
}
