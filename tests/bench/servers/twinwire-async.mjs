// The bare server, whose handler awaits once.
import { createApp, route } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const handler = async (input) => {
  await null
  return getAuthor(input)
}

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler }) },
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
