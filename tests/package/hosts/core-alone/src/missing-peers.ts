// A host without any optional peer: each entry point that needs one names it.
import assert from 'node:assert/strict'
import { BootError, createApp, route } from '@twinwire/core'
import { networkRawClient } from '@twinwire/core/testing'

const database = '@twinwire/core/database'
await assert.rejects(import(database), (error: NodeJS.ErrnoException) => {
  // The message of Node itself: this entry point extends drizzle's classes, so no code of Twinwire runs before drizzle is loaded.
  assert.equal(error.code, 'ERR_MODULE_NOT_FOUND')
  assert.match(error.message, /^Cannot find package 'drizzle-orm' imported from .*core.dist./)
  return true
})

await assert.rejects(networkRawClient({ port: 1 }).connect(), (error) => {
  assert(error instanceof BootError)
  assert.equal(error.code, 'missing_peer')
  assert.equal(error.message, 'networkRawClient() requires the package ws for WebSockets: npm install --save-dev ws')
  return true
})

const upload = route({ http: { route: 'POST /files', body: 'multipart' }, access: 'public', handler: () => null })
await assert.rejects(createApp({ pkgIds: {}, routes: {}, endpoints: [upload], log: 'fatal' }).ready(), (error) => {
  assert(error instanceof BootError)
  assert.equal(error.code, 'missing_peer')
  assert.equal(
    error.message,
    "A route with http.body: 'multipart' requires the package '@fastify/busboy': run npm install @fastify/busboy",
  )
  return true
})
