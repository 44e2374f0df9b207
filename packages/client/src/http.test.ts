import { expect, test, vi } from 'vitest'
import { createFakeClient } from './fake-socket.fixtures.ts'

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
const reasonOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

test('100 calls that meet 401 at once ask for one token', async () => {
  let version = 0
  const getToken = vi.fn(async () => `token-${++version}`)
  const fetch = vi.fn(async (_: unknown, init?: RequestInit) =>
    new Headers(init?.headers).get('authorization') === 'Bearer token-2'
      ? json('ok')
      : json({ error: { code: 'unauthenticated', msg: '' } }, 401),
  )
  const { client } = createFakeClient({ wire: 'http', getToken, fetch })
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.call('GET', { id: '1' })))
  expect(answers).toEqual(Array(100).fill('ok'))
  expect(getToken).toHaveBeenCalledTimes(2)
  expect(fetch).toHaveBeenCalledTimes(200)
})

test('a call that is repeated does not leave under another user', async () => {
  let user = 'ada'
  const tokens: (string | null)[] = []
  const { client } = createFakeClient({
    wire: 'http',
    getToken: () => user,
    fetch: async (_, init) => {
      tokens.push(new Headers(init?.headers).get('authorization'))
      user = 'bob'
      client.signOut()
      throw new TypeError('fetch failed')
    },
  })
  expect(await reasonOf(client.call('ONCE', { text: 'hi' }))).toMatchObject({ code: 'identity_changed' })
  expect(tokens).toEqual(['Bearer ada'])
})

test('a once() call is repeated with the same key', async () => {
  const keys: (string | null)[] = []
  const { client } = createFakeClient({
    wire: 'http',
    fetch: async (_, init) => {
      keys.push(new Headers(init?.headers).get('idempotency-key'))
      if (keys.length === 1) throw new TypeError('fetch failed')
      return json('ok')
    },
  })
  expect(await client.call('ONCE', { text: 'hi' })).toBe('ok')
  expect(keys).toHaveLength(2)
  expect(keys[0]).toBe(keys[1])
})

test('an error for a once() call that is repeated does not say that the first attempt was not executed', async () => {
  let attempts = 0
  const { client } = createFakeClient({
    wire: 'http',
    fetch: async () => {
      attempts += 1
      if (attempts % 2 === 1) throw new TypeError('fetch failed')
      return json({ error: { code: 'unavailable', msg: 'The database is not reachable', details: null } }, 503)
    },
  })
  expect(await reasonOf(client.call('ONCE', { text: 'hi' }))).toMatchObject({
    code: 'unavailable',
    outcomeUnknown: true,
  })
  attempts = 1
  expect(await reasonOf(client.call('ONCE', { text: 'hi' }))).toMatchObject({ outcomeUnknown: false })
})

test('nor does the token of another user that the second attempt meets', async () => {
  let user = 'ada'
  const { client } = createFakeClient({
    wire: 'http',
    getToken: () => `x.${btoa(JSON.stringify({ sub: user }))}.x`,
    fetch: async () => {
      if (user === 'bob') return json({ error: { code: 'unauthenticated', msg: '' } }, 401)
      user = 'bob'
      throw new TypeError('fetch failed')
    },
  })
  const error = await reasonOf(client.call('ONCE', { text: 'hi' }))
  expect(error).toMatchObject({ code: 'identity_changed', outcomeUnknown: true })
})

test('the answer of a proxy is an error, with its Retry-After', async () => {
  const html = (status: number) =>
    new Response('<h1>Bad Gateway</h1>', { status, headers: { 'content-type': 'text/html', 'retry-after': '2' } })
  const { client } = createFakeClient({ wire: 'http', fetch: async () => html(502) })
  expect(await reasonOf(client.call('GET', { id: '1' }))).toMatchObject({
    code: 'unavailable',
    retryAfterMs: 2_000,
    outcomeUnknown: true,
  })
})

test.each(['\n', '\r\n'])('items come in any chunks, with %j between lines, and a cut is an error', async (eol) => {
  const text = ['data: 1', '', ': comment', '', 'data: 2', '', ''].join(eol)
  const stream = (body: string) =>
    new ReadableStream({
      start(controller) {
        for (const char of body) controller.enqueue(new TextEncoder().encode(char))
        controller.close()
      },
    })
  let body = `${text}event: end${eol}data: null${eol}${eol}`
  const { client } = createFakeClient({ wire: 'http', fetch: async () => new Response(stream(body)) })
  const read = async (): Promise<unknown[]> => {
    const items: unknown[] = []
    try {
      for await (const item of client.stream('TAIL', undefined, { wire: 'http' })) items.push(item)
    } catch (error) {
      items.push(error)
    }
    return items
  }
  expect(await read()).toEqual([1, 2])
  body = text
  expect(await read()).toEqual([1, 2, expect.objectContaining({ code: 'connection_lost' })])
})
