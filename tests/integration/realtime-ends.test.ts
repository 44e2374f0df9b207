// Real processes on one Redis: one that is killed with presence, one that only publishes, and what health says while nothing is received.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type ChildApp, startChildApp } from '../support/child-app.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { hasRedisBinary, type RedisServer, startRedisServer } from '../support/redis-server.ts'

vi.setConfig({ testTimeout: 120_000 })

const patience = { timeout: 60_000, interval: 50 }

interface Frame {
  readonly type?: string
  readonly id?: number
  readonly pkg_id?: number
  readonly data?: { readonly n: number }
  readonly member?: { readonly connection: string }
  readonly members?: readonly { readonly connection: string }[]
}

async function startRedis(): Promise<RedisServer> {
  const redis = await startRedisServer()
  onTestFinished(() => redis.stop())
  return redis
}
async function startApp(url: string): Promise<ChildApp> {
  const app = await startChildApp('realtime-app.ts', { REDIS: url })
  onTestFinished(() => app.kill('SIGKILL'))
  return app
}

/** Resolves when it has subscribed. */
async function subscribe(port: number): Promise<{ readonly frames: Frame[]; ask(): void }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  onTestFinished(() => socket.terminate())
  const frames: Frame[] = []
  socket.on('message', (message) => frames.push(JSON.parse(String(message))))
  socket.on('error', () => {})
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'news:1', presence: true }))
  await vi.waitFor(() => expect(frames).toContainEqual(expect.objectContaining({ type: 'subscribed' })), patience)
  return { frames, ask: () => socket.send(JSON.stringify({ type: 'presence', id: 2, topic: 'news:1', cursor: null })) }
}

it.skipIf(!hasRedisBinary())('presence of a process that is killed ends, and each `left` is told once', async () => {
  const redis = await startRedis()
  const [dying, other] = [await startApp(redis.url), await startApp(redis.url)]
  const watcher = await subscribe(other.port)
  for (let i = 0; i < 5; i += 1) await subscribe(dying.port)
  const told = (type: string): (string | undefined)[] =>
    watcher.frames.filter((frame) => frame.type === type).map(({ member }) => member?.connection)
  await vi.waitFor(() => expect(new Set(told('joined')).size).toBeGreaterThanOrEqual(5), patience)
  dying.kill('SIGKILL')
  await dying.ended
  await vi.waitFor(() => expect(told('left')).toHaveLength(5), patience)
  expect(new Set(told('left')).size).toBe(5)
  watcher.ask()
  const isPage = expect.objectContaining({ type: 'presence', id: 2, members: [expect.anything()] })
  await vi.waitFor(() => expect(watcher.frames).toContainEqual(isPage), patience)
  expect(told('left')).toHaveLength(5)
})

it.skipIf(!hasRedisBinary())(
  'what a script publishes reaches the clients of an app, all of it and in order',
  async () => {
    const redis = await startRedis()
    const app = await startApp(redis.url)
    const { frames } = await subscribe(app.port)
    const script = fileURLToPath(new URL('../support/publisher-script.ts', import.meta.url))
    const child = spawn(process.execPath, ['--conditions=@twinwire/source', '--import', 'tsx', script], {
      env: { ...process.env, NODE_ENV: undefined, REDIS: redis.url },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    expect(await once(child, 'exit')).toEqual([0, null])
    const numbers = (): (number | undefined)[] =>
      frames.filter(({ pkg_id }) => pkg_id === 100).map(({ data }) => data?.n)
    await vi.waitFor(() => expect(numbers().length).toBeGreaterThanOrEqual(100), patience)
    expect(numbers()).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
  },
)

it.skipIf(!hasRedisBinary())(
  'GET /health/ready is 503 while the node does not hear itself, and 200 again after',
  async () => {
    const redis = await startRedis()
    const proxy = await startCutProxy(redis.url)
    onTestFinished(() => proxy.close())
    const app = await startApp(proxy.url)
    const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${app.port}/health/ready`)).status
    expect(await ready()).toBe(200)
    // Also of the connections that take its place: commands are answered, and no message arrives.
    proxy.toClient = (bytes) => (bytes.includes('$7\r\nmessage\r\n') ? 'hold' : 'pass')
    await vi.waitFor(async () => expect(await ready()).toBe(503), patience)
    proxy.toClient = () => 'pass'
    await vi.waitFor(async () => expect(await ready()).toBe(200), patience)
  },
)
