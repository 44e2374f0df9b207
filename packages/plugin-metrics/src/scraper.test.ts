import { type CounterCell, Instruments } from '@twinwire/core'
import { createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client'
import { describe, expect, it } from 'vitest'
import type { Format } from './exposition.ts'
import { type CollectSource, Scraper } from './scraper.ts'
import { readScrape, type Scrape } from './testing/index.ts'

function create(registry: Registry | null = null) {
  const instruments = new Instruments()
  const log = createTestLogger()
  const clock = createVirtualClock()
  const family = instruments.counter('errors_total', 'Errors', { source: ['instruments', 'node', 'registry'] })
  const errors: Record<CollectSource, CounterCell> = {
    instruments: family.cell({ source: 'instruments' }),
    node: family.cell({ source: 'node' }),
    registry: family.cell({ source: 'registry' }),
  }
  const scraper = new Scraper({ instruments, node: null, registry, clock, log, collectTimeoutMs: 2000, errors })
  const text = async (format: Format = 'text'): Promise<string> => Buffer.from(await scraper.scrape(format)).toString()
  const scrape = async (format?: Format): Promise<Scrape> => readScrape(await text(format))
  return { instruments, log, clock, errors, scraper, text, scrape }
}

describe('a scrape', () => {
  it('has everything that has a cell, and ends as its form says', async () => {
    const { instruments, text, scrape } = create()
    instruments.gauge('never', 'Declared, and no cell asked for')
    instruments.gauge('open', 'Open').cell().set(3)
    expect((await scrape()).value('open')).toBe(3)
    expect((await scrape('openmetrics')).value('open')).toBe(3)
    expect(await text('openmetrics')).toMatch(/\n# EOF\n$/)
    expect(await text()).not.toContain('EOF')
    expect(await text()).not.toContain('never')
  })

  it('is shared by those who ask while it is made, and made anew for the next', async () => {
    const { instruments, scraper } = create()
    let reads = 0
    instruments
      .gauge('reads', 'How often it was read')
      .cell()
      .readFrom(() => ++reads)
    const [one, two, open] = await Promise.all([
      scraper.scrape('text'),
      scraper.scrape('text'),
      scraper.scrape('openmetrics'),
    ])
    expect(one).toBe(two)
    expect(open).not.toBe(one)
    expect(reads).toBe(2)
    await scraper.scrape('text')
    expect(reads).toBe(3)
  })

  it('lets others work in between, however many series there are', async () => {
    const { instruments, scraper } = create()
    const values = Array.from({ length: 20_000 }, (_, i) => String(i))
    const family = instruments.counter('many_total', 'Many', { value: values })
    // Not asked for one by one: that would look each value up in the list.
    for (const value of values.slice(0, 4000)) family.cell({ value })
    let turns = 0
    let done = false
    const count = (): void => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    const page = readScrape(Buffer.from(await scraper.scrape('text')).toString())
    done = true
    expect(page.samples.filter(({ name }) => name === 'many_total')).toHaveLength(4000)
    expect(turns).toBeGreaterThanOrEqual(3)
  })

  it('goes on without a gauge that cannot be read, says so once, and has it again when it can', async () => {
    const { instruments, errors, log, scrape } = create()
    let broken = true
    const queue = instruments.gauge('queue', 'Queue', { name: ['a', 'b'] })
    queue.cell({ name: 'a' }).readFrom(() => {
      if (broken) throw new Error('no queue')
      return 7
    })
    queue.cell({ name: 'b' }).set(1)
    for (let i = 0; i < 3; i++) {
      const page = await scrape()
      expect([page.value('queue', { name: 'a' }), page.value('queue', { name: 'b' })]).toEqual([undefined, 1])
    }
    expect(errors.instruments.value).toBe(3)
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    broken = false
    expect((await scrape()).value('queue', { name: 'a' })).toBe(7)
    broken = true
    await scrape()
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(2)
  })
})

describe('a registry of prom-client', () => {
  it('is served with ours, in both forms, and is not changed by it', async () => {
    const registry = new Registry()
    registry.setDefaultLabels({ shop: 'north' })
    const registers = [registry]
    new Counter({ name: 'orders_total', help: 'Orders', labelNames: ['kind'], registers }).inc({ kind: 'a"b' }, 2)
    new Counter({ name: 'visits', help: 'Visits', registers }).inc()
    new Gauge({ name: 'stock', help: 'Stock', labelNames: ['shelf'], registers }).set({ shelf: 4 }, 1.5)
    new Histogram({ name: 'weight', help: 'Weight', buckets: [1, 2.5], registers }).observe(2)
    new Summary({ name: 'wait', help: 'Wait', percentiles: [0.5, 1], registers }).observe(3)
    const { text, scrape } = create(registry)
    for (let i = 0; i < 2; i++) {
      expect(await text('openmetrics')).toContain('# TYPE orders counter\norders_total{kind="a\\"b",shop="north"} 2\n')
      expect(await text('openmetrics')).toContain('# TYPE visits counter\nvisits_total{shop="north"} 1\n')
      expect(await text()).toContain('# TYPE orders_total counter\norders_total{kind="a\\"b",shop="north"} 2\n')
      expect(await text()).toContain('# TYPE visits counter\nvisits{shop="north"} 1\n')
    }
    const page = await scrape()
    expect(page.value('stock', { shelf: '4', shop: 'north' })).toBe(1.5)
    expect(page.value('weight_bucket', { le: '1.0' })).toBe(0)
    expect(page.value('weight_bucket', { le: '2.5' })).toBe(1)
    expect(page.value('weight_bucket', { le: '+Inf' })).toBe(1)
    expect(page.value('weight_count')).toBe(1)
    expect(page.value('wait', { quantile: '0.5' })).toBe(3)
    expect(page.value('wait_sum')).toBe(3)
  })

  it('gives its exemplars to OpenMetrics, which alone has them', async () => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const counter = new Counter({
      name: 'orders_total',
      help: 'Orders',
      enableExemplars: true,
      registers: [registry],
    })
    counter.inc({ value: 2, exemplarLabels: { trace_id: 'abc' } })
    const { instruments, log, clock, errors } = create()
    const scraper = new Scraper({ instruments, node: null, registry, clock, log, collectTimeoutMs: 2000, errors })
    const read = async (format: Format) => Buffer.from(await scraper.scrape(format)).toString()
    expect(await read('openmetrics')).toMatch(/\norders_total 2 # \{trace_id="abc"\} 2 \d+(?:\.\d+)?\n/)
    expect(await read('text')).toMatch(/\norders_total 2\n/)
    expect(readScrape(await read('openmetrics')).value('orders_total')).toBe(2)
  })

  it.each([
    ['throws', () => Promise.reject(new Error('no stock')), 0],
    ['takes too long', () => new Promise<void>(() => {}), 2000],
  ])('whose collector %s is left out of that scrape, and ours is served', async (_name, collect, waits) => {
    const registry = new Registry()
    let broken = true
    new Gauge({
      name: 'stock',
      help: 'Stock',
      registers: [registry],
      async collect() {
        if (broken) await collect()
        this.set(1)
      },
    })
    const { instruments, clock, errors, log, scraper, scrape } = create(registry)
    instruments.gauge('open', 'Open').cell().set(3)
    const pending = scraper.scrape('text')
    await clock.advance(waits)
    const page = readScrape(Buffer.from(await pending).toString())
    expect([page.value('open'), page.value('stock')]).toEqual([3, undefined])
    expect(errors.registry.value).toBe(1)
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1)
    broken = false
    expect((await scrape()).value('stock')).toBe(1)
  })

  it('does not get a name that is ours: the later one is left out', async () => {
    const registry = new Registry()
    const { instruments, errors, scrape } = create(registry)
    instruments.counter('orders_total', 'Ours').cell().inc(5)
    instruments.histogram('weight', 'Ours', [1]).cell().observe(1)
    for (const name of ['orders_total', 'orders', 'weight', 'weight_count']) {
      new Gauge({ name, help: 'Theirs', registers: [registry] }).set(9)
    }
    new Gauge({ name: 'stock', help: 'Theirs', registers: [registry] }).set(9)
    const page = await scrape()
    expect([page.value('orders_total'), page.value('orders'), page.value('weight_count'), page.value('stock')]).toEqual(
      [5, undefined, 1, 9],
    )
    expect(errors.registry.value).toBe(4)
  })
})
