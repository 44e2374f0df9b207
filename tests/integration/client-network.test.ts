// The client over real sockets, through a proxy that does what networks do.
import { CallError, type Client, type ClientOptions, type ConnectionState, createClient } from '@twinwire/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type NetworkApp, type NetworkAppType, startNetworkApp } from '../support/network-app.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

let server: NetworkApp
let proxy: TcpProxy
let clients: Client<NetworkAppType>[]

beforeEach(async () => {
  server = await startNetworkApp()
  proxy = await startTcpProxy(server.port)
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.close()
  await proxy.close()
  await server.close()
})

function connect(options: Partial<ClientOptions> = {}): Client<NetworkAppType> {
  const client = createClient<NetworkAppType>({
    url: `http://127.0.0.1:${proxy.port}`,
    manifest: server.app.manifest(),
    WebSocket,
    reconnect: { minMs: 5, maxMs: 50 },
    ...options,
  })
  clients.push(client)
  return client
}

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => `resolved with ${JSON.stringify(value)}`,
    (reason: unknown) => reason,
  )
// `state` is a snapshot: it is read each time.
const isOpen = (client: Client<NetworkAppType>) => expect.poll(() => client.state.status).toBe('open')

test('a cut: the call under way is rejected with connection_lost and never sent again, and the next one reconnects', async () => {
  const client = connect()
  const lost = reasonOf(client.call('HOLD', { n: 1 }))
  await expect.poll(() => server.held).toBe(1)
  proxy.cut()
  const error = await lost
  expect(error).toBeInstanceOf(CallError)
  expect(error).toMatchObject({ code: 'connection_lost', outcomeUnknown: true })
  expect(await client.call('DO', { n: 2 })).toBe(2)
  expect(server.ledger.map(({ n }) => n)).toEqual([1, 2])
  expect(proxy.accepted).toBe(2)
})

test('calls that are made without a connection wait for it, and are sent in order', async () => {
  const client = connect()
  await client.call('DO', { n: 0 })
  proxy.isRefusing = true
  proxy.cut()
  await expect.poll(() => client.state.status).not.toBe('open')
  const calls = [1, 2, 3, 4].map((n) => client.call('DO', { n }))
  await expect.poll(() => proxy.accepted).toBeGreaterThan(3)
  expect(server.ledger).toHaveLength(1)
  proxy.isRefusing = false
  expect(await Promise.all(calls)).toEqual([1, 2, 3, 4])
  expect(server.ledger.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4])
})

test('the deadline of a call passes while connections are refused: it was not sent, and it is not sent later', async () => {
  const client = connect({ maxQueued: 2 })
  proxy.isRefusing = true
  const late = reasonOf(client.call('DO', { n: 1 }, { timeoutMs: 60 }))
  const second = client.call('DO', { n: 2 })
  expect(await reasonOf(client.call('DO', { n: 3 }))).toMatchObject({ code: 'queue_full', outcomeUnknown: false })
  expect(await late).toMatchObject({ code: 'timeout', outcomeUnknown: false })
  proxy.isRefusing = false
  expect(await second).toBe(2)
  expect(server.ledger.map(({ n }) => n)).toEqual([2])
})

test('the deadline of a call whose answer does not arrive: its outcome is unknown', async () => {
  const client = connect()
  await client.call('DO', { n: 0 })
  proxy.drop('toClient')
  expect(await reasonOf(client.call('DO', { n: 1 }, { timeoutMs: 100 }))).toMatchObject({
    code: 'timeout',
    outcomeUnknown: true,
  })
  await expect.poll(() => server.ledger.map(({ n }) => n)).toEqual([0, 1])
})

test.each(['toServer', 'toClient', undefined] as const)(
  'a half-open connection (%s) is found by a ping, and replaced',
  async (direction) => {
    // Long enough for the answer to a ping on a busy machine: the connection is to end by what is dropped alone.
    const client = connect({ pingIntervalMs: 200, pingTimeoutMs: 500 })
    await client.call('DO', { n: 0 })
    const closures: ConnectionState['closure'][] = []
    client.onState(({ closure }) => closures.push(closure))
    proxy.drop(direction)
    // Sent into the void: nothing tells the client, but the silence.
    expect(await reasonOf(client.call('HOLD', { n: 1 }))).toMatchObject({
      code: 'connection_lost',
      outcomeUnknown: true,
    })
    expect(closures[0]).toMatchObject({ code: 1006, reason: 'No answer' })
    expect(await client.call('DO', { n: 2 })).toBe(2)
    const executed = server.ledger.map(({ n }) => n)
    expect(executed).toEqual(direction === 'toClient' ? [0, 1, 2] : [0, 2])
  },
)

test('a slow network is not a dead one', async () => {
  const client = connect({ pingIntervalMs: 20, pingTimeoutMs: 5000 })
  await client.call('DO', { n: 0 })
  proxy.delayMs = 100
  for (let n = 1; n <= 5; n += 1) expect(await client.call('DO', { n })).toBe(n)
  expect(proxy.accepted).toBe(1)
})

test('an upgrade without an answer is given up after connectTimeoutMs, and tried again', async () => {
  // Accepts connections, and never answers.
  const client = connect({ connectTimeoutMs: 100 })
  proxy.delayMs = 2 ** 30
  const call = client.call('DO', { n: 1 })
  await expect.poll(() => proxy.accepted).toBeGreaterThan(1)
  expect(client.state.closure).toMatchObject({ code: 1006, reason: 'Not open in time' })
  proxy.delayMs = 0
  expect(await call).toBe(1)
})

test('a subscription receives every event once and in order, over 20 cuts', async () => {
  const client = connect()
  const received: number[] = []
  let gaps = 0
  const subscription = client.subscribe('chat:1', {
    onEvent: ({ data }) => received.push(data.n),
    onGap: () => {
      gaps += 1
    },
  })
  await subscription.ready
  let n = 0
  for (let cut = 1; cut <= 20; cut += 1) {
    for (let i = 0; i < 5; i += 1) server.publish(++n)
    // In the middle of a delivery, without a connection, or of a replay.
    if (cut % 3 === 0) await expect.poll(() => received.length).toBe(n)
    if (cut % 4 === 0) await isOpen(client)
    proxy.cut()
    await expect.poll(() => proxy.accepted).toBeGreaterThan(cut)
    for (let i = 0; i < 5; i += 1) server.publish(++n)
  }
  await expect.poll(() => received.length).toBe(n)
  expect(received).toEqual(Array.from({ length: n }, (_, i) => i + 1))
  expect(gaps).toBe(0)
  expect(subscription.position).toMatchObject({ offset: n })
})

test('more events are missed than the history has: onGap, and the events from then on', async () => {
  const client = connect()
  const seen: (number | 'gap')[] = []
  const { ready } = client.subscribe('chat:1', {
    onEvent: ({ data }) => seen.push(data.n),
    onGap: () => seen.push('gap'),
  })
  await ready
  server.publish(0)
  await expect.poll(() => seen).toEqual([0])
  proxy.isRefusing = true
  proxy.cut()
  for (let n = 1; n <= 1100; n += 1) server.publish(n)
  proxy.isRefusing = false
  await expect.poll(() => seen).toContain('gap')
  server.publish(2000)
  await expect.poll(() => seen.at(-1)).toBe(2000)
  expect(seen.filter((each) => each === 'gap')).toEqual(['gap'])
  const numbers = seen.filter((each) => each !== 'gap')
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
})

test('one of several connections is cut: the others notice nothing', async () => {
  const [first, second] = [connect(), connect()]
  await first.call('DO', { n: 1 })
  await second.call('DO', { n: 2 })
  proxy.cutOne(0)
  await expect.poll(() => proxy.accepted).toBe(3)
  await isOpen(first)
  expect([first.state.attempt, second.state.attempt]).toEqual([1, 0])
})

test('over HTTP: a request that is cut, one that is refused, one without an answer', async () => {
  const client = connect({ wire: 'http' })
  const cut = reasonOf(client.call('HOLD', { n: 1 }))
  await expect.poll(() => server.held).toBe(1)
  proxy.cut()
  expect(await cut).toMatchObject({ code: 'connection_lost', outcomeUnknown: true })
  proxy.isRefusing = true
  expect(await reasonOf(client.call('DO', { n: 2 }))).toMatchObject({ code: 'connection_lost' })
  proxy.isRefusing = false
  expect(await reasonOf(client.call('HOLD', { n: 3 }, { timeoutMs: 1000 }))).toMatchObject({
    code: 'timeout',
    outcomeUnknown: true,
  })
  expect(await client.call('DO', { n: 4 })).toBe(4)
  expect(server.ledger.map(({ n }) => n)).toEqual([1, 3, 4])
})

test('closing: the server drains, and another one at its port takes the calls and the subscription', async () => {
  const client = connect()
  const gaps: string[] = []
  await client.subscribe('chat:1', { onGap: () => gaps.push('gap') }).ready
  const next = await startNetworkApp()
  proxy.target = next.port
  const states: ConnectionState[] = []
  client.onState((state) => states.push(state))
  await server.close()
  // Its stream is another one: what was published in between cannot be known.
  await expect.poll(() => gaps).toEqual(['gap'])
  expect(await client.call('DO', { n: 1 })).toBe(1)
  expect(next.ledger).toHaveLength(1)
  expect(states.find(({ status }) => status === 'waiting')?.closure).toMatchObject({ code: 1012 })
  await next.close()
})
