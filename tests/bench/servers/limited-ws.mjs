// The bare server, its route limited in memory: by a `limit()` of its own, and, with TWINWIRE_BENCH_LIMITS=all, by limits of the whole app
// before it. No limit is ever reached.
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { limit, rateLimit } from '@twinwire/plugin-ratelimit'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const plenty = { points: 1_000_000_000, per: '366d' }
const all = process.env.TWINWIRE_BENCH_LIMITS === 'all'

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: {
    GET_AUTHOR: route({
      summary: 'An author',
      use: [limit(plenty)],
      input: Input,
      output: Output,
      handler: getAuthor,
    }),
  },
  plugins: [
    rateLimit({
      http: false,
      websocket: all ? plenty : false,
      preAuthentication: { points: 100_000 },
      connections: { perAddress: false },
    }),
  ],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
