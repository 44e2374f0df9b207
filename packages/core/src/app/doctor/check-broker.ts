import { readWorker, type WorkerIdentity } from '../../base/cluster-worker.ts'
import { type Finding, ok, warn } from '../../base/finding.ts'
import { connectProcesses } from '../resolve-broker.ts'
import type { ResolvedOptions } from '../resolve-options.ts'

/** Which connections publications reach. In production several workers with a broker of one process do not boot. How many processes of the app run is known in a worker of a cluster only. */
export function checkBroker(
  { broker, environment }: Pick<ResolvedOptions, 'broker' | 'environment'>,
  worker: WorkerIdentity | null = readWorker(),
): Finding {
  const { name, oneProcess } = broker
  if (!oneProcess) return ok('broker', `The broker is ${name}: publications reach the connections of every process`)
  const reach = `The broker is ${name}: publications reach the connections of this process only`
  if (worker !== null && worker.workers > 1) {
    return warn('broker', `${reach}, and this is one of ${worker.workers} workers: ${connectProcesses}`)
  }
  return ok(
    'broker',
    environment === 'production' ? `${reach}; before the app runs as several, ${connectProcesses}` : reach,
  )
}
