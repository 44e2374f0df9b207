import { type CounterCell, Instruments } from '@twinwire/core/plugin'
import { createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client'
import { describe, expect, it } from 'vitest'
import type { Format } from './exposition.ts'
import type { PromMetric, PromRegistry } from './prom-registry.ts'
import { type CollectSource, Scraper } from './scraper.ts'
import { readScrape, type Scrape } from './testing/index.ts'

function create(registry: PromRegistry | null = null) {
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
  it('has all cells, and ends as its format requires', async () => {
    const { instruments, text, scrape } = create()
    instruments.gauge('never', 'Declared, and no cell asked for')
    instruments.gauge('open', 'Open').cell().set(3)
    expect((await scrape()).value('open')).toBe(3)
    expect((await scrape('openmetrics')).value('open')).toBe(3)
    expect(await text('openmetrics')).toMatch(/\n# EOF\n$/)
    expect(await text()).not.toContain('EOF')
    expect(await text()).not.toContain('never')
  })

  it('is shared by concurrent requests, and written again for the next', async () => {
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

  it('yields to other work, however many series there are', async () => {
    const { instruments, scraper } = create()
    const values = Array.from({ length: 20_000 }, (_, i) => String(i))
    const family = instruments.counter('many_total', 'Many', { value: values })
    // Declared at once: one by one, each value would be searched in the list.
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

  it('leaves out a gauge that throws, logs that once, and includes it when it recovers', async () => {
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
  it('is served too, in both formats, and is not changed', async () => {
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

  it('has its exemplars in OpenMetrics only', async () => {
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
  ])(
    'whose collector %s is left out of that scrape, and the other metrics are served',
    async (_name, collect, waits) => {
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
    },
  )

  it('cannot use a name of an instrument: the later metric is left out', async () => {
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

  it.each<Format>(['text', 'openmetrics'])('leaves out only what is invalid in the format %s', async (format) => {
    const registry = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const registers = [registry]
    const long = { trace_id: 'x'.repeat(200) }
    const orders = new Counter({ name: 'orders_total', help: 'Orders', enableExemplars: true, registers })
    expect(() => orders.inc({ value: 2, exemplarLabels: long })).toThrow(RangeError)
    const weight = new Histogram({ name: 'weight', help: 'Weight', buckets: [1, 5], enableExemplars: true, registers })
    weight.observe({ value: 0.5, exemplarLabels: { trace_id: 'abc' } })
    expect(() => weight.observe({ value: 3, exemplarLabels: long })).toThrow(RangeError)
    const named = new Counter({ name: 'named_total', help: 'Named', enableExemplars: true, registers })
    named.inc({ value: 1, exemplarLabels: { 'trace-id': 'abc' } })
    // 128 code points are allowed, whatever their length in UTF-16.
    const faces = new Counter({ name: 'faces_total', help: 'Faces', enableExemplars: true, registers })
    faces.inc({ value: 1, exemplarLabels: { f: '\u{1F600}'.repeat(60) } })
    const { errors, log, text } = create(registry)
    const page = readScrape(await text(format))
    expect([page.value('orders_total'), page.value('named_total'), page.value('faces_total')]).toEqual([2, 1, 1])
    expect([page.value('weight_bucket', { le: '5.0' }), page.value('weight_sum')]).toEqual([2, 3.5])
    const exemplars = (await text(format)).split('\n').filter((line) => line.includes(' # {'))
    const isOpen = format === 'openmetrics'
    expect(exemplars.map((line) => line.split(' ', 1)[0])).toEqual(
      isOpen ? ['weight_bucket{le="1.0"}', 'faces_total'] : [],
    )
    // Each of the two scrapes counts three; they are logged once.
    expect(errors.registry.value).toBe(isOpen ? 6 : 0)
    expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.what)).toEqual(
      isOpen ? ['exemplar of orders_total', 'exemplar of weight', 'exemplar of named_total'] : [],
    )
  })

  it('has an exemplar without a time, and one of an infinite value', async () => {
    const labelSet = { trace_id: 'a"b\\c\nd' }
    const values = [
      { value: 1, labels: { at: 'none' }, exemplar: { labelSet, value: 1 } },
      {
        value: 1,
        labels: { at: 'no number' },
        exemplar: { labelSet, value: Number.POSITIVE_INFINITY, timestamp: Number.NaN },
      },
    ]
    const { text } = create(of({ name: 'orders_total', help: 'Orders', type: 'counter', values }))
    const page = await text('openmetrics')
    expect(page).toContain('orders_total{at="none"} 1 # {trace_id="a\\"b\\\\c\\nd"} 1\n')
    expect(page).toContain('orders_total{at="no number"} 1 # {trace_id="a\\"b\\\\c\\nd"} +Inf\n')
    readScrape(page)
  })

  // Possible without types, and not checked by prom-client.
  it.each<[string, object, number]>([
    ['null as help', { help: null }, 1],
    ['a number as help', { help: 7 }, 1],
    ['help of two lines, with quotes', { help: 'one\ntwo "three" \\ four' }, 1],
    ['no type', { type: undefined }, 1],
    ['an unknown type', { type: 'Gauge' }, 1],
    ['a name with a dash', { name: 'the-odd' }, 0],
    ['an empty name', { name: '' }, 0],
    ['values of null', { values: null }, 0],
    ['a value that is a string', { values: [{ value: '1', labels: {} }] }, 0],
    ['a value that is null', { values: [{ value: null, labels: {} }] }, 0],
    ['a value that is missing', { values: [{ labels: {} }] }, 0],
    ['labels that are missing', { values: [{ value: 1 }] }, 1],
    ['NaN', { values: [{ value: Number.NaN, labels: {} }] }, 1],
    ['-Infinity', { values: [{ value: Number.NEGATIVE_INFINITY, labels: {} }] }, 1],
    ['NaN of a counter', { type: 'counter', values: [{ value: Number.NaN, labels: {} }] }, 0],
    ['a counter below zero', { type: 'counter', values: [{ value: -1, labels: {} }] }, 0],
    ['an invalid label name', { values: [{ value: 1, labels: { 'my-app': 'x' } }] }, 0],
    ['a label of null', { values: [{ value: 1, labels: { app: null } }] }, 1],
    ['a label with special characters', { values: [{ value: 1, labels: { app: 'a"b\\c\nd\re{}, f="g" # h' } }] }, 1],
    ['an unpaired surrogate', { values: [{ value: 1, labels: { app: '\ud800' } }] }, 1],
    [
      'one series twice',
      {
        values: [
          { value: 1, labels: { a: 1 } },
          { value: 2, labels: { a: '1' } },
        ],
      },
      1,
    ],
  ])('with %s leaves the scrape readable, with all other metrics', async (_name, odd, expected) => {
    const metric = { name: 'the_odd', help: 'Odd', type: 'gauge', values: [{ value: 1, labels: {} }], ...odd }
    const fine = { name: 'fine', help: 'Fine', type: 'gauge', values: [{ value: 3, labels: {} }] }
    const { instruments, errors, text } = create(of(metric, fine))
    instruments.gauge('open', 'Open').cell().set(3)
    for (const format of ['text', 'openmetrics'] as const) {
      const page = readScrape(await text(format))
      expect([page.value('open'), page.value('fine')]).toEqual([3, 3])
      expect(page.samples.filter(({ name }) => name.startsWith('the_odd'))).toHaveLength(expected)
    }
    if (expected === 0) expect(errors.registry.value).toBeGreaterThan(0)
  })

  it('with invalid default labels leaves out the metrics that have them', async () => {
    const registry = new Registry()
    new Gauge({ name: 'stock', help: 'Stock', registers: [registry] }).set(4)
    registry.setDefaultLabels({ 'my-shop': 'north' })
    const { instruments, errors, log, scrape } = create(registry)
    instruments.gauge('open', 'Open').cell().set(3)
    const page = await scrape('openmetrics')
    expect([page.value('open'), page.value('stock'), errors.registry.value]).toEqual([3, undefined, 1])
    expect(log.lines.find(({ level }) => level === 'error')?.fields.err).toMatchObject({
      message: "The label 'my-shop' has a name that is not made of letters, digits and _",
    })
  })

  it('loses only the metric whose collector fails', async () => {
    const registry = new Registry()
    const registers = [registry]
    registry.setDefaultLabels({ shop: 'north' })
    let collected = 0
    const queue = new Gauge({ name: 'queue', help: 'Queue', registers, collect: () => void collected++ })
    queue.set(2)
    const collect = () => {
      throw new Error('no stock')
    }
    new Gauge({ name: 'stock', help: 'Stock', registers, collect })
    const { errors, log, scrape } = create(registry)
    const page = await scrape()
    expect([page.value('queue', { shop: 'north' }), page.value('stock')]).toEqual([2, undefined])
    expect([errors.registry.value, collected]).toEqual([1, 1])
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { what: 'collect stock' } }])
  })

  it('may be a custom registry with private members', async () => {
    class OwnRegistry {
      readonly #metrics = [{ name: 'stock', help: 'Stock', type: 'gauge', values: [{ value: 4, labels: {} }] }]
      getMetricsAsArray() {
        return this.#metrics
      }
      async getMetricsAsJSON() {
        return this.#metrics
      }
    }
    const { errors, scrape } = create(new OwnRegistry())
    expect([(await scrape()).value('stock'), errors.registry.value]).toEqual([4, 0])
  })
})

describe('an instrument', () => {
  it('whose value is not a number, or a negative counter, is left out', async () => {
    const { instruments, errors, text } = create()
    const odd: readonly unknown[] = [undefined, null, '7', 7n, Promise.resolve(7)]
    for (const [at, value] of odd.entries())
      instruments
        .gauge(`odd_${at}`, 'Odd')
        .cell()
        .readFrom(() => value as number)
    instruments.counter('lost_total', 'Lost').cell().inc(Number.NaN)
    instruments.counter('back_total', 'Back').cell().inc(-1)
    instruments.gauge('open', 'Open "files"\nand \\ more').cell().set(3)
    for (const format of ['text', 'openmetrics'] as const) {
      const page = readScrape(await text(format))
      expect(page.value('open')).toBe(3)
      expect(page.samples.filter(({ name }) => /^(odd|lost|back)_/.test(name))).toEqual([])
    }
    expect(errors.instruments.value).toBe(2 * (odd.length + 2))
  })
})

/** A registry with only the used methods. */
function of(...metrics: readonly object[]): PromRegistry {
  // The values are invalid, as they can be without types.
  const all = metrics as readonly PromMetric[]
  return { getMetricsAsArray: () => all, getMetricsAsJSON: async () => all }
}
