// The programs of docs_site/realtime.md: two nodes, a client that resumes, and a publisher, with a Redis.
import { once } from 'node:events'
import { type defineTopics, type event, route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import * as v from 'valibot'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { originOf, programEnv } from '../support/page-origin.ts'
import { readPage, shownBlocks, startProgram } from '../support/page-program.ts'
import { hasOwnRedis, startRedis } from '../support/redis.ts'
import { startSwitchProxy } from '../support/switch-proxy.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 180_000 })

const page = await readBlocks('realtime-page')
const markdown = readPage('realtime')
/** What the client of the page prints. */
const shown = `${shownBlocks(markdown, 'text')[0]}\n`
const redisThere = hasOwnRedis()

describe('the programs of the page about realtime', () => {
  testBlocks(page)

  it.skipIf(!redisThere)('reach a client of another node, which resumes on a node that was restarted', async () => {
    const redis = await startRedis({ own: true })
    onTestFinished(() => redis.stop())
    const env = { ...programEnv, REDIS_URL: redis.url }
    const start = () => startProgram(page.folder, 'server.ts', env)
    const [one, two] = [start(), start()]
    const portOf = async (program: typeof one) => Number(new URL(await originOf(program)).port)
    // Where the first node is reached: its port may be taken before it starts again.
    const proxy = await startSwitchProxy(await portOf(one))
    onTestFinished(() => proxy.close())
    const other = await originOf(two)
    const sell = async () => expect((await fetch(`${other}/tickets/7/sale`, { method: 'POST' })).status).toBe(200)
    const client = startProgram(page.folder, 'watch.ts', { ...programEnv, URL: `http://127.0.0.1:${proxy.port}` })
    await client.find(/^state .*\n/m)
    await sell()
    await client.find(/^TICKET_SOLD 7 1\n/m)
    expect(client.text()).toBe(shown)

    await one.end()
    await sell()
    proxy.switchTo(await portOf(start()))
    await client.find(/^TICKET_SOLD 7 2\n/m)
    // Neither a gap nor a repeat.
    expect(client.text()).toBe(`${shown}TICKET_SOLD 7 2\n`)
    expect(markdown).toContain('`TICKET_SOLD 7 2`')

    const publisher = startProgram(page.folder, 'publish.ts', env)
    expect(await once(publisher.child, 'exit'), publisher.text()).toEqual([0, null])
    await client.find(/^TICKET_SOLD 7 3\n/m)
  })

  it('publish state of which the newest matters', async () => {
    const loaded = (await import(/* @vite-ignore */ `${page.folder}/prices.ts`)) as {
      readonly priceChanged: ReturnType<typeof event>
      readonly priceTopics: ReturnType<typeof defineTopics>
    }
    const setPrice = route({
      input: v.object({ symbol: v.string(), price: v.number() }),
      handler: async (price, call) => {
        await call.connection?.join('prices')
        call.publish('prices', loaded.priceChanged, price)
      },
    })
    const app = await createTestApp({
      pkgIds: { SET_PRICE: 1, PRICE_CHANGED: 100 },
      routes: { SET_PRICE: setPrice },
      events: { PRICE_CHANGED: loaded.priceChanged },
      topics: loaded.priceTopics,
    })
    onTestFinished(() => app.close())
    const client = await app.client()
    await client.call('SET_PRICE', { symbol: 'TWW', price: 7 })
    expect(await client.nextEvent('PRICE_CHANGED')).toEqual({ symbol: 'TWW', price: 7 })
  })
})
