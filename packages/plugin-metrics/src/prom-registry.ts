import { type Format, toBaseName, toBound, toHeader, toLabels, toNumber, toPrefix } from './exposition.ts'

/** The part of a registry of prom-client that is used: any version with these two methods. */
export interface PromRegistry {
  getMetricsAsJSON(): Promise<readonly PromMetric[]>
  getMetricsAsArray(): ReadonlyArray<{ readonly name: string; readonly type: unknown }>
}

/** A metric of prom-client, as it was read. */
export interface PromMetric {
  readonly name: string
  readonly help: string
  /** `counter`, `gauge`, `histogram` or `summary`; the types of prom-client declare an enum. */
  readonly type: unknown
  readonly values: readonly PromSample[]
  /** How prom-client combines a gauge of several processes: `sum`, `first`, `min`, `max`, `average` or `omit`. */
  readonly aggregator?: string | undefined
}

export interface PromSample {
  readonly value: number
  readonly labels: PromLabels
  /** Name of the sample, where it differs from the metric's: `…_bucket`. */
  readonly metricName?: string | undefined
  readonly exemplar?: PromExemplar | null | undefined
}

type PromLabels = Readonly<Record<string, string | number | undefined>>

/** `value` is null after prom-client has rejected an exemplar: it creates the object before it checks the labels. */
export interface PromExemplar {
  readonly labelSet: PromLabels
  readonly value: number | null
  /** Seconds since the epoch. */
  readonly timestamp?: number | undefined
}

/**
 * A view of a registry with one of its metrics, so that a collector that fails or hangs does not affect the others. The registry itself
 * reads the metric, so default labels are added.
 */
export function onlyOne(
  registry: PromRegistry,
  metric: { readonly name: string; readonly type: unknown },
): PromRegistry {
  return Object.create(registry, { getMetricsAsArray: { value: () => [metric] } })
}

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const types: ReadonlySet<unknown> = new Set(['counter', 'gauge', 'histogram', 'summary'])

/** Throws for a name that would make the whole scrape unreadable. */
export function toPromHeader({ name, help, type }: PromMetric, format: Format): string {
  checkName(name)
  const unknown = format === 'openmetrics' ? 'unknown' : 'untyped'
  return toHeader(name, toText(help), types.has(type) ? String(type) : unknown, format)
}

/** What precedes the value of a sample; throws for an invalid name. */
export function toPromPrefix({ name, type }: PromMetric, { metricName, labels }: PromSample, format: Format): string {
  const isOpenCounter = format === 'openmetrics' && type === 'counter'
  const sampleName = isOpenCounter ? `${toBaseName(name)}_total` : (metricName ?? name)
  checkName(sampleName)
  return toPrefix(sampleName, toPromLabels(labels))
}

/** Not written by prom-client, whose OpenMetrics format permanently renames the counters of the registry. */
export function toPromValue({ type }: PromMetric, { value }: PromSample): string {
  if (type === 'counter' && !(value >= 0)) throw new Error(`The value of a counter must not be ${value}`)
  return toNumber(value)
}

/** Maximum number of code points of all label names and values of an exemplar (OpenMetrics 1.0). */
const maxExemplarLabels = 128

/** What follows the value of a sample; '' without an exemplar. Throws for one that OpenMetrics does not allow. */
export function toPromExemplar({ type }: PromMetric, { exemplar, metricName }: PromSample, format: Format): string {
  // Only OpenMetrics has them, and only for counters and buckets.
  if (!exemplar || format !== 'openmetrics') return ''
  return type === 'counter' || metricName?.endsWith('_bucket') === true ? toExemplar(exemplar) : ''
}

/** Throws for one that OpenMetrics does not allow. */
export function toExemplar({ labelSet, value, timestamp }: PromExemplar): string {
  if (value === null)
    throw new Error('An exemplar has no value: prom-client rejected it, most likely because its labels are too long')
  const length = Object.entries(labelSet).reduce((sum, [name, text]) => sum + [...`${name}${text ?? ''}`].length, 0)
  if (length > maxExemplarLabels)
    throw new Error(`The labels of an exemplar have ${length} characters, more than the limit of ${maxExemplarLabels}`)
  const at = Number.isFinite(timestamp) ? ` ${timestamp}` : ''
  return ` # {${toPromLabels(labelSet)}} ${toNumber(value)}${at}`
}

function toPromLabels(labels: PromLabels = {}): string {
  const strings: Record<string, string> = {}
  for (const [name, value] of Object.entries(labels)) {
    if (value === undefined) continue
    // prom-client checks names of labels, except those of `setDefaultLabels` and of exemplars.
    if (!labelPattern.test(name))
      throw new Error(`The label '${name}' has a name that is not made of letters, digits and _`)
    const isBound = typeof value === 'number' && (name === 'le' || name === 'quantile')
    strings[name] = isBound ? toBound(value) : toText(value)
  }
  return toLabels(strings)
}

function checkName(name: string): void {
  if (!namePattern.test(name))
    throw new Error(`The metric '${name}' has a name that is not made of letters, digits, _ and :`)
}

/** In JavaScript a help text or a label may be anything. */
function toText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
