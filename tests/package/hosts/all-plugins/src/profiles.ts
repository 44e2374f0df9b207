// Profiles of a running app, of its CPU and of its heap.
import assert from 'node:assert/strict'
import { createTestApp } from '@twinwire/core/testing'
import { profiling } from '@twinwire/plugin-profiling'

const { request, close } = await createTestApp({ pkgIds: {}, routes: {}, plugins: [profiling({ access: 'public' })] })
for (const [kind, key] of [
  ['cpu', 'nodes'],
  ['heap', 'head'],
] as const) {
  const reply = await request(`GET /profiling/${kind}?seconds=1`)
  assert.equal(reply.status, 200)
  assert.ok(key in (reply.json() as object))
}
await close()
