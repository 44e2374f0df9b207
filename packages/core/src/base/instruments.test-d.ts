import { describe, expectTypeOf, test } from 'vitest'
import type { CounterCell, HistogramCell } from './cells.ts'
import type { Instruments } from './instruments.ts'

declare const instruments: Instruments
declare const free: string

describe('instruments', () => {
  const refused = instruments.counter('refused_total', 'Refused', { reason: ['expired', 'limit'], wire: ['ws'] })

  test('take the values that were declared', () => {
    expectTypeOf(refused.cell({ reason: 'limit', wire: 'ws' })).toEqualTypeOf<CounterCell>()
    expectTypeOf(instruments.histogram('size', 'Size', [1, 2]).cell()).toEqualTypeOf<HistogramCell>()
  })

  test('take no free string, no other value, and no label that is missing or unknown', () => {
    // @ts-expect-error a free string would be a series for each text
    refused.cell({ reason: free, wire: 'ws' })
    // @ts-expect-error not one of the values
    refused.cell({ reason: 'other', wire: 'ws' })
    // @ts-expect-error `wire` is missing
    refused.cell({ reason: 'limit' })
    // @ts-expect-error no such label
    refused.cell({ reason: 'limit', wire: 'ws', user: free })
    // @ts-expect-error labels are not optional
    refused.cell()
    // @ts-expect-error nor of a gauge
    instruments.gauge('queue', 'Queue', { name: ['a'] }).cell({ name: free })
    // @ts-expect-error nor of a histogram
    instruments.histogram('amount', 'Amount', [1], { kind: ['a'] }).cell({ kind: free })
    // @ts-expect-error it has no labels
    instruments.gauge('open', 'Open').cell({ user: free })
  })
})
