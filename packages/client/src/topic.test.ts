import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createFakeClient, type FakeSocket } from './fake-socket.fixtures.ts'

beforeEach(() => {
  vi.useFakeTimers()
  // Reconnects come at once.
  vi.spyOn(Math, 'random').mockReturnValue(0)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

const at = (offset: number, epoch = 'e') => ({ epoch, offset })
const tick = () => vi.advanceTimersByTimeAsync(0)
const zero = '00000000-0000-0000-0000-000000000000'

function answer(socket: FakeSocket, type: string, fields: object): void {
  const { id, topic } = socket.frames(type).at(-1) ?? {}
  socket.receive({ type: `${type}d`, id, topic, ...fields })
}

const publish = (socket: FakeSocket, offset: number, epoch = 'e') =>
  socket.receive({
    pkg_id: 10,
    req_id: zero,
    data: offset,
    meta: { topic: 'chat:1', ...at(offset, epoch), cause: null },
  })

async function reconnect({ socket, open }: ReturnType<typeof createFakeClient>): Promise<FakeSocket> {
  socket().emit('close', { code: 1006 })
  await vi.advanceTimersByTimeAsync(1_000)
  return open()
}

test('a topic resumes from its last event, each of which is delivered once', async () => {
  const fake = createFakeClient()
  const events: unknown[] = []
  const onGap = vi.fn()
  const subscription = fake.client.subscribe('chat:1', { onEvent: ({ data }) => events.push(data), onGap })
  const socket = await fake.open()
  answer(socket, 'subscribe', { ...at(3), recovered: false })
  expect(await subscription.ready).toEqual({ position: at(3), recovered: false })
  publish(socket, 4)
  publish(socket, 4)
  const again = await reconnect(fake)
  expect(again.frames('subscribe')).toMatchObject([{ since: at(4) }])
  publish(again, 4)
  publish(again, 5)
  answer(again, 'subscribe', { ...at(5), recovered: true })
  await tick()
  expect(events).toEqual([4, 5])
  expect(onGap).not.toHaveBeenCalled()
  expect(subscription.position).toEqual(at(5))
  const third = await reconnect(fake)
  answer(third, 'subscribe', { ...at(1, 'other'), recovered: false })
  await tick()
  expect(onGap).toHaveBeenCalledTimes(1)
  publish(third, 2, 'other')
  expect(events).toEqual([4, 5, 2])
  fake.client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('a listener of presence that comes later is not a gap for the others', async () => {
  const fake = createFakeClient()
  const onGap = vi.fn()
  fake.client.subscribe('chat:1', { onGap })
  const socket = await fake.open()
  answer(socket, 'subscribe', { recovered: false })
  await tick()
  const changes: unknown[] = []
  fake.client.subscribe('chat:1', { onPresence: (change) => changes.push(change) })
  expect(socket.frames('subscribe')).toHaveLength(2)
  answer(socket, 'subscribe', { recovered: false })
  await tick()
  expect(onGap).not.toHaveBeenCalled()
  socket.receive({ type: 'joined', topic: 'chat:1', member: { connection: 'c', identity: null, info: null } })
  expect(changes).toEqual(['joined'])
  fake.client.close()
})

test('presence is read page by page, up to `max` and within one deadline', async () => {
  const { client, open } = createFakeClient()
  const member = (connection: string) => ({ connection, identity: null, info: null })
  const page = async (socket: FakeSocket, connections: readonly string[], cursor: string | null) => {
    const { id, topic } = socket.frames('presence').at(-1) ?? {}
    socket.receive({ type: 'presence', id, topic, members: connections.map(member), cursor })
    await tick()
  }
  const all = client.presence('chat:1')
  const socket = await open()
  await page(socket, ['a', 'b'], 'next')
  expect(socket.frames('presence')).toMatchObject([{ topic: 'chat:1' }, { topic: 'chat:1', cursor: 'next' }])
  await page(socket, ['c'], null)
  expect(await all).toEqual(['a', 'b', 'c'].map(member))

  const some = client.presence('chat:1', { max: 3 })
  await tick()
  await page(socket, ['a', 'b'], 'next')
  await page(socket, ['c', 'd'], 'more')
  expect(await some).toEqual(['a', 'b', 'c'].map(member))
  expect(socket.frames('presence')).toHaveLength(4)

  const late = client.presence('chat:1', { timeoutMs: 1_000 }).catch((error: unknown) => error)
  await tick()
  await vi.advanceTimersByTimeAsync(700)
  await page(socket, ['a'], 'next')
  await vi.advanceTimersByTimeAsync(300)
  expect(await late).toMatchObject({ code: 'timeout' })
  client.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('an error that passes is tried again, another one ends the subscription', async () => {
  const fake = createFakeClient()
  const onEnd = vi.fn()
  const { ready } = fake.client.subscribe('chat:1', { onEnd })
  const refused = ready.catch((error: unknown) => error)
  const socket = await fake.open()
  const fail = (code: string): void => {
    socket.receive({ type: 'error', id: socket.frames('subscribe').at(-1)?.id, code, msg: '', details: null })
  }
  fail('unavailable')
  await vi.advanceTimersByTimeAsync(1_000)
  expect(socket.frames('subscribe')).toHaveLength(2)
  fail('permission_denied')
  expect(await refused).toMatchObject({ code: 'permission_denied' })
  expect(onEnd).toHaveBeenCalledTimes(1)
  await reconnect(fake)
  expect(fake.socket().frames('subscribe')).toEqual([])
  fake.client.close()
})

test('a position that is named and not continued from is a gap', async () => {
  const fake = createFakeClient()
  const onGap = vi.fn()
  const { ready } = fake.client.subscribe('chat:1', { since: at(2), onGap })
  const socket = await fake.open()
  answer(socket, 'subscribe', { ...at(9), recovered: false })
  expect(await ready).toEqual({ position: at(9), recovered: false })
  expect(onGap).toHaveBeenCalledTimes(1)
  fake.client.close()
})

test('late events of a subscription that has ended are not those of the next one', async () => {
  const fake = createFakeClient()
  const events: unknown[] = []
  const first = fake.client.subscribe('chat:1')
  const socket = await fake.open()
  answer(socket, 'subscribe', { ...at(3), recovered: false })
  await first.ready
  first.unsubscribe()
  const second = fake.client.subscribe('chat:1', { since: at(3), onEvent: ({ data }) => events.push(data) })
  // The server has not read the frames yet.
  publish(socket, 5)
  publish(socket, 4)
  publish(socket, 5)
  answer(socket, 'subscribe', { ...at(5), recovered: true })
  expect(await second.ready).toEqual({ position: at(5), recovered: true })
  expect(events).toEqual([4, 5])
  fake.client.close()
})

test('an answer and the events after it may come in one task: the gap is told before them, and the position is the last one', async () => {
  const fake = createFakeClient()
  const seen: unknown[] = []
  const options = { onEvent: ({ data }: { data: unknown }) => seen.push(data), onGap: () => seen.push('gap') }
  const subscription = fake.client.subscribe('chat:1', options)
  const first = await fake.open()
  answer(first, 'subscribe', { ...at(1), recovered: false })
  publish(first, 2)
  await tick()
  const second = await reconnect(fake)
  answer(second, 'subscribe', { ...at(7), recovered: false })
  publish(second, 8)
  expect(seen).toEqual([2, 'gap', 8])
  await tick()
  expect(subscription.position).toEqual(at(8))
})
