import { BootError } from '../base/boot-error.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Broker } from './broker.ts'

/** Runs what the boot needs of the broker. Its errors become a BootError that says what they say. */
export async function bootStep({ name }: Broker, run: () => MaybePromise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (error instanceof BootError) throw error
    const message = error instanceof Error ? error.message : String(error)
    throw new BootError('unavailable_broker', `The broker '${name}' did not start: ${message}`, { cause: error })
  }
}
