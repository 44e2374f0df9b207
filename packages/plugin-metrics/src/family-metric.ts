import { GaugeCell, HistogramCell, type InstrumentFamily } from '@twinwire/core/plugin'
import type { Exemplars } from './exemplars.ts'
import type { PromMetric, PromSample } from './prom-registry.ts'

const aggregators = { sum: 'sum', max: 'max', one: 'first' } as const

/** An instrument as prom-client would describe it. `onError`: a cell could not be read and is left out. */
export function toPromMetric(
  family: InstrumentFamily,
  exemplars: Exemplars | null,
  onError: (index: number, error: unknown) => void,
): PromMetric {
  const { name, help, type, combine, cells } = family
  const values: PromSample[] = []
  for (const [index, { labels, cell }] of cells.entries()) {
    try {
      if (cell instanceof HistogramCell) values.push(...toSamples(name, labels, cell, exemplars))
      else values.push({ labels, value: checkValue(cell.value, cell instanceof GaugeCell) })
    } catch (error) {
      onError(index, error)
    }
  }
  return { name, help, type, values, aggregator: aggregators[combine] }
}

function toSamples(
  name: string,
  labels: Readonly<Record<string, string>>,
  cell: HistogramCell,
  exemplars: Exemplars | null,
): PromSample[] {
  const ofCell = exemplars?.of(cell)
  let upTo = 0
  const buckets = [...cell.bounds, '+Inf'].map((le, i) => {
    upTo += cell.counts[i] ?? 0
    const sample = { metricName: `${name}_bucket`, labels: { ...labels, le }, value: upTo }
    const exemplar = ofCell?.[i]
    return exemplar === undefined ? sample : { ...sample, exemplar }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: cell.sum },
    { metricName: `${name}_count`, labels, value: cell.count },
  ]
}

/** As the pages of one process check it. */
function checkValue(value: number, isGauge: boolean): number {
  if (typeof value !== 'number') throw new TypeError(`A value must be a number, received ${typeof value}`)
  if (!isGauge && !(value >= 0)) throw new Error(`The value of a counter must not be ${value}`)
  return value
}
