// Tasks for one node, with two apps on one Redis; and the blocks of docs_site/tasks.md.
import { redisBroker } from '@twinwire/broker-redis'
import type { App } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

const page = await readBlocks('tasks-page')

describe('the blocks of the page about tasks', () => {
  testBlocks(page)

  it('close an auction whose time has come, in the first run', async () => {
    const open = async (file: string) => {
      const { app }: { app: App } = await import(`${page.folder}/${file}`)
      const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
      onTestFinished(() => app.close())
      return async (): Promise<unknown> => (await fetch(`${url}/auctions`)).json()
    }
    // It ends a minute after the module is loaded.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 61_000 })
    onTestFinished(() => void vi.useRealTimers())
    await import(`${page.folder}/auctions.ts`)
    vi.useRealTimers()
    await expect.poll(await open('auctions.ts'), { timeout: 15_000 }).toEqual([])
    expect(await (await open('auctions.ts?later'))()).toEqual(['lamp'])
  })
})

describe.skipIf(!(await hasRedis()))('a task for one node of several', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const { close } of open.splice(0)) await close()
  })

  it('runs on one, and on another one when that has closed', async () => {
    const redis = await startRedis()
    open.push({ close: redis.stop })
    const { url, prefix } = redis
    const runs: string[] = []
    let running = 0
    let most = 0
    const start = async (node: string) => {
      const test = await createTestApp({
        pkgIds: {},
        routes: {},
        broker: redisBroker({ url, prefix }),
        tasks: {
          count: {
            everyMs: 20,
            onOneNode: true,
            run: async () => {
              most = Math.max(most, ++running)
              await new Promise((resolve) => setTimeout(resolve, 5))
              running--
              runs.push(node)
            },
          },
        },
      })
      open.unshift(test)
      return test
    }
    const first = await start('first')
    await expect.poll(() => runs.length).toBeGreaterThan(2)
    await start('second')
    await expect.poll(() => runs.length).toBeGreaterThan(10)
    expect(new Set(runs)).toEqual(new Set(['first']))
    await first.close()
    const before = runs.length
    await expect.poll(() => runs.length).toBeGreaterThan(before + 3)
    expect(new Set(runs.slice(before))).toEqual(new Set(['second']))
    expect(most).toBe(1)
  })
})
