// With all plugins (and with traces that are dropped, where the environment says so): each request shows a token of one of 64 users, needs a role, is charged to a limit in memory, has a deadline and is
// measured.
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { auth, requireRoles } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { otel } from '@twinwire/plugin-otel'
import { rateLimit } from '@twinwire/plugin-ratelimit'
import { dropTraces } from '../lib/drop-traces.mjs'
import { serve } from '../lib/serve.mjs'
import { findAuthor, Output, Path } from './contract.mjs'

const identities = 64
const isTraced = process.env.TWINWIRE_BENCH_TRACES === 'dropped'
if (isTraced) dropTraces()
const issuer = await createTestIssuer({ clientId: 'bench', lifetimeMs: 3_600_000 })

const app = createApp({
  pkgIds: { GET_AUTHOR: 1 },
  routes: {
    GET_AUTHOR: route({
      summary: 'An author',
      http: 'GET /authors/:id',
      use: [requireRoles('get-author')],
      input: Path,
      output: Output,
      deadlineMs: 5000,
      handler: findAuthor,
    }),
  },
  plugins: [
    auth({ issuer: issuer.issuer, audience: 'bench', clientId: 'bench', allowInsecureIssuer: true }),
    rateLimit({ http: { points: 600_000, per: '1m' }, preAuthentication: false, connections: false }),
    metrics({ access: { port: 0 } }),
    ...(isTraced ? [otel()] : []),
  ],
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, {
  tokens: () =>
    Promise.all(
      Array.from({ length: identities }, (_, i) => issuer.token({ username: `user-${i}`, roles: ['get-author'] })),
    ),
})
