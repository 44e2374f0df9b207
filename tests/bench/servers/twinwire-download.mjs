// The same download on Twinwire.
import { createApp, reply, route } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'
import { file } from './file.mjs'

const app = createApp({
  pkgIds: {},
  routes: {},
  endpoints: [route({ summary: 'A file', http: 'GET /download', handler: () => reply.bytes(file) })],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
