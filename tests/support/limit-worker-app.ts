// A process with its own store, to test limits over several processes.
import process from 'node:process'
import type { Charge, Lease, RedisStoreOptions } from '@twinwire/plugin-ratelimit'
import { openRedisStore } from './limit-store.ts'

/** A worker runs one task after the other and sends a list for each. */
export type WorkerTask =
  | { readonly kind: 'open'; readonly options: RedisStoreOptions }
  /** Concurrent callers: was each one allowed? */
  | { readonly kind: 'consume'; readonly charges: readonly Charge[]; readonly callers: number }
  /** Was each lease acquired? */
  | { readonly kind: 'acquire'; readonly leases: readonly Lease[]; readonly ttlMs: number }

let store: Awaited<ReturnType<typeof openRedisStore>> | null = null

async function run(task: WorkerTask): Promise<readonly boolean[]> {
  if (task.kind === 'open') {
    store = await openRedisStore(task.options)
    return [true]
  }
  const opened = store
  if (opened === null) throw new Error('The first task must be open')
  if (task.kind === 'acquire') {
    return Promise.all(task.leases.map(async (lease) => (await opened.acquire(lease, task.ttlMs)) === null))
  }
  return Promise.all(Array.from({ length: task.callers }, async () => (await opened.consume(task.charges)).allowed))
}

process.on('message', (task: WorkerTask) => {
  run(task).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => process.exit(0))
