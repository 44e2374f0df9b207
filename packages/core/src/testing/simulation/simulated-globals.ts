import nodeCrypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import nodeTimers from 'node:timers/promises'
import type { Clock, Timer } from '../../base/clock.ts'
import type { SeededRandom } from './seeded-random.ts'

/**
 * Replaces what code of an application takes time and randomness from: `Date`, `performance.now`, `setTimeout`, `setInterval`, `Math.random`,
 * `setTimeout` of `node:timers/promises`, and random values and UUIDs of `crypto`, also imported from `node:crypto`. Returns what restores them.
 *
 * Not replaced: `setImmediate`, `process.hrtime`, `AbortSignal.timeout`, the rest of `node:timers` and `node:timers/promises`.
 */
export function replaceGlobals(clock: Clock, math: SeededRandom, ids: SeededRandom): () => void {
  const fill = <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    for (let i = 0; i < bytes.length; i++) bytes[i] = ids.integer(0, 255)
    return view
  }
  const randomUUID = (): string => toUuid(fill(Buffer.alloc(16)))
  const randomBytes = (size: number, done?: (error: null, bytes: Buffer) => void): Buffer | undefined => {
    const bytes = fill(Buffer.alloc(size))
    if (done === undefined) return bytes
    setImmediate(() => done(null, bytes))
    return undefined
  }
  const restores = [
    ...replaceTimers(clock),
    replace(globalThis, 'Date', simulatedDate(clock)),
    replace(performance, 'now', () => clock.monotonic()),
    replace(Math, 'random', () => math.float()),
    replace(crypto, 'randomUUID', randomUUID),
    replace(crypto, 'getRandomValues', fill),
    replace(nodeTimers, 'setTimeout', pauseBy(clock)),
    replace(nodeCrypto, 'randomUUID', randomUUID),
    replace(nodeCrypto, 'randomBytes', randomBytes),
  ]
  syncBuiltinESMExports()
  return () => {
    for (const restore of restores) restore()
    syncBuiltinESMExports()
  }
}

/** `Date` itself, with another present: `instanceof` still holds. */
function simulatedDate(clock: Clock): DateConstructor {
  return new Proxy(Date, {
    construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [clock.now()] : args, made),
    apply: (target) => new target(clock.now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? () => clock.now() : Reflect.get(target, key, receiver)),
  })
}

/** As Node.js returns it; it never keeps the process alive. */
class SimulatedTimeout {
  readonly #start: () => Timer
  #timer: Timer

  constructor(start: () => Timer) {
    this.#start = start
    this.#timer = start()
  }

  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
  refresh(): this {
    this.#timer.cancel()
    this.#timer = this.#start()
    return this
  }
  close(): this {
    this.#timer.cancel()
    return this
  }
}

type Callback = (...args: unknown[]) => void

function replaceTimers(clock: Clock): (() => void)[] {
  const { clearTimeout: clearReal } = globalThis
  const set = (run: Callback, ms = 0, ...args: unknown[]): SimulatedTimeout =>
    new SimulatedTimeout(() => clock.timer(ms, () => run(...args)))
  const repeat = (run: Callback, ms = 0, ...args: unknown[]): SimulatedTimeout => {
    const timeout: SimulatedTimeout = new SimulatedTimeout(() =>
      clock.timer(Math.max(ms, 1), () => {
        timeout.refresh()
        run(...args)
      }),
    )
    return timeout
  }
  const clear = (given: unknown): void => {
    if (given instanceof SimulatedTimeout) given.close()
    // Set before the simulation.
    else if (isTimeout(given)) clearReal(given)
  }
  return [
    replace(globalThis, 'setTimeout', set),
    replace(globalThis, 'clearTimeout', clear),
    replace(globalThis, 'setInterval', repeat),
    replace(globalThis, 'clearInterval', clear),
  ]
}

/** `setTimeout` of `node:timers/promises`. */
function pauseBy(clock: Clock) {
  return <T>(ms = 0, value?: T, { signal }: { readonly signal?: AbortSignal } = {}): Promise<T | undefined> =>
    new Promise((resolve, reject) => {
      const abort = (): void => {
        timer.cancel()
        // As Node.js does: an AbortError whose cause is the reason.
        reject(Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), abortError))
      }
      const timer = clock.timer(ms, () => {
        signal?.removeEventListener('abort', abort)
        resolve(value)
      })
      if (signal?.aborted) abort()
      else signal?.addEventListener('abort', abort, { once: true })
    })
}

const abortError = { name: 'AbortError', code: 'ABORT_ERR' } as const

function isTimeout(value: unknown): value is NodeJS.Timeout {
  return typeof value === 'object' && value !== null && 'hasRef' in value
}

function toUuid(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** Returns what restores it. */
function replace(target: object, key: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, key)
  Object.defineProperty(target, key, {
    value,
    configurable: true,
    writable: true,
    enumerable: before?.enumerable ?? true,
  })
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, key)
    else Object.defineProperty(target, key, before)
  }
}
