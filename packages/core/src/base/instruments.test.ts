import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GaugeCell, HistogramCell } from './cells.ts'
import { Instruments } from './instruments.ts'

describe('cells', () => {
  it('count', () => {
    const counter = new Instruments().counter('a_total', 'A').cell()
    counter.inc()
    counter.inc(2.5)
    expect(counter.value).toBe(3.5)
  })

  it('go up and down, or are read when asked', () => {
    const gauge = new GaugeCell()
    gauge.inc(3)
    gauge.dec()
    expect(gauge.value).toBe(2)
    gauge.set(7)
    expect(gauge.value).toBe(7)
    let queue = 1
    gauge.readFrom(() => queue)
    queue = 9
    expect(gauge.value).toBe(9)
  })

  it('put each value into the first bucket that holds it', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
    const rising = fc.uniqueArray(finite, { maxLength: 8 }).map((bounds) => bounds.sort((a, b) => a - b))
    fc.assert(
      fc.property(
        rising,
        fc.array(fc.oneof(finite, fc.constant(Number.POSITIVE_INFINITY)), { maxLength: 20 }),
        (bounds, values) => {
          const cell = new HistogramCell(bounds)
          for (const value of values) cell.observe(value)
          const expected = [...bounds, Number.POSITIVE_INFINITY].map((bound, i, all) => {
            const above = all[i - 1] ?? Number.NEGATIVE_INFINITY
            return values.filter((value) => value <= bound && value > above).length
          })
          expect([...cell.counts]).toEqual(expected)
          expect(cell.count).toBe(values.length)
          expect(cell.sum).toBe(values.reduce((sum, value) => sum + value, 0))
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('instruments', () => {
  it('give the same cell for the same labels', () => {
    const instruments = new Instruments()
    const refused = instruments.counter('refused_total', 'Refused', {
      reason: ['expired', 'limit'],
      wire: ['ws', 'http'],
    })
    const one = refused.cell({ reason: 'expired', wire: 'ws' })
    expect(refused.cell({ wire: 'ws', reason: 'expired' })).toBe(one)
    expect(refused.cell({ reason: 'limit', wire: 'ws' })).not.toBe(one)
    one.inc()
    const [family] = instruments.families()
    expect(family).toMatchObject({
      name: 'refused_total',
      help: 'Refused',
      type: 'counter',
      labelNames: ['reason', 'wire'],
    })
    expect(family?.cells.map(({ labels, cell }) => [labels, cell === one])).toEqual([
      [{ reason: 'expired', wire: 'ws' }, true],
      [{ reason: 'limit', wire: 'ws' }, false],
    ])
  })

  it('refuse a value that the labels do not name: series are bounded', () => {
    const counter = new Instruments().counter('a_total', 'A', { reason: ['x'] })
    const unknown = { reason: 'y' as 'x' }
    expect(() => counter.cell(unknown)).toThrow("a_total has no value 'y' for its label reason")
    expect(counter.cells).toEqual([])
  })

  it('refuse a label that was not declared, which the compiler lets through in a variable', () => {
    const counter = new Instruments().counter('a_total', 'A', { reason: ['x'] })
    const more = { reason: 'x', user: 'ann' } as const
    expect(() => counter.cell(more)).toThrow(
      expect.objectContaining({ code: 'bad_option', message: 'a_total has no label user' }),
    )
    expect(counter.cells).toEqual([])
  })

  it('have each name once', () => {
    const instruments = new Instruments()
    instruments.gauge('a', 'A')
    expect(() => instruments.counter('a', 'A')).toThrow(expect.objectContaining({ code: 'duplicate_instrument' }))
  })

  it('share a name among plugins that all say so, each with label values of its own', () => {
    const instruments = new Instruments()
    const declare = (service: string) =>
      instruments.gauge('breaker_state', 'State of a breaker', { service: [service] }, { shared: true })
    const [keycloak, redis] = [declare('keycloak'), declare('redis')]
    keycloak.cell({ service: 'keycloak' }).set(2)
    redis.cell({ service: 'redis' }).set(1)
    expect(redis.cell({ service: 'redis' })).toBe(redis.cell({ service: 'redis' }))
    expect(() => keycloak.cell({ service: 'redis' })).toThrow("no value 'redis' for its label service")
    const families = instruments.families()
    expect(families).toHaveLength(1)
    expect(families[0]?.cells.map(({ labels, cell }) => [labels, 'value' in cell && cell.value])).toEqual([
      [{ service: 'keycloak' }, 2],
      [{ service: 'redis' }, 1],
    ])
    expect(keycloak.cells).toBe(families[0]?.cells)
  })

  it.each<[string, (instruments: Instruments) => unknown, string]>([
    ['another help', (i) => i.counter('a_total', 'B', { x: ['2'] }, { shared: true }), 'its declarations differ'],
    ['other labels', (i) => i.counter('a_total', 'A', { y: ['2'] }, { shared: true }), 'its declarations differ'],
    ['another type', (i) => i.gauge('a_total', 'A', { x: ['2'] }, { shared: true }), 'is declared twice'],
    ['no word of sharing', (i) => i.counter('a_total', 'A', { x: ['2'] }), 'is declared twice'],
  ])('refuse a shared name declared with %s', (_, declare, message) => {
    const instruments = new Instruments()
    instruments.counter('a_total', 'A', { x: ['1'] }, { shared: true })
    expect(() => declare(instruments)).toThrow(expect.objectContaining({ code: 'duplicate_instrument' }))
    expect(() => declare(instruments)).toThrow(message)
  })

  it('refuse a shared histogram of other buckets', () => {
    const instruments = new Instruments()
    instruments.histogram('a', 'A', [1, 2], {}, { shared: true })
    expect(() => instruments.histogram('a', 'A', [1, 3], {}, { shared: true })).toThrow('its declarations differ')
  })

  it.each([[[1, 1]], [[2, 1]], [[Number.NaN]], [[1, Number.NaN]]])('refuse the buckets %j', (buckets) => {
    expect(() => new Instruments().histogram('a', 'A', buckets)).toThrow('The buckets of a must increase')
  })

  it.each([
    [() => new Instruments().counter('refused', 'A'), 'The counter refused must have a name that ends in _total'],
    [() => new Instruments().gauge('open_total', 'A'), 'The gauge open_total must not end in _total'],
    [() => new Instruments().histogram('size_bucket', 'A', [1]), 'The histogram size_bucket must not end in _bucket'],
    [() => new Instruments().gauge('a-b', 'A'), "The instrument 'a-b' has a name that is not made of letters"],
    [() => new Instruments().gauge('1a', 'A'), "The instrument '1a' has a name"],
    [() => new Instruments().gauge('a', ''), 'The instrument a needs a help text'],
    [() => new Instruments().gauge('a', 'A', { __name: ['x'] }), "The instrument a has a label '__name'"],
    [() => new Instruments().gauge('a', 'A', { 'a.b': ['x'] }), "The instrument a has a label 'a.b'"],
    [() => new Instruments().histogram('a', 'A', [1], { le: ['x'] }), "The instrument a has a label 'le'"],
  ])('refuse names that no scrape could carry (%#)', (declare, message) => {
    expect(declare).toThrow(message)
    expect(declare).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})
