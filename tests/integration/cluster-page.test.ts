// The programs of docs_site/cluster.md run, and answer what the page says.
import process from 'node:process'
import { readScrape } from '@twinwire/plugin-metrics/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { serving, startCluster } from '../support/cluster-process.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { hasOwnRedis, startRedis } from '../support/redis.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('cluster-page')
const redisThere = hasOwnRedis()

/** A new connection each time, so that the system selects a worker for it. */
const get = (url: string): Promise<Response> => fetch(url, { headers: { connection: 'close' } })

async function reach(port: number, workers: number): Promise<void> {
  const pids = new Set<unknown>()
  await vi.waitFor(
    async () => {
      pids.add(Object(await (await get(`http://localhost:${port}/who`)).json()).pid)
      expect(pids.size).toBe(workers)
    },
    { timeout: 30_000, interval: 1 },
  )
}

describe.skipIf(process.platform !== 'linux')('the programs of the page about clusters', () => {
  testBlocks(page)

  it('answer from two processes', async () => {
    const cluster = startCluster({ PORT: '0' }, `${page.folder}/main.ts`)
    await reach(await serving(cluster), 2)
    cluster.kill('SIGTERM')
    expect(await cluster.ended).toEqual({ code: 0, signal: null })
  })

  it.skipIf(!redisThere)('serve health and metrics of all workers, in production', async () => {
    const redis = await startRedis({ own: true })
    onTestFinished(() => redis.stop())
    const env = { ENV: 'production', REDIS_URL: redis.url, CLUSTER_PORT: '0', PORT: '0' }
    const cluster = startCluster(env, `${page.folder}/production/main.ts`)
    const { url } = await cluster.line(({ msg }) => msg === 'The parent serves the health of the cluster')
    const port = await serving(cluster)
    const workers = cluster.lines.filter(({ msg }) => msg === 'Worker starts').map(({ worker }) => String(worker))
    await reach(port, workers.length)
    const report = Object(await (await get(`${url}/health`)).json())
    expect([report.status, Object.keys(report.workers)]).toEqual(['healthy', workers])
    const scrape = readScrape(await (await get(`${url}/metrics`)).text())
    expect(scrape.value('cluster_workers_serving')).toBe(workers.length)
    expect(
      scrape.value('http_requests_total', { method: 'GET', endpoint: '/who', status_code: '200' }),
    ).toBeGreaterThanOrEqual(workers.length)
    cluster.kill('SIGTERM')
    expect(await cluster.ended).toEqual({ code: 0, signal: null })
  })
})
