import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GaugeCell, HistogramCell } from './cells.ts'
import { createCallInstruments, createWebSocketInstruments } from './core-instruments.ts'
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

  it('have each name once', () => {
    const instruments = new Instruments()
    instruments.gauge('a', 'A')
    expect(() => instruments.counter('a', 'A')).toThrow(expect.objectContaining({ code: 'instrument_duplicate' }))
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
    ['another help', (i) => i.counter('a', 'B', { x: ['2'] }, { shared: true }), 'its declarations differ'],
    ['other labels', (i) => i.counter('a', 'A', { y: ['2'] }, { shared: true }), 'its declarations differ'],
    ['another type', (i) => i.gauge('a', 'A', { x: ['2'] }, { shared: true }), 'is declared twice'],
    ['no word of sharing', (i) => i.counter('a', 'A', { x: ['2'] }), 'is declared twice'],
  ])('refuse a shared name declared with %s', (_, declare, message) => {
    const instruments = new Instruments()
    instruments.counter('a', 'A', { x: ['1'] }, { shared: true })
    expect(() => declare(instruments)).toThrow(expect.objectContaining({ code: 'instrument_duplicate' }))
    expect(() => declare(instruments)).toThrow(message)
  })

  it('refuse a shared histogram of other buckets', () => {
    const instruments = new Instruments()
    instruments.histogram('a', 'A', [1, 2], {}, { shared: true })
    expect(() => instruments.histogram('a', 'A', [1, 3], {}, { shared: true })).toThrow('its declarations differ')
  })

  it.each([[[1, 1]], [[2, 1]], [[Number.NaN]], [[1, Number.NaN]]])('refuse the buckets %j', (buckets) => {
    expect(() => new Instruments().histogram('a', 'A', buckets)).toThrow('The buckets of a must rise')
  })
})

describe('what core counts', () => {
  it('of the WebSocket wire', () => {
    const instruments = new Instruments()
    const { connection, closed, active } = createWebSocketInstruments(instruments)
    connection('accepted')
    connection('rejected_limit')
    closed({ code: 1013 })
    closed({ code: 4999 })
    active.inc()
    const values = (name: string) =>
      Object.fromEntries(
        (instruments.families().find((family) => family.name === name)?.cells ?? [])
          .map(({ labels, cell }) => [Object.values(labels)[0] ?? '', 'value' in cell ? cell.value : 0] as const)
          .filter(([, value]) => value !== 0),
      )
    expect(values('ws_connections_total')).toEqual({ accepted: 1, rejected_limit: 1 })
    expect(values('ws_closes_total')).toEqual({ 1013: 1, other: 1 })
    expect(values('ws_connections_active')).toEqual({ '': 1 })
  })

  it('of calls, by outcome and in seconds', () => {
    const instruments = new Instruments()
    const counts = createCallInstruments(instruments, { pkgIds: ['1'], endpoints: ['/a/:id'], methods: ['GET'] })
    const outcome = { error: null, aborted: false, httpStatus: 200, durationMs: 20 }
    counts.webSocket('1')(outcome)
    const http = counts.http('GET', '/a/:id')
    http(outcome)
    http({ ...outcome, httpStatus: 504 })
    http(outcome)
    const family = (name: string) => instruments.families().find((each) => each.name === name)
    expect(
      family('http_requests_total')?.cells.map(({ labels, cell }) => [
        labels.status_code,
        (cell as { value: number }).value,
      ]),
    ).toEqual([
      ['200', 2],
      ['504', 1],
    ])
    const duration = family('ws_message_processing_duration_seconds')?.cells[0]?.cell as HistogramCell
    expect([duration.count, duration.sum]).toEqual([1, 0.02])
  })
})
