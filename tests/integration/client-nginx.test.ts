// Both wires of the client through nginx.
import { type Client, type ClientOptions, createClient } from '@twinwire/client'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { type NetworkApp, type NetworkAppType, startNetworkApp } from '../support/network-app.ts'
import { hasNginx, startNginx, type TestNginx } from '../support/nginx.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const isThere = hasNginx()
/** Ten times the interval of pings: a busy machine may be late with several of them. */
const readTimeoutMs = 2000

/** nginx with the app behind it; the proxy between them counts connections, and passes to another app. */
async function start(): Promise<{ server: NetworkApp; upstream: TcpProxy; nginx: TestNginx }> {
  const server = await startNetworkApp()
  onTestFinished(() => server.close())
  const upstream = await startTcpProxy(server.port)
  onTestFinished(() => upstream.close())
  const nginx = await startNginx({ targetPort: upstream.port, readTimeoutMs, workerShutdownMs: 200 })
  onTestFinished(() => nginx.stop())
  return { server, upstream, nginx }
}

function connect(nginx: TestNginx, server: NetworkApp, options: Partial<ClientOptions> = {}): Client<NetworkAppType> {
  const client = createClient<NetworkAppType>({
    url: `http://127.0.0.1:${nginx.port}`,
    manifest: server.app.manifest(),
    WebSocket,
    reconnect: { minMs: 5, maxMs: 50 },
    pingIntervalMs: 200,
    ...options,
  })
  onTestFinished(() => client.close())
  return client
}

test.skipIf(!isThere)('both wires; an idle connection outlives proxy_read_timeout by its pings', async () => {
  const { server, upstream, nginx } = await start()
  const client = connect(nginx, server)
  const losses: unknown[] = []
  client.onState(({ status, closure }) => {
    if (status === 'waiting') losses.push(closure)
  })
  expect(await client.call('DO', { n: 1 })).toBe(1)
  expect(await client.call('DO', { n: 2 }, { wire: 'http' })).toBe(2)
  expect(server.ledger.map(({ wire }) => wire)).toEqual(['ws', 'http'])
  const silent = connect(nginx, server, { pingIntervalMs: 3_600_000 })
  await silent.call('DO', { n: 3 })
  const ends: number[] = []
  silent.onState(({ status, closure }) => {
    if (status === 'waiting') ends.push(closure?.code ?? 0)
  })
  // nginx ends the one that does not ping, twice: the other one has had the time of two.
  await expect.poll(() => ends.length).toBeGreaterThanOrEqual(2)
  expect(await client.call('DO', { n: 4 })).toBe(4)
  expect(losses).toEqual([])
  expect(upstream.accepted).toBeGreaterThanOrEqual(4)
})

test.skipIf(!isThere)('a reload of nginx: the subscription resumes, every event once and in order', async () => {
  const { server, nginx } = await start()
  const client = connect(nginx, server)
  const seen: (number | 'gap')[] = []
  const { ready } = client.subscribe('chat:1', {
    onEvent: ({ data }) => seen.push(data.n),
    onGap: () => seen.push('gap'),
  })
  await ready
  const attempts: number[] = []
  client.onState(({ status }) => {
    if (status === 'connecting') attempts.push(1)
  })
  let n = 0
  for (let round = 1; round <= 3; round += 1) {
    server.publish(++n)
    nginx.reload()
    // The old worker ends its connections.
    await expect.poll(() => attempts.length).toBeGreaterThanOrEqual(round)
    server.publish(++n)
    await expect.poll(() => client.state.status).toBe('open')
  }
  await expect.poll(() => seen).toEqual(Array.from({ length: n }, (_, i) => i + 1))
  expect(await client.call('DO', { n: 1 })).toBe(1)
})

test.skipIf(!isThere)(
  'a restart of the app: 502 is `unavailable` over HTTP, calls over WebSocket wait, the subscription resumes',
  async () => {
    const { server, upstream, nginx } = await start()
    const client = connect(nginx, server)
    const seen: (number | 'gap')[] = []
    const { ready } = client.subscribe('chat:1', {
      onEvent: ({ data }) => seen.push(data.n),
      onGap: () => seen.push('gap'),
    })
    await ready
    const next = await startNetworkApp()
    onTestFinished(() => next.close())
    upstream.isRefusing = true
    await server.close()
    const error: unknown = await client.call('DO', { n: 1 }, { wire: 'http' }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'unavailable', outcomeUnknown: true })
    const waiting = client.call('DO', { n: 2 })
    const before = upstream.accepted
    await expect.poll(() => upstream.accepted).toBeGreaterThan(before + 2)
    upstream.target = next.port
    upstream.isRefusing = false
    expect(await waiting).toBe(2)
    // Another process has another stream in memory.
    await expect.poll(() => seen).toEqual(['gap'])
    next.publish(7)
    await expect.poll(() => seen).toEqual(['gap', 7])
    expect(next.ledger.map(({ n }) => n)).toEqual([2])
  },
)
