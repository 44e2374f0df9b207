// The same on Twinwire, bare: two routes, no plugin.
import { createApp, route } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'
import { findAuthor, getAuthor, Input, Output, Path } from './contract.mjs'

const app = createApp({
  pkgIds: { GET_AUTHOR: 1, ADD_AUTHOR: 2 },
  routes: {
    GET_AUTHOR: route({
      summary: 'An author',
      http: 'GET /authors/:id',
      input: Path,
      output: Output,
      handler: findAuthor,
    }),
    ADD_AUTHOR: route({ summary: 'Add one', http: 'POST /authors', input: Input, output: Output, handler: getAuthor }),
  },
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
