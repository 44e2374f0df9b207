// The blocks of docs_site/rate-limits.md: the programs run, and what the page shows is what callers get.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { AnyRoute, App } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { type LimitStoreFactory, type RateLimitPlugin, rateLimit } from '@twinwire/plugin-ratelimit'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { parseAnswer, partShown, readPage, shownBlocks, startProgram } from '../support/page-program.ts'
import { hasRedis, redisClient, startRedis } from '../support/redis.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('rate-limits')
const markdown = readPage('rate-limits')
const { folder } = page
// Before the tests: those of a block become tests of this file.
await writeBlocks(folder, page)
const redisThere = await hasRedis()

/** Without what depends on the time between two calls. */
function timeless(text: string): string {
  return text
    .replace(/(;t=|"(?:retry_after_ms|resetMs|retryAfterMs)\\?":\s*)\d+/g, '$10')
    .replace(/("(?:preAuthentication|http)\\?"(?:;r=|,"limit":\d+,"remaining":))\d+/g, '$10')
}

/** At most that many seconds, and not many less: some have passed between two calls. */
function expectSeconds(sent: unknown, shown: unknown): void {
  expect(Number(sent)).toBeLessThanOrEqual(Number(shown))
  expect(Number(sent)).toBeGreaterThan(Number(shown) - 15)
}

describe('the blocks of the page about limits', async () => {
  testBlocks(page)

  await import(/* @vite-ignore */ `${folder}/my-store.test.ts`)

  it('main.ts answers what the page shows', async () => {
    const program = startProgram(folder, 'main.ts', { PORT: '0' })
    const [url] = await program.find(/^http:\S+$/m)
    const send = (): Promise<Response> => fetch(`${url}/reports`, { method: 'POST' })
    const [first, fourth] = shownBlocks(markdown, 'http').map(parseAnswer)
    for (const [calls, shown] of [
      [1, first],
      [3, fourth],
    ] as const) {
      if (shown === undefined) throw new Error('the page shows two answers')
      for (let i = 1; i < calls; i++) await send()
      const part = await partShown(await send(), shown)
      const { 'x-ratelimit-reset': reset, 'retry-after': retry = '0', ...headers } = part.headers
      const { 'x-ratelimit-reset': shownReset, 'retry-after': shownRetry = '0', ...shownHeaders } = shown.headers
      expect(timeless(JSON.stringify({ ...part, headers }))).toBe(
        timeless(JSON.stringify({ ...shown, headers: shownHeaders })),
      )
      expectSeconds(reset, shownReset)
      expectSeconds(retry, shownRetry)
    }
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    socket.send(/-x '(\{.*\})'/.exec(markdown)?.[1] ?? '')
    const [bytes] = await once(socket, 'message')
    expect(timeless(String(bytes))).toBe(timeless(shownBlocks(markdown, 'json')[0] ?? ''))
    socket.close()
    await program.end()
  })

  it('support.ts reads and resets limits', async () => {
    const { app } = (await import(/* @vite-ignore */ `${folder}/app.ts`)) as { app: App }
    const support = await import(/* @vite-ignore */ `${folder}/support.ts`)
    const { port } = await app.listen({ port: 0 })
    onTestFinished(() => app.close())
    const send = async (): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}/reports`, { method: 'POST' })).status
    for (let i = 0; i < 3; i++) expect(await send()).toBe(202)
    expect(await send()).toBe(429)
    const shown: unknown = JSON.parse(shownBlocks(markdown, 'json')[1] ?? '')
    const state: unknown = await support.stateOf('127.0.0.1')
    expect(JSON.parse(timeless(JSON.stringify(state)))).toEqual(JSON.parse(timeless(JSON.stringify(shown))))
    await support.resetCaller('ada')
    await support.resetOthers()
    expect(await send()).toBe(429)
  })

  it('routes.ts has limits by address and by tenant', async () => {
    const { search, exportAll, importAll } = (await import(/* @vite-ignore */ `${folder}/routes.ts`)) as Record<
      string,
      AnyRoute
    >
    if (search === undefined || exportAll === undefined || importAll === undefined) throw new Error('three routes')
    const { myStore } = (await import(/* @vite-ignore */ `${folder}/my-store.ts`)) as {
      myStore: () => LimitStoreFactory
    }
    const { request, close } = await createTestApp({
      pkgIds: { SEARCH: 1, EXPORT: 2, IMPORT: 3 },
      routes: { SEARCH: search, EXPORT: exportAll, IMPORT: importAll },
      plugins: [rateLimit({ http: false, preAuthentication: false, store: myStore() })],
      defaultAccess: 'public',
    })
    onTestFinished(() => close())
    const found = await Promise.all(Array.from({ length: 11 }, () => request('GET /search')))
    expect(found.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 10 }, () => 200), 429])
    const { headers } = await request('GET /export')
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '150', 'x-ratelimit-remaining': '145' })
    expect((await request('POST /import')).status).toBe(422)
    const imported = await request('POST /import', { headers: { 'x-tenant': '7' } })
    expect([imported.json(), imported.headers['x-ratelimit-remaining']]).toEqual([{ tenant: '7' }, '999'])
  })

  it('stores.ts declares stores, without connecting', async () => {
    const { ownClient, withTls, ...stores } = await import(/* @vite-ignore */ `${folder}/stores.ts`)
    expect(() => withTls()).toThrow('ca.pem')
    expect(typeof ownClient).toBe('function')
    for (const store of Object.values<() => LimitStoreFactory>(stores)) expect(store().name).toMatch(/^Redis \(/)
  })

  it.skipIf(!redisThere)('stores.ts counts in a Redis behind a socket of the system', async () => {
    const redis = await startRedis({ own: true })
    onTestFinished(() => redis.stop())
    const { hostname, port } = new URL(redis.url)
    const open = new Set<Socket>()
    const bridge = createServer((near) => {
      const far = connect(Number(port), hostname)
      for (const socket of [near, far]) open.add(socket.once('error', () => far.destroy()))
      near.pipe(far).pipe(near)
    })
    const path = join(await mkdtemp(join(tmpdir(), 'twinwire-')), 'redis.sock')
    bridge.listen(path)
    await once(bridge, 'listening')
    onTestFinished(async () => {
      for (const socket of open) socket.destroy()
      bridge.close()
      await rm(dirname(path), { recursive: true })
    })
    const { ownClient }: { ownClient: (path: string) => LimitStoreFactory } = await import(`${folder}/stores.ts`)
    const { search }: { search: AnyRoute } = await import(`${folder}/routes.ts`)
    const { request, close } = await createTestApp({
      pkgIds: { SEARCH: 1 },
      routes: { SEARCH: search },
      plugins: [rateLimit({ preAuthentication: false, store: ownClient(path) })],
      defaultAccess: 'public',
    })
    onTestFinished(() => close())
    const found = await Promise.all(Array.from({ length: 11 }, () => request('GET /search')))
    expect(found.filter(({ status }) => status === 429)).toHaveLength(1)
    const client = redisClient(redis.url)
    onTestFinished(() => client.disconnect())
    expect(await client.keys('twinwire:limit:*')).not.toEqual([])
  })

  it.skipIf(!redisThere)('several-processes.ts limits two apps as one', async () => {
    const redis = await startRedis({ own: true })
    onTestFinished(() => redis.stop())
    vi.stubEnv('REDIS_URL', redis.url)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { search } = (await import(/* @vite-ignore */ `${folder}/routes.ts`)) as { search: AnyRoute }
    const open = async (file: string) => {
      const { limits } = (await import(/* @vite-ignore */ `${folder}/${file}`)) as { limits: RateLimitPlugin }
      const app = await createTestApp({
        pkgIds: { SEARCH: 1 },
        routes: { SEARCH: search },
        plugins: [limits],
        defaultAccess: 'public',
      })
      onTestFinished(() => app.close())
      return app
    }
    const apps = [await open('several-processes.ts'), await open('several-processes.ts?two')]
    const left: (string | undefined)[] = []
    for (const { request } of apps) left.push((await request('GET /search')).headers['ratelimit'])
    expect(left[0]).toMatch(/"http";r=69;/)
    expect(left[1]).toMatch(/"http";r=68;/)
  })
})
