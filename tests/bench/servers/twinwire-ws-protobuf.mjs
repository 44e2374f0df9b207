// The same on Twinwire, with protobuf beside JSON.
import { createApp, jsonCodec, route } from '@twinwire/core'
import { protobufCodec } from '@twinwire/core/protobuf'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler: getAuthor }) },
  codecs: [jsonCodec, protobufCodec()],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
