import { createApp, event } from '@twinwire/core'
import * as v from 'valibot'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFakeClient, type FakeSocket } from './fake-socket.fixtures.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const asking = createApp({
  pkgIds: { MOVED: 10 },
  routes: {},
  events: { MOVED: event({ data: v.string(), answer: v.array(v.string()) }) },
})
const zero = '00000000-0000-0000-0000-000000000000'
const publish = (socket: FakeSocket, data: unknown, cause: unknown = null): void =>
  socket.receive({ pkg_id: 10, req_id: zero, data, meta: { topic: 'chat:1', cause } })

test('what one listener throws is reported, and the others receive the event', async () => {
  const onError = vi.fn()
  const { client, open } = createFakeClient({ onError })
  const failure = new Error('A listener failed')
  const received: unknown[] = []
  client.on('MOVED', () => {
    throw failure
  })
  const stop = client.on('MOVED', (data) => {
    received.push(data)
    stop()
  })
  const socket = await open()
  publish(socket, 1)
  publish(socket, 2)
  expect(received).toEqual([1])
  expect(onError).toHaveBeenCalledTimes(2)
  expect(onError).toHaveBeenCalledWith(failure)
  client.close()
})

test.each(['before', 'after'])('callWithEvent takes an event that comes %s the reply', async (when) => {
  const { client, open } = createFakeClient()
  const both = client.callWithEvent('GET', 'MOVED', { id: '1' })
  const socket = await open()
  const [{ req_id } = {}] = socket.frames()
  publish(socket, 'of another call', zero)
  if (when === 'before') publish(socket, 'mine', req_id)
  socket.reply('one')
  if (when === 'after') publish(socket, 'mine', req_id)
  expect(await both).toEqual({ answer: 'one', event: 'mine' })
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('callWithEvent ends by its deadline, or its signal, also when only the event is missing', async () => {
  const { client, open } = createFakeClient()
  const reason = new Error('Enough')
  const controller = new AbortController()
  const late = client.callWithEvent('GET', 'MOVED', { id: '1' }, { timeoutMs: 1_000 }).catch((error: unknown) => error)
  const socket = await open()
  socket.reply('one')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await late).toMatchObject({ code: 'timeout', outcomeUnknown: true })
  const { signal } = controller
  const ended = client.callWithEvent('GET', 'MOVED', { id: '2' }, { signal }).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(0)
  socket.reply('two')
  controller.abort(reason)
  expect(await ended).toBe(reason)
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('callWithEvent leaves nothing on its signal, also when the call cannot be sent', async () => {
  const { client, open } = createFakeClient()
  const { signal } = new AbortController()
  const remove = vi.spyOn(signal, 'removeEventListener')
  const add = vi.spyOn(signal, 'addEventListener')
  const both = client.callWithEvent('GET', 'MOVED', { id: '1' }, { signal })
  const socket = await open()
  publish(socket, 'mine', socket.frames()[0]?.req_id)
  socket.reply('one')
  await both
  const loop: { self?: unknown } = {}
  loop.self = loop
  await expect(client.callWithEvent('GET', 'MOVED', loop, { signal })).rejects.toThrow(TypeError)
  const added = new Set(add.mock.calls.map(([, listener]) => listener))
  expect(added.size).toBeGreaterThan(1)
  expect(new Set(remove.mock.calls.map(([, listener]) => listener))).toEqual(added)
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a question is answered, with its id', async () => {
  const { client, open } = createFakeClient<typeof asking>()
  client.answer('MOVED', async (data) => [data])
  const socket = await open()
  const req_id = '00000000-0000-4000-8000-000000000001'
  socket.receive({ pkg_id: 10, req_id, data: 'sure?' })
  await vi.advanceTimersByTimeAsync(0)
  expect(socket.frames('answer')).toEqual([{ type: 'answer', req_id, data: ['sure?'] }])
  client.close()
})

test('a page that is back pings what seems open, and connects at once otherwise', async () => {
  const listeners = new Map<string, () => void>()
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => listeners.set(type, listener))
  vi.stubGlobal('removeEventListener', (type: string) => listeners.delete(type))
  const { client, sockets, open } = createFakeClient({ reconnect: { minMs: 100_000, maxMs: 200_000 } })
  client.connect()
  const socket = await open()
  for (const type of ['online', 'pageshow', 'focus', 'visibilitychange']) {
    listeners.get(type)?.()
    socket.receive({ type: 'pong', id: 0 })
  }
  expect(socket.frames('ping')).toHaveLength(4)
  socket.emit('close', { code: 1006 })
  listeners.get('online')?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(sockets).toHaveLength(2)
  ;(await open()).emit('close', { code: 1012 })
  listeners.get('online')?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(sockets).toHaveLength(2)
  client.close()
  expect(listeners.size).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})
