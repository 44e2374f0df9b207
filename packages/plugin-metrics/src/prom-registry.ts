import { type Format, toBaseName, toBound, toHeader, toLabels, toNumber, toPrefix } from './exposition.ts'

/** What is read of a registry of prom-client: any version whose registry has these two. */
export interface PromRegistry {
  getMetricsAsJSON(): Promise<readonly PromMetric[]>
  getMetricsAsArray(): ReadonlyArray<{ readonly name: string; readonly type: unknown }>
}

/** What one metric of prom-client holds at a moment. */
export interface PromMetric {
  readonly name: string
  readonly help: string
  /** `counter`, `gauge`, `histogram` or `summary`; its own types say otherwise. */
  readonly type: unknown
  readonly values: readonly PromSample[]
}

interface PromSample {
  readonly value: number
  readonly labels: PromLabels
  /** Of the sample, where it is another than the metric's: `…_bucket`. */
  readonly metricName?: string | undefined
  readonly exemplar?: PromExemplar | null | undefined
}

type PromLabels = Readonly<Record<string, string | number | undefined>>

interface PromExemplar {
  readonly labelSet: PromLabels
  readonly value: number
  /** Seconds since the epoch. */
  readonly timestamp?: number
}

export function toPromHeader({ name, help, type }: PromMetric, format: Format): string {
  return toHeader(name, help, String(type), format)
}

/**
 * One sample of a metric. Written here and not by prom-client, whose OpenMetrics form renames the counters of the registry for
 * good: the next scrape in the other form would miss their `_total`.
 */
export function toPromLine({ name, type }: PromMetric, sample: PromSample, format: Format): string {
  const isOpen = format === 'openmetrics'
  const sampleName = isOpen && type === 'counter' ? `${toBaseName(name)}_total` : (sample.metricName ?? name)
  const exemplar = isOpen && sample.exemplar ? ` # ${toExemplar(sample.exemplar)}` : ''
  return `${toPrefix(sampleName, toPromLabels(sample.labels))}${toNumber(sample.value)}${exemplar}\n`
}

function toExemplar({ labelSet, value, timestamp }: PromExemplar): string {
  const at = timestamp === undefined ? '' : ` ${timestamp}`
  return `{${toPromLabels(labelSet)}} ${toNumber(value)}${at}`
}

function toPromLabels(labels: PromLabels): string {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(labels)) {
    if (value === undefined) continue
    const isBound = typeof value === 'number' && (name === 'le' || name === 'quantile')
    texts[name] = isBound ? toBound(value) : String(value)
  }
  return toLabels(texts)
}
