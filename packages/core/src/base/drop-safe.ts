import process from 'node:process'

/** Is told of a promise that has failed and that nothing had handled. */
export interface DropListener {
  /** `promise` names it: `connection.join`. */
  dropped(error: unknown, promise: string): void
}

/** Taken when the module loads: fake timers of a test must not silence it. */
const { setImmediate } = globalThis
const nativeThen = Promise.prototype.then
const ignore = (): void => {}

/**
 * A promise that may be dropped: one that fails and that nothing has handled tells its listener, and is never an unhandled
 * rejection of the process. One that is awaited, or has a `then`, `catch` or `finally`, behaves as any other.
 *
 * `await` calls `then` on a subclass (on a native promise it would not), which is how it knows that something handles it.
 */
class DropSafePromise<T> extends Promise<T> {
  #handled = false

  /** What `then` and its kin make is a plain promise: it belongs to whoever asked for it. */
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
    // `resolve` itself and no function around it: V8 follows it, so that the stack of an error names who awaited the promise.
    work.then(resolve, (error: unknown) => {
      if (!promise.#handled) promise.#drop(error, name, listener)
      reject(error)
    })
    return promise
  }

  #drop(error: unknown, name: string, listener: DropListener): void {
    void nativeThen.call(this, undefined, ignore)
    // As long as Node waits, and a little longer: a handler may still come within this turn of the event loop.
    setImmediate(() => {
      if (!this.#handled) listener.dropped(error, name)
    })
  }
}

/**
 * Makes a promise of ours safe to be dropped. Every promise that is handed to an application goes through here.
 *
 * @param name - What failed, for the log: `connection.join`.
 */
export function dropSafe<T>(work: Promise<T>, name: string, listener: DropListener): Promise<T> {
  return DropSafePromise.follow(work, name, listener)
}

/** For promises of no app: a warning of the process. */
export const warnOfDropped: DropListener = {
  dropped(error, promise) {
    const text = error instanceof Error ? error.stack : String(error)
    process.emitWarning(`${promise} failed, and nothing awaited it: ${text}`, 'UnhandledRejection')
  },
}
