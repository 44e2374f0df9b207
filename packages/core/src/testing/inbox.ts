import type { RawClosure, RawFrame } from './raw-client.ts'

const defaultTimeoutMs = 5000

/** Captured when the module loads, so that fake timers of a test do not stop its time limits. */
const { setTimeout, clearTimeout } = globalThis

interface Waiter<T> {
  readonly resolve: (item: T) => void
  readonly reject: (error: Error) => void
}

/** Keeps what arrives, in order, until the test reads it. */
export class Inbox<T> {
  readonly items: T[] = []
  readonly #label: string
  readonly #waiters = new Set<Waiter<T>>()
  #end: Error | null = null

  /** `label`: what an item is, for the message of a time limit. */
  constructor(label: string) {
    this.#label = label
  }

  push(item: T): void {
    for (const waiter of this.#waiters) return waiter.resolve(item)
    this.items.push(item)
  }

  /** Nothing arrives any more: readers get the error once the items are read. */
  end(error: Error): void {
    this.#end ??= error
    for (const waiter of this.#waiters) waiter.reject(this.#end)
  }

  next(timeoutMs: number = defaultTimeoutMs): Promise<T> {
    for (const item of this.items.splice(0, 1)) return Promise.resolve(item)
    if (this.#end !== null) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter<T> = {
        resolve: (next) => {
          settle()
          resolve(next)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      const late = (): void => waiter.reject(new Error(`No ${this.#label} arrived within ${timeoutMs} ms`))
      const timer = setTimeout(late, timeoutMs)
      this.#waiters.add(waiter)
    })
  }
}

/** The frames of one socket, and how it ended. */
export class FrameInbox {
  readonly closed: Promise<RawClosure>
  readonly #frames = new Inbox<RawFrame>('frame')
  #resolveClosed: (closure: RawClosure) => void = () => {}

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  get frames(): readonly RawFrame[] {
    return this.#frames.items
  }

  push(data: string | Uint8Array): void {
    this.#frames.push({ data, binary: typeof data !== 'string' })
  }

  end(code: number, reason: string): void {
    this.#resolveClosed({ code, reason })
    this.#frames.end(toClosedError('No more frames: the connection was closed', { code, reason }))
  }

  next(timeoutMs?: number): Promise<RawFrame> {
    return this.#frames.next(timeoutMs)
  }
}

export function toClosedError(what: string, { code, reason }: RawClosure): Error {
  return new Error(`${what} with ${code}${reason === '' ? '' : ` (${reason})`}`)
}
