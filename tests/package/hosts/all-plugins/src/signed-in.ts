// All plugins of one app together, one of them an outsider's: users sign in on both wires, are limited and counted.
import assert from 'node:assert/strict'
import { BootError, createApp, route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { auth, requireRoles } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { limit, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { flags, whenOn } from './flags-plugin.js'

const whoAmI = route({
  http: 'GET /me',
  use: [requireRoles('reader'), whenOn('me'), limit('2/m')],
  handler: (_input, { user, flag }) => ({ name: user.name, flag }),
})
const upload = route({
  http: { route: 'POST /files', body: 'multipart' },
  access: 'public',
  input: v.object({ title: v.string() }),
  handler: async ({ title }, call) => {
    const read: string[] = [title]
    for await (const file of call.files) read.push(`${file.filename}: ${await file.text()}`)
    return read
  },
})
const issuer = await createTestIssuer({ users: [{ username: 'ada', roles: ['reader'] }, { username: 'bob' }] })
const { request, client, close } = await createTestApp({
  pkgIds: { WHO_AM_I: 1 },
  routes: { WHO_AM_I: whoAmI },
  endpoints: [upload],
  plugins: [
    flags(['me']),
    auth({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId }),
    rateLimit(),
    metrics(),
  ],
})
const as = (name: string) => ({ headers: { authorization: `Bearer ${issuer.token(name)}` } })

assert.equal((await request('GET /me')).status, 401)
assert.equal((await request('GET /me', as('bob'))).status, 403)
const first = await request('GET /me', as('ada'))
assert.deepEqual([first.status, first.json()], [200, { name: 'ada', flag: 'me' }])
const socket = await client({ handshake: { type: 'auth', token: `Bearer ${issuer.token('ada')}` } })
assert.deepEqual(await socket.call('WHO_AM_I'), { name: 'ada', flag: 'me' })
const third = await request('GET /me', as('ada'))
assert.equal(third.status, 429, 'two a minute, on both wires together')

const form = new FormData()
form.append('title', 'Tasks')
form.append('file', new File(['write it'], 'tasks.txt'))
const sent = new Response(form)
const uploaded = await request('POST /files', {
  headers: { 'content-type': sent.headers.get('content-type') ?? '' },
  body: new Uint8Array(await sent.arrayBuffer()),
})
assert.deepEqual(uploaded.json(), ['Tasks', 'tasks.txt: write it'])

const scrape = (await request('GET /metrics')).text
assert.match(scrape, /^flags_asked_total\{answer="on"\} 3$/m)
assert.match(scrape, /^http_requests_total\{method="GET",endpoint="\/me",status_code="429"\} 1$/m)
await close()
await issuer.stop()

// ioredis is not installed here: it is loaded only when it is needed.
const withRedis = createApp({
  pkgIds: {},
  routes: {},
  log: 'fatal',
  plugins: [rateLimit({ store: redisStore('redis://127.0.0.1:1') })],
})
await assert.rejects(withRedis.ready(), (error) => {
  assert(error instanceof BootError)
  assert.equal(error.code, 'missing_peer')
  assert.match(error.message, /npm install ioredis/)
  return true
})
