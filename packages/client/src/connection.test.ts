import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFakeClient } from './fake-socket.fixtures.ts'

/** Unsigned, for a user. */
const tokenOf = (sub: string, version = 1): string => `x.${btoa(JSON.stringify({ sub, version }))}.x`

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('a connection that is lost is followed by another one, and an event of the first is ignored', async () => {
  const { client, sockets, open } = createFakeClient()
  client.connect()
  const first = await open()
  expect(client.state.status).toBe('open')
  first.emit('close', { code: 1006 })
  expect(client.state).toMatchObject({ status: 'waiting', closure: { code: 1006 } })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sockets).toHaveLength(2)
  await open()
  first.emit('close', { code: 4004 })
  first.emit('error')
  first.receive({ type: 'closing' })
  await vi.advanceTimersByTimeAsync(200)
  expect(client.state.status).toBe('open')
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('an error without a close is a loss', async () => {
  const { client, socket, open } = createFakeClient()
  client.connect()
  await open()
  socket().emit('error')
  await vi.advanceTimersByTimeAsync(100)
  expect(client.state.status).toBe('waiting')
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('an attempt has a time limit, also while getToken has no answer, and asks again', async () => {
  const getToken = vi.fn(() => new Promise<string>(() => {}))
  const { client, sockets } = createFakeClient({ getToken, connectTimeoutMs: 1_000 })
  client.connect()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(client.state).toMatchObject({ status: 'waiting', attempt: 1 })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(getToken).toHaveBeenCalledTimes(2)
  expect(sockets).toHaveLength(0)
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('delays grow with attempts, and are short again after a connection that lasted', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999)
  const { client, socket, open } = createFakeClient()
  client.connect()
  await open()
  for (const attempt of [1, 2, 3]) {
    socket().emit('close', { code: 1006 })
    expect(client.state.attempt).toBe(attempt)
    await vi.advanceTimersByTimeAsync(500 * 2 ** attempt)
    await open()
  }
  await vi.advanceTimersByTimeAsync(5_000)
  socket().emit('close', { code: 1006 })
  expect(client.state.attempt).toBe(0)
  client.close()
})

test.each([1012, 1006])('after `closing`, a close with %i is spread over the window that it names', async (code) => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  const { client, open } = createFakeClient()
  client.connect()
  const socket = await open()
  socket.receive({ type: 'closing', reconnect_after_ms: [10_000, 20_000] })
  socket.emit('close', { code })
  expect(client.state.retryAt).toBe(Date.now() + 15_000)
  client.close()
})

describe('a half-open connection', () => {
  test('is found by a ping, which any frame answers', async () => {
    const { client, open } = createFakeClient()
    client.connect()
    const socket = await open()
    await vi.advanceTimersByTimeAsync(25_000)
    expect(socket.frames('ping')).toHaveLength(1)
    socket.receive({ type: 'pong', id: 0 })
    await vi.advanceTimersByTimeAsync(25_000)
    expect(socket.frames('ping')).toHaveLength(2)
    socket.receive({ pkg_id: 10, req_id: '00000000-0000-0000-0000-000000000000', data: 1 })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(client.state.status).toBe('open')
    await vi.advanceTimersByTimeAsync(25_000)
    expect(client.state.status).toBe('waiting')
    client.close()
  })
})

describe('tokens', () => {
  const signIn = async (fake: ReturnType<typeof createFakeClient>, identity = 'ada') => {
    const socket = await fake.open()
    socket.receive({ type: 'auth_ok', identity })
    return socket
  }

  test.each([4001, 4003])('after %i it asks for another one at once', async (code) => {
    let version = 0
    const getToken = vi.fn(() => tokenOf('ada', ++version))
    const fake = createFakeClient({ getToken })
    fake.client.connect()
    const socket = await signIn(fake)
    socket.emit('close', { code })
    await vi.advanceTimersByTimeAsync(0)
    const again = await signIn(fake)
    expect(again.frames('auth')).toEqual([{ type: 'auth', token: `Bearer ${tokenOf('ada', 2)}` }])
    expect(getToken).toHaveBeenLastCalledWith({ rejected: tokenOf('ada', 1) })
    fake.client.close()
  })

  test.each([tokenOf('ada'), null])('the same one, or none, closes the client', async (next) => {
    let asked = 0
    const fake = createFakeClient({ getToken: () => (asked++ === 0 ? tokenOf('ada') : next) })
    fake.client.connect()
    ;(await signIn(fake)).emit('close', { code: 4001 })
    await vi.advanceTimersByTimeAsync(0)
    expect(fake.client.state).toMatchObject({ status: 'closed', closure: { code: 4001 } })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a getToken that fails for a while does not close the client', async () => {
    let fails = 6
    let version = 1
    const getToken = vi.fn(({ rejected }: { rejected: string | null }) => {
      if (rejected === null) return tokenOf('ada', version)
      if (fails-- > 0) throw new Error('The identity provider is down')
      return tokenOf('ada', ++version)
    })
    const fake = createFakeClient({ getToken })
    fake.client.connect()
    ;(await signIn(fake)).emit('close', { code: 4003 })
    for (let s = 0; s < 300 && fake.sockets.length < 2; s += 1) await vi.advanceTimersByTimeAsync(1_000)
    const socket = await signIn(fake)
    expect(socket.frames('auth')).toEqual([{ type: 'auth', token: `Bearer ${tokenOf('ada', 2)}` }])
    expect(fake.client.state.status).toBe('open')
    fake.client.close()
  })

  test('4004 ends it, and connect asks for another token', async () => {
    const getToken = vi.fn(() => tokenOf('ada'))
    const fake = createFakeClient({ getToken })
    fake.client.connect()
    ;(await signIn(fake)).emit('close', { code: 4004 })
    expect(fake.client.state.status).toBe('closed')
    fake.client.connect()
    await signIn(fake)
    expect(getToken).toHaveBeenCalledTimes(2)
    fake.client.close()
  })

  test('a token that expires is renewed on the connection', async () => {
    let version = 0
    const fake = createFakeClient({ getToken: () => tokenOf('ada', ++version) })
    fake.client.connect()
    const socket = await signIn(fake)
    socket.receive({ type: 'auth_expiring' })
    await vi.advanceTimersByTimeAsync(0)
    expect(socket.frames('auth')).toHaveLength(2)
    expect(fake.sockets).toHaveLength(1)
    fake.client.close()
  })

  test.each(['by its token', 'by auth_ok'])('another user gets a connection of its own, noticed %s', async (by) => {
    let user = 'ada'
    const token = (): string => (by === 'by auth_ok' ? `opaque-${user}` : tokenOf(user))
    const fake = createFakeClient({ getToken: token })
    fake.client.connect()
    const socket = await signIn(fake)
    const ended = fake.client.subscribe('chat:1').ready.catch((error: unknown) => error)
    user = 'bob'
    fake.client.renewToken()
    await vi.advanceTimersByTimeAsync(0)
    if (by === 'by auth_ok') socket.receive({ type: 'auth_ok', identity: 'bob' })
    expect(socket.closedWith).toBe(1000)
    await vi.advanceTimersByTimeAsync(0)
    const other = await signIn(fake, 'bob')
    expect(other).not.toBe(socket)
    expect(other.frames('subscribe')).toEqual([])
    expect(await ended).toMatchObject({ code: 'identity_changed' })
    fake.client.close()
  })
})

test('an option that is undefined has its default', async () => {
  const options: object = { timeoutMs: undefined, reconnect: undefined, pingIntervalMs: undefined, codec: undefined }
  const fake = createFakeClient(options)
  const answered = fake.client.call('GET')
  const socket = await fake.open()
  socket.reply('done')
  expect(await answered).toBe('done')
  fake.client.close()
})

test('pings follow the silence, however long their answers may take', async () => {
  const fake = createFakeClient({ pingIntervalMs: 100, pingTimeoutMs: 60_000 })
  fake.client.connect()
  const socket = await fake.open()
  for (let count = 1; count <= 5; count += 1) {
    await vi.advanceTimersByTimeAsync(100)
    expect(socket.frames('ping')).toHaveLength(count)
    socket.receive({ type: 'pong', id: 0 })
  }
  fake.client.close()
  expect(vi.getTimerCount()).toBe(0)
})
