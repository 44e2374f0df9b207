// Calls that take as long as they say, on both wires: for tests of the drain.
import { setTimeout } from 'node:timers/promises'
import { closeOnSignals, createApp, route } from '@twinwire/core'
import * as v from 'valibot'

const work = route({
  http: 'GET /work/:ms',
  input: v.object({ ms: v.number() }),
  handler: async ({ ms }) => {
    await setTimeout(ms)
    return { ms }
  },
})

const app = createApp({
  pkgIds: { WORK: 1 },
  routes: { WORK: work },
  environment: 'production',
  defaultAccess: 'public',
  http: { hosts: ['*'] },
  log: { level: 'error' },
  drainTimeoutMs: Number(process.env.DRAIN_MS ?? 4000),
  drainSpreadMs: 500,
})
closeOnSignals(app)
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
