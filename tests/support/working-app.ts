// Calls that take as long as they say, on both wires, and answers that are large: for tests of the drain.
import { setTimeout } from 'node:timers/promises'
import { closeOnSignals, createApp, reply, route } from '@twinwire/core'
import * as v from 'valibot'

const work = route({
  http: 'GET /work/:ms',
  input: v.object({ ms: v.number() }),
  handler: async ({ ms }) => {
    await setTimeout(ms)
    return { ms }
  },
})

const pad = route({ handler: () => 'x'.repeat(110_000) })
const large = Buffer.alloc(20 * 1024 * 1024, 'x')
const pieces = function* () {
  for (let at = 0; at < large.byteLength; at += 64 * 1024) yield large.subarray(at, at + 64 * 1024)
}

const app = createApp({
  pkgIds: { WORK: 1, PAD: 2 },
  routes: { WORK: work, PAD: pad },
  endpoints: [
    route({ http: 'GET /large', handler: () => reply.bytes(large) }),
    route({ http: 'GET /pieces', handler: () => reply.stream(pieces()) }),
  ],
  websocket: { maxBackpressureBytes: 64 * 1024 * 1024 },
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
