import { Instruments, systemClock } from '@twinwire/core/plugin'
import { createTestLogger } from '@twinwire/core/testing'
import { Counter, Gauge, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { clusterMetrics } from './cluster-metrics.ts'
import { createErrorCounters } from './error-counters.ts'
import { Scraper } from './scraper.ts'
import { readScrape } from './testing/index.ts'

/** A worker with instruments and a registry of its own; its report as it arrives at the parent. */
function createWorker(count: number) {
  const instruments = new Instruments()
  instruments
    .counter('orders_total', 'Orders', { kind: ['new'] })
    .cell({ kind: 'new' })
    .inc(count)
  instruments.gauge('open', 'Open').cell().set(count)
  instruments.gauge('slowest', 'Slowest', {}, { combine: 'max' }).cell().set(count)
  instruments.gauge('shop_info', 'Shop', {}, { combine: 'one' }).cell().set(1)
  instruments
    .gauge('broken', 'Broken')
    .cell()
    .readFrom(() => {
      throw new Error('no')
    })
  const sizes = instruments.histogram('cart_size', 'Items', [1, 10]).cell()
  for (let i = 0; i < count; i++) sizes.observe(i)
  const registry = new Registry()
  new Counter({ name: 'theirs_total', help: 'Theirs', registers: [registry] }).inc(count)
  new Gauge({ name: 'stock', help: 'Stock', registers: [registry], aggregator: 'min' }).set(count)
  const log = createTestLogger()
  const errors = createErrorCounters(instruments)
  const scraper = new Scraper({
    instruments,
    node: null,
    registry,
    clock: systemClock,
    log,
    collectTimeoutMs: 2000,
    errors,
  })
  return { read: async () => structuredClone(await scraper.read()) }
}

function createParent() {
  const instruments = new Instruments()
  instruments.gauge('cluster_workers_serving', 'Workers').cell().set(2)
  const writer = clusterMetrics().start({ instruments, log: createTestLogger() })
  const page = async (reports: Parameters<typeof writer.write>[0], accept = '') => {
    const { contentType, body } = await writer.write(reports, accept)
    return { contentType, scrape: readScrape(Buffer.from(body).toString()) }
  }
  return { writer, page }
}

describe('clusterMetrics()', () => {
  it.each(['', 'application/openmetrics-text'])('writes one page for all workers, accept %j', async (accept) => {
    const { page } = createParent()
    const reports = [await createWorker(2).read(), await createWorker(20).read()]
    const { scrape, contentType } = await page(
      reports.map((metrics) => ({ metrics, current: true })),
      accept,
    )
    expect(contentType).toContain(accept === '' ? 'text/plain' : accept)
    expect(scrape.value('cluster_workers_serving')).toBe(2)
    expect(scrape.value('orders_total', { kind: 'new' })).toBe(22)
    expect([scrape.value('open'), scrape.value('slowest'), scrape.value('shop_info')]).toEqual([22, 20, 1])
    expect(scrape.value('cart_size_bucket', { le: '10.0' })).toBe(2 + 11)
    expect([scrape.value('cart_size_sum'), scrape.value('cart_size_count')]).toEqual([1 + 190, 22])
    expect([scrape.value('theirs_total'), scrape.value('stock')]).toEqual([22, 2])
    // In each worker: counted there, and left out.
    expect([scrape.value('metrics_collect_errors_total', { source: 'instruments' }), scrape.value('broken')]).toEqual([
      2,
      undefined,
    ])
  })

  it('keeps what ended workers have counted, and of one that does not answer what it had counted before', async () => {
    const { writer, page } = createParent()
    writer.retire(await createWorker(3).read())
    writer.retire(await createWorker(4).read())
    const { scrape } = await page([
      { metrics: await createWorker(5).read(), current: true },
      { metrics: await createWorker(6).read(), current: false },
    ])
    expect([scrape.value('orders_total'), scrape.value('cart_size_count'), scrape.value('theirs_total')]).toEqual([
      18, 18, 18,
    ])
    expect([scrape.value('open'), scrape.value('slowest')]).toEqual([5, 5])
  })

  it('ignores what is not a report', async () => {
    const { writer, page } = createParent()
    for (const metrics of [null, 'x', {}, [null], [{ values: 1 }]]) {
      writer.retire(metrics)
      expect((await page([{ metrics, current: true }])).scrape.value('cluster_workers_serving')).toBe(2)
    }
  })
})
