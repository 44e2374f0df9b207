import process from 'node:process'
import { isMainThread } from 'node:worker_threads'
import { watchSignals } from '../app/lifecycle/signals.ts'
import { BootError } from '../base/boot-error.ts'
import { systemClock } from '../base/clock.ts'
import { readWorker } from '../base/cluster-worker.ts'
import { type ClusterOptions, type ResolvedClusterOptions, resolveClusterOptions } from './options.ts'
import { ClusterParent } from './parent.ts'
import { runWorker } from './worker.ts'

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
    await runWorker(worker, resolved.run)
    return 'worker'
  }
  if (resolved.workers === 1 && resolved.endpoint === null) {
    await resolved.run()
    return 'single'
  }
  checkCluster({ platform: process.platform, isMainThread })
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

async function runParent(options: ResolvedClusterOptions): Promise<void> {
  const parent = new ClusterParent(options, () => {
    void parent.close().then(() => process.exit(1))
  })
  // While no worker runs, only timers are left, which do not keep a process alive.
  const keepAlive = setInterval(() => {}, 60_000)
  const replace = (): void => void parent.replace()
  process.on('SIGHUP', replace)
  const stopWatching = watchSignals(
    {
      async close() {
        if (!(await parent.close())) throw new Error('A worker was killed')
      },
    },
    {
      on: (signal, listener) => process.on(signal, listener),
      off: (signal, listener) => process.off(signal, listener),
      exit(code) {
        parent.kill()
        process.exit(code)
      },
    },
    systemClock,
  )
  try {
    await parent.start()
  } catch (error) {
    // A signal ended the start; its handler exits.
    if (parent.closing) return
    await parent.close()
    process.off('SIGHUP', replace)
    stopWatching()
    clearInterval(keepAlive)
    throw error
  }
}
