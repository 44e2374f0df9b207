// The bare server with otel(), whose sampler drops all.
import { createApp, route } from '@twinwire/core'
import { otel } from '@twinwire/plugin-otel'
import { dropTraces } from '../lib/drop-traces.mjs'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

dropTraces()
const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler: getAuthor }) },
  plugins: [otel()],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
