// Twinwire bare, whose connections do nothing.
import { createApp, route } from '@twinwire/core'
import { memoryAnswers } from '../lib/memory-answers.mjs'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler: getAuthor }) },
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, { answers: memoryAnswers })
