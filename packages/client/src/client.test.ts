import { createApp, defineTopics, event, route } from '@twinwire/core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { CallError } from './call-error.ts'
import { createClient } from './client.ts'
import type { Manifest } from './manifest.ts'

const pkgIds = { ECHO: 1, FAIL: 2, TELL: 3, TOLD: 10 } as const
const told = event({ data: v.object({ text: v.string() }) })
const app = createApp({
  pkgIds,
  defaultAccess: 'public',
  events: { TOLD: told },
  topics: defineTopics({ 'chat:*': { subscribe: true, authorize: () => true, history: { size: 10, ttl: '1m' } } }),
  routes: {
    ECHO: route({ http: 'POST /echo', input: v.object({ text: v.string() }), handler: ({ text }) => ({ text }) }),
    FAIL: route({
      http: 'GET /fail/:id',
      input: v.object({ id: v.number() }),
      handler: ({ id }) => {
        throw new Error(String(id))
      },
    }),
    TELL: route({
      input: v.object({ text: v.string() }),
      handler: ({ text }, call) => {
        call.publish('chat:1', told, { text })
        return null
      },
    }),
  },
})
const manifest: Manifest = {
  version: 1,
  path: '/ws',
  maxMessageBytes: 65_536,
  routes: { ECHO: { pkgId: 1, http: 'POST /echo' }, FAIL: { pkgId: 2, http: 'GET /fail/:id' }, TELL: { pkgId: 3 } },
  events: { TOLD: { pkgId: 10 } },
  closes: [],
}

let url: string
beforeAll(async () => {
  ;({ url } = await app.listen({ port: 0 }))
})
afterAll(() => app.close())

describe.each(['ws', 'http'] as const)('over %s', (wire) => {
  test('a call is answered, and its error is a CallError', async () => {
    const client = createClient<typeof app>({ url, manifest, WebSocket, wire })
    expect(await client.call('ECHO', { text: 'hi' })).toEqual({ text: 'hi' })
    const error = await client.call('FAIL', { id: 1 }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'internal_error', outcomeUnknown: false })
    client.close()
  })
})

test('an event of a topic is delivered with its position', async () => {
  const client = createClient<typeof app>({ url, manifest, WebSocket })
  const received: unknown[] = []
  const subscription = client.subscribe('chat:1', { onEvent: (event) => received.push(event) })
  expect(await subscription.ready).toMatchObject({ recovered: false })
  const { event } = await client.callWithEvent('TELL', 'TOLD', { text: 'one' })
  expect(event).toEqual({ text: 'one' })
  expect(received).toMatchObject([{ event: 'TOLD', data: { text: 'one' }, position: { offset: 1 } }])
  client.close()
  expect(client.state.status).toBe('closed')
})

test('without a WebSocket, as on Node.js 20, a call says that one is needed', async () => {
  vi.stubGlobal('WebSocket', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
  const client = createClient<typeof app>({ url, manifest })
  await expect(client.call('ECHO', { text: 'a' })).rejects.toMatchObject({
    code: 'closed',
    msg: 'The connection ended: 1006 TypeError: createClient() needs `WebSocket`',
    details: { code: 1006 },
  })
})
