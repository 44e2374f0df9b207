// A process of its own with a store of its own: for limits that hold over several processes.
import process from 'node:process'
import type { Lease, RedisStoreOptions, Take } from '@twinwire/plugin-ratelimit'
import { openRedisStore } from './limit-store.ts'

/** What a worker is told, one after the other; it answers each with a list. */
export type WorkerTask =
  | { readonly kind: 'open'; readonly options: RedisStoreOptions }
  /** So many callers at once: was each allowed? */
  | { readonly kind: 'consume'; readonly takes: readonly Take[]; readonly callers: number }
  /** Was each seated? */
  | { readonly kind: 'acquire'; readonly leases: readonly Lease[]; readonly ttlMs: number }

let store: Awaited<ReturnType<typeof openRedisStore>> | null = null

async function run(task: WorkerTask): Promise<readonly boolean[]> {
  if (task.kind === 'open') {
    store = await openRedisStore(task.options)
    return [true]
  }
  const opened = store
  if (opened === null) throw new Error('open comes first')
  if (task.kind === 'acquire') {
    return Promise.all(task.leases.map(async (lease) => (await opened.acquire(lease, task.ttlMs)) === null))
  }
  return Promise.all(Array.from({ length: task.callers }, async () => (await opened.consume(task.takes)).allowed))
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
