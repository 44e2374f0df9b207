// One route behind a sign-in, on a connection that has signed in: with a role, or public by `TWINWIRE_BENCH_ACCESS=public`.
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { auth, requireRoles } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const issuer = await createTestIssuer({ users: [{ username: 'ada', roles: ['get-authors'] }] })
const access =
  process.env.TWINWIRE_BENCH_ACCESS === 'public' ? { access: 'public' } : { use: [requireRoles('get-authors')] }

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', ...access, input: Input, output: Output, handler: getAuthor }) },
  plugins: [
    auth({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId, allowInsecureIssuer: true }),
  ],
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, {
  tokens: async () => [issuer.token('ada', { lifetimeMs: 3_600_000 })],
})
