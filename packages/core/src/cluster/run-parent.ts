import process from 'node:process'
import { watchSignals } from '../app/lifecycle/signals.ts'
import { systemClock } from '../base/clock.ts'
import type { ResolvedClusterOptions } from './options.ts'
import { ClusterParent } from './parent.ts'

/** Runs in the parent. Resolves when every worker serves or has failed once. */
export async function runParent(options: ResolvedClusterOptions): Promise<void> {
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
