import { Instruments } from '@twinwire/core/plugin'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InstrumentLines } from './instrument-lines.ts'
import { readScrape } from './testing/index.ts'

function linesOf(instruments: Instruments): InstrumentLines {
  const [family] = instruments.families()
  if (family === undefined) throw new Error('No instrument was declared')
  return new InstrumentLines(family)
}

function write(lines: InstrumentLines): string {
  return lines.family.cells.map((_cell, i) => lines.write(i)).join('')
}

describe('the lines of an instrument', () => {
  it('are a counter', () => {
    const instruments = new Instruments()
    const family = instruments.counter('refused_total', 'Refused "so"\nby \\', { reason: ['a "b"\\\n'], wire: ['ws'] })
    family.cell({ reason: 'a "b"\\\n', wire: 'ws' }).inc(2.5)
    const lines = linesOf(instruments)
    expect(lines.header('text')).toBe('# HELP refused_total Refused "so"\\nby \\\\\n# TYPE refused_total counter\n')
    expect(lines.header('openmetrics')).toBe('# HELP refused Refused \\"so\\"\\nby \\\\\n# TYPE refused counter\n')
    expect(write(lines)).toBe('refused_total{reason="a \\"b\\"\\\\\\n",wire="ws"} 2.5\n')
  })

  it('are a gauge that is read at the time of the scrape', () => {
    const instruments = new Instruments()
    let value = 1e-7
    instruments
      .gauge('open', 'Open')
      .cell()
      .readFrom(() => value)
    const lines = linesOf(instruments)
    expect(write(lines)).toBe('open 1e-7\n')
    for (const [next, text] of [
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, '+Inf'],
      [Number.NEGATIVE_INFINITY, '-Inf'],
      [-0.5, '-0.5'],
      [1e21, '1e+21'],
    ] as const) {
      value = next
      expect(write(lines)).toBe(`open ${text}\n`)
    }
  })

  it('are a histogram, cumulated, with bounds that are floats', () => {
    const instruments = new Instruments()
    const cell = instruments.histogram('size', 'Size', [0.5, 1, 1000], { of: ['x'] }).cell({ of: 'x' })
    const lines = linesOf(instruments)
    for (const value of [0.1, 0.5, 0.7, 5000]) cell.observe(value)
    expect(write(lines)).toBe(
      [
        'size_bucket{of="x",le="0.5"} 2',
        'size_bucket{of="x",le="1.0"} 3',
        'size_bucket{of="x",le="1000.0"} 3',
        'size_bucket{of="x",le="+Inf"} 4',
        'size_sum{of="x"} 5001.3',
        'size_count{of="x"} 4\n',
      ].join('\n'),
    )
    cell.observe(0)
    expect(write(lines)).toContain('size_bucket{of="x",le="0.5"} 3\n')
  })

  it('include cells that are added later', () => {
    const instruments = new Instruments()
    const family = instruments.counter('a_total', 'A', { x: ['1', '2'] })
    family.cell({ x: '1' }).inc()
    const lines = linesOf(instruments)
    expect(write(lines)).toBe('a_total{x="1"} 1\n')
    family.cell({ x: '2' })
    expect(write(lines)).toBe('a_total{x="1"} 1\na_total{x="2"} 0\n')
  })

  it('are parsed as the counted values', () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), { maxLength: 20 })
    const strings = fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(strings, values, (labels, observed) => {
        const instruments = new Instruments()
        const family = instruments.histogram('a_seconds', 'A', [-1, 0, 0.25, 3], { text: labels })
        for (const text of labels) {
          const cell = family.cell({ text })
          for (const value of observed) cell.observe(value)
        }
        const lines = linesOf(instruments)
        const scrape = readScrape(`${lines.header('text')}${write(lines)}`)
        const read = (text: string) => [
          scrape.value('a_seconds_count', { text }),
          scrape.value('a_seconds_sum', { text }),
          ...['0.25', '+Inf'].map((le) => scrape.value('a_seconds_bucket', { text, le })),
        ]
        const upTo = observed.filter((value) => value <= 0.25).length
        expect(labels.map(read)).toEqual(
          labels.map((text) => [observed.length, family.cell({ text }).sum, upTo, observed.length]),
        )
      }),
      { numRuns: 100 },
    )
  })
})
