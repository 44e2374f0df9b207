import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call } from './call.ts'

// Costs nothing before the first `run`, which only an app with `asyncContext` calls.
const storage = new AsyncLocalStorage<Call>()

/**
 * The call that this code runs for, at any depth of functions; null outside of a call, and always without `createApp({ asyncContext: true })`.
 *
 * @example
 * currentCall()?.log.info('Three functions below the handler')
 */
export function currentCall(): Call | null {
  return storage.getStore() ?? null
}

/** Runs `work`, and everything it starts, on behalf of `call`. */
export function runWithCall<C extends Call>(call: C, work: (call: C) => void): void {
  storage.run(call, work, call)
}

/** Returns `callback`, bound to the current call and to the current trace: native code does not keep them. */
export function withCurrentCall<A extends readonly unknown[]>(callback: (...args: A) => void): (...args: A) => void {
  return AsyncLocalStorage.bind(callback)
}
