import { AsyncLocalStorage } from 'node:async_hooks'
import type { Call } from './call.ts'

// Made once and free of charge: Node pays for it from the first `run` on, which only an app with `asyncContext` calls.
const storage = new AsyncLocalStorage<Call>()

/**
 * The call on whose behalf this code runs, however deep; null outside of one, and always without `createApp({ asyncContext: true })`.
 *
 * @example
 * currentCall()?.log.info('Three functions below the handler')
 */
export function currentCall(): Call | null {
  return storage.getStore() ?? null
}

/** Runs `work` and all that it sets off on behalf of `call`. */
export function runWithCall<C extends Call>(call: C, work: (call: C) => void): void {
  storage.run(call, work, call)
}

/** `callback`, to be run on behalf of the call that is current now: native code forgets it. */
export function withCurrentCall<A extends readonly unknown[]>(callback: (...args: A) => void): (...args: A) => void {
  return AsyncLocalStorage.bind(callback)
}
