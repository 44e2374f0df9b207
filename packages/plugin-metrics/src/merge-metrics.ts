import type { PromMetric, PromSample } from './prom-registry.ts'

/** What the values of one series become. */
type Combination = 'sum' | 'max' | 'min' | 'average' | 'first'

interface MergedSeries {
  /** With the last exemplar of all workers. */
  sample: PromSample
  readonly values: number[]
}

interface MergedMetric {
  readonly metric: PromMetric
  readonly combination: Combination
  readonly series: Map<string, MergedSeries>
}

/**
 * The metrics of several workers as those of one process, by prom-client's rules for a cluster: counters, histograms and summaries are added;
 * a gauge follows its `aggregator`, by default it is added too. One difference: a gauge of `omit`, such as the start of the process, is the
 * largest.
 */
export function mergeMetrics(reports: readonly (readonly PromMetric[])[]): readonly PromMetric[] {
  const merged = new Map<string, MergedMetric>()
  for (const metric of reports.flat()) {
    let known = merged.get(metric.name)
    if (known === undefined) {
      known = { metric, combination: toCombination(metric), series: new Map() }
      merged.set(metric.name, known)
    }
    for (const sample of metric.values) {
      const key = toKey(sample)
      const series = known.series.get(key)
      if (series === undefined) known.series.set(key, { sample, values: [sample.value] })
      else {
        series.values.push(sample.value)
        if (isLater(sample.exemplar, series.sample.exemplar)) series.sample = sample
      }
    }
  }
  return [...merged.values()].map(({ metric, combination, series }) => ({
    ...metric,
    values: [...series.values()].map(({ sample, values }) => ({
      ...sample,
      // A quantile of several workers cannot be computed from theirs.
      value: combine(sample.labels?.quantile === undefined ? combination : 'max', values),
    })),
  }))
}

/** What never decreases, so that it stays in the sums when its worker has ended. */
export function onlyCumulative(metrics: readonly PromMetric[]): readonly PromMetric[] {
  return metrics
    .filter(({ type }) => isCumulative(type))
    .map((metric) => ({ ...metric, values: metric.values.filter(({ labels }) => labels?.quantile === undefined) }))
}

/** One without a time is the oldest; one without a value was rejected by prom-client. */
function isLater(exemplar: PromSample['exemplar'], known: PromSample['exemplar']): boolean {
  if (!exemplar || exemplar.value === null) return false
  if (!known || known.value === null) return true
  return (exemplar.timestamp ?? 0) > (known.timestamp ?? 0)
}

const isCumulative = (type: unknown): boolean => type === 'counter' || type === 'histogram' || type === 'summary'

function toCombination({ type, aggregator }: PromMetric): Combination {
  if (isCumulative(type)) return 'sum'
  if (aggregator === 'omit') return 'max'
  return aggregator === 'max' || aggregator === 'min' || aggregator === 'average' || aggregator === 'first'
    ? aggregator
    : 'sum'
}

function combine(combination: Combination, values: readonly number[]): number {
  if (combination === 'first') return values[0] ?? Number.NaN
  if (combination === 'max') return Math.max(...values)
  if (combination === 'min') return Math.min(...values)
  const sum = values.reduce((total, value) => total + value, 0)
  return combination === 'average' ? sum / values.length : sum
}

function toKey({ metricName = '', labels = {} }: PromSample): string {
  const pairs = Object.entries(labels).filter(([, value]) => value !== undefined)
  return JSON.stringify([
    metricName,
    pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, String(value)]),
  ])
}
