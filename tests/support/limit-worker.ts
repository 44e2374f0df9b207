import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { WorkerTask } from './limit-worker-app.ts'

export interface LimitWorker {
  /** One task at a time. */
  run(task: WorkerTask): Promise<readonly boolean[]>
  /** SIGKILL. */
  kill(): Promise<void>
}

export async function startLimitWorker(
  options: Extract<WorkerTask, { kind: 'open' }>['options'],
): Promise<LimitWorker> {
  const file = fileURLToPath(new URL('./limit-worker-app.ts', import.meta.url))
  const child = fork(file, { execArgv: ['--conditions=@twinwire/source', '--import', 'tsx'], stdio: 'inherit' })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const worker: LimitWorker = {
    async run(task) {
      const ended = exited.then((): never => {
        throw new Error('The worker has ended')
      })
      child.send(task)
      const [answer] = await Promise.race([once(child, 'message'), ended])
      return answer
    },
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
  await worker.run({ kind: 'open', options })
  return worker
}
