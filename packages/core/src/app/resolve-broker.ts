import { BootError } from '../base/boot-error.ts'
import { readWorker, type WorkerIdentity } from '../base/cluster-worker.ts'
import type { Environment } from '../base/environment.ts'
import type { Broker } from '../hub/broker.ts'
import { memoryBroker } from '../hub/memory-broker.ts'

/** What to do about a broker that reaches one process. */
export const connectProcesses =
  'pass createApp a broker that connects processes, such as redisBroker() of @twinwire/broker-redis'

/**
 * The broker of an app, by default in memory.
 *
 * @throws BootError `conflicting_workers` in production, for a broker that reaches one of several workers.
 */
export function resolveBroker(
  given: Broker | undefined,
  environment: Environment,
  worker: WorkerIdentity | null = readWorker(),
): Broker {
  const broker = given ?? memoryBroker()
  if (!broker.oneProcess || environment !== 'production' || worker === null || worker.workers === 1) return broker
  throw new BootError(
    'conflicting_workers',
    `The broker is ${broker.name}, which reaches the connections of one process, and this is one of ${worker.workers} workers: ${connectProcesses}, or set workers to 1`,
  )
}
