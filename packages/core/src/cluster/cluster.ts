import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { BootError } from '../base/boot-error.ts'
import { isOrphan, readWorker } from '../base/cluster-worker.ts'
import { type ClusterOptions, resolveClusterOptions } from './options.ts'

/** What a process is: the parent of workers, one of them, or without workers. */
export type ClusterRole = 'parent' | 'worker' | 'single'

let called = false

/**
 * Runs an app in several processes on one port. The process that calls it starts the same file once for each worker; there `cluster()` calls
 * `run`, which creates the app and listens. With one worker, and no `endpoint`,
 * `run` is called in this process, and nothing else happens.
 *
 * The parent replaces a worker that dies. On SIGTERM and SIGINT it drains all workers and exits; on SIGHUP it replaces them one after another,
 * each when its successor serves. Linux only.
 *
 * Resolves with the role of this process: `parent` when every worker serves or has failed once, `worker` and `single` when `run` has
 * resolved. In the parent it rejects with the error of the first worker.
 *
 * @throws BootError `unavailable_cluster`, `failed_worker`, `bad_option`, `unknown_option`, and what the boot of the first worker throws.
 *
 * @example
 * // main.ts: whatever the workers import is not loaded by the parent.
 * await cluster({ workers: 4, run: () => import('./server.js') })
 */
export async function cluster(options: ClusterOptions): Promise<ClusterRole> {
  if (called) throw new BootError('wrong_state', 'cluster() was already called in this process: call it once')
  called = true
  const resolved = resolveClusterOptions(options)
  const worker = readWorker()
  if (worker !== null) {
    const { runWorker } = await import('./worker.ts')
    await runWorker(worker, resolved.run)
    return 'worker'
  }
  // It would be the parent of a cluster of its own, which no one knows of.
  if (isOrphan()) throw new BootError('failed_worker', 'The parent of this worker has ended: start the cluster again')
  if (resolved.workers === 1 && resolved.endpoint === null) {
    await resolved.run()
    return 'single'
  }
  checkCluster({ platform: process.platform, isMainThread })
  // Not loaded by a process without workers.
  const { runParent } = await import('./run-parent.ts')
  await runParent(resolved)
  return 'parent'
}

/** @throws BootError `unavailable_cluster` */
export function checkCluster(here: { readonly platform: string; readonly isMainThread: boolean }): void {
  if (here.platform !== 'linux')
    throw new BootError(
      'unavailable_cluster',
      `cluster() requires Linux, where processes can share a port (this is ${here.platform}): set workers to 1, without endpoint`,
    )
  if (!here.isMainThread)
    throw new BootError('unavailable_cluster', 'cluster() must be called in the main thread of a process')
}
