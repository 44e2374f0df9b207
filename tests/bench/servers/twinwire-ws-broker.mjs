// The bare server with redisBroker(), which its calls do not use.
import { createApp, route } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'
import { createBroker } from './local-redis.mjs'

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler: getAuthor }) },
  broker: createBroker(),
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
