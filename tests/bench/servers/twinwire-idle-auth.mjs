// With auth(): every connection has signed in with a token, 64 users share them.
import { createApp, route } from '@twinwire/core'
import { auth, requireRoles } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { memoryAnswers } from '../lib/memory-answers.mjs'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const identities = 64
const issuer = await createTestIssuer({ clientId: 'bench', lifetimeMs: 3_600_000 })

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: {
    GET_AUTHOR: route({
      summary: 'An author',
      use: [requireRoles('get-author')],
      input: Input,
      output: Output,
      handler: getAuthor,
    }),
  },
  plugins: [auth({ issuer: issuer.issuer, audience: 'bench', clientId: 'bench', allowInsecureIssuer: true })],
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, {
  tokens: () =>
    Promise.all(
      Array.from({ length: identities }, (_, i) => issuer.token({ username: `user-${i}`, roles: ['get-author'] })),
    ),
  answers: memoryAnswers,
})
