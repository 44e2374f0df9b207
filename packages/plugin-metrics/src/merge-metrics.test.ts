import { describe, expect, it } from 'vitest'
import { mergeMetrics, onlyCumulative } from './merge-metrics.ts'
import type { PromMetric } from './prom-registry.ts'

const gauge = (aggregator: string | undefined, value: number): PromMetric[] => [
  { name: 'g', help: 'G', type: 'gauge', aggregator, values: [{ labels: {}, value }] },
]
const only = (metrics: readonly PromMetric[]) => metrics[0]?.values.map(({ value }) => value)

describe('the metrics of several workers', () => {
  it.each([
    [undefined, 9],
    ['sum', 9],
    ['max', 5],
    ['min', 1],
    ['average', 3],
    ['first', 3],
    ['omit', 5],
    ['of a later version', 9],
  ])('a gauge with the aggregator %s', (aggregator, expected) => {
    expect(only(mergeMetrics([3, 5, 1].map((value) => gauge(aggregator, value))))).toEqual([expected])
  })

  it('add the counters and histograms by series, whichever worker has it and in whichever order its labels are', () => {
    const counter = (...values: PromMetric['values']): PromMetric => ({
      name: 'c_total',
      help: 'C',
      type: 'counter',
      values,
    })
    const bucket = (le: string | number, value: number): PromMetric => ({
      name: 'h',
      help: 'H',
      type: 'histogram',
      aggregator: 'max',
      values: [{ metricName: 'h_bucket', labels: { le }, value }],
    })
    const merged = mergeMetrics([
      [
        counter({ labels: { a: '1', b: '2' }, value: 1 }, { labels: { a: '2', b: undefined }, value: 7 }),
        bucket(0.5, 2),
      ],
      [counter({ labels: { b: '2', a: 1 }, value: 2 }, { labels: { a: '2' }, value: 1 }), bucket('0.5', 3)],
      [counter({ labels: { a: '3' }, value: 4 })],
    ])
    expect(merged.map(({ name }) => name)).toEqual(['c_total', 'h'])
    expect(merged.map(({ values }) => values.map(({ value }) => value))).toEqual([[3, 8, 4], [5]])
  })

  it('have the largest quantile of a summary, and the sums of its other samples', () => {
    const summary = (quantile: number, count: number): PromMetric => ({
      name: 's',
      help: 'S',
      type: 'summary',
      values: [
        { labels: { quantile: 0.9 }, value: quantile },
        { metricName: 's_count', labels: {}, value: count },
      ],
    })
    expect(only(mergeMetrics([[summary(0.2, 10)], [summary(0.7, 5)]]))).toEqual([0.7, 15])
    expect(only(onlyCumulative([summary(0.2, 10)]))).toEqual([10])
  })

  it('have the last exemplar of each series, whichever worker has it', () => {
    const bucket = (exemplar: PromMetric['values'][number]['exemplar']): PromMetric[] => [
      {
        name: 'h',
        help: 'H',
        type: 'histogram',
        values: [{ metricName: 'h_bucket', labels: { le: '+Inf' }, value: 1, exemplar }],
      },
    ]
    const at = (timestamp: number | undefined, trace_id: string) => ({ labelSet: { trace_id }, value: 1, timestamp })
    const rejected = { labelSet: { trace_id: 'long' }, value: null, timestamp: 9 }
    const lastOf = (...exemplars: readonly PromMetric['values'][number]['exemplar'][]) =>
      mergeMetrics(exemplars.map(bucket))[0]?.values.map(({ value, exemplar }) => [value, exemplar?.labelSet.trace_id])
    expect(lastOf(undefined, at(1, 'a'))).toEqual([[2, 'a']])
    expect(lastOf(at(1, 'a'), undefined, null)).toEqual([[3, 'a']])
    expect(lastOf(at(1, 'a'), at(3, 'c'), at(2, 'b'))).toEqual([[3, 'c']])
    expect(lastOf(at(undefined, 'none'), at(1, 'a'))).toEqual([[2, 'a']])
    expect(lastOf(rejected, at(1, 'a'), rejected)).toEqual([[3, 'a']])
  })

  it('of a worker that has ended are what it has counted', () => {
    const counted: PromMetric = { name: 'c_total', help: 'C', type: 'counter', values: [{ labels: {}, value: 1 }] }
    expect(onlyCumulative([counted, ...gauge('max', 3)])).toEqual([counted])
  })
})
