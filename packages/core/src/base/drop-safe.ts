/** Receives promises that have rejected and that nothing has handled. */
export interface DropListener {
  /** `promise` is its name: `connection.join`. */
  dropped(error: unknown, promise: string): void
}

/** Captured when the module loads, so that fake timers of a test cannot disable it. */
const { setImmediate } = globalThis
const nativeThen = Promise.prototype.then
const ignore = (): void => {}

/**
 * A promise that may be dropped: if it rejects and nothing has handled it, its listener is called, and there is no unhandled
 * rejection of the process. A promise that is awaited, or has a `then`, `catch` or `finally`, behaves like any other.
 *
 * `await` calls `then` on a subclass (on a native promise it would not), which is how it detects that it is handled.
 */
class DropSafePromise<T> extends Promise<T> {
  #handled = false

  /** `then`, `catch` and `finally` return plain promises, which the caller is responsible for. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  // biome-ignore lint/suspicious/noThenProperty: a promise has one
  override then<A = T, B = never>(
    onResolved?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#handled = true
    return super.then(onResolved, onRejected)
  }

  static follow<T>(work: Promise<T>, name: string, listener: DropListener): Promise<T> {
    let resolve: (value: T) => void = ignore
    let reject: (error: unknown) => void = ignore
    const promise = new DropSafePromise<T>((onResolved, onRejected) => {
      resolve = onResolved
      reject = onRejected
    })
    // `resolve` itself, without a wrapper: V8 follows it, so that the stack of an error shows where the promise was awaited.
    work.then(resolve, (error: unknown) => {
      if (!promise.#handled) promise.#drop(error, name, listener)
      reject(error)
    })
    return promise
  }

  #drop(error: unknown, name: string, listener: DropListener): void {
    void nativeThen.call(this, undefined, ignore)
    // As long as Node waits, and a little longer: a handler may still be added within this turn of the event loop.
    setImmediate(() => {
      if (!this.#handled) listener.dropped(error, name)
    })
  }
}

/**
 * Makes a promise safe to drop. Every promise that core returns to an application passes through here.
 *
 * @param name - Name of the promise for the log: `connection.join`.
 */
export function dropSafe<T>(work: Promise<T>, name: string, listener: DropListener): Promise<T> {
  return DropSafePromise.follow(work, name, listener)
}

/** For promises without an app: a warning of the process. */
export const warnOfDropped: DropListener = {
  dropped(error, promise) {
    const text = error instanceof Error ? error.stack : String(error)
    process.emitWarning(`${promise} failed, and nothing awaited it: ${text}`, 'UnhandledRejection')
  },
}
