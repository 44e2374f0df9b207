import type { MaybePromise } from '../../base/maybe-promise.ts'

/** A promise and the function that settles it. */
export function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** A function that records the arguments of each call. */
export interface Recorder {
  (...args: unknown[]): void
  readonly calls: readonly unknown[][]
}

export function recorder(): Recorder {
  const calls: unknown[][] = []
  return Object.assign((...args: unknown[]) => void calls.push(args), { calls })
}

/** What `attempt` returns when it no longer throws; after `timeoutMs`, its last error. */
export async function eventually<T>(attempt: () => MaybePromise<T>, timeoutMs: number = 15_000): Promise<T> {
  const endMs = performance.now() + timeoutMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > endMs) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
