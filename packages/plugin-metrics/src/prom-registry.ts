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

/** As it is after a refusal too: prom-client makes it first, without labels and with null, and looks at it then. */
interface PromExemplar {
  readonly labelSet: PromLabels
  readonly value: number | null
  /** Seconds since the epoch. */
  readonly timestamp?: number | undefined
}

/**
 * A registry that has one metric of another: so one whose collector fails or hangs takes no other with it. Default labels are
 * added as ever, since it is the registry itself that reads.
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

/** What comes before the value of a sample; throws for a name that has no form. */
export function toPromPrefix({ name, type }: PromMetric, { metricName, labels }: PromSample, format: Format): string {
  const isOpenCounter = format === 'openmetrics' && type === 'counter'
  const sampleName = isOpenCounter ? `${toBaseName(name)}_total` : (metricName ?? name)
  checkName(sampleName)
  return toPrefix(sampleName, toPromLabels(labels))
}

/** Written here and not by prom-client, whose OpenMetrics form renames the counters of the registry for good. */
export function toPromValue({ type }: PromMetric, { value }: PromSample): string {
  if (type === 'counter' && !(value >= 0)) throw new Error(`A counter cannot be ${value}`)
  return toNumber(value)
}

/** Code points of all names and values of an exemplar's labels together, of OpenMetrics 1.0. */
const maxExemplarLabels = 128

/** What comes behind the value of a sample; '' for none. Throws for one that OpenMetrics cannot say. */
export function toPromExemplar({ type }: PromMetric, { exemplar, metricName }: PromSample, format: Format): string {
  // Only OpenMetrics has them, and only for counters and buckets.
  if (!exemplar || format !== 'openmetrics') return ''
  if (type !== 'counter' && metricName?.endsWith('_bucket') !== true) return ''
  const { labelSet, value, timestamp } = exemplar
  if (value === null)
    throw new Error('An exemplar has no value: prom-client refused it, for its labels for the most part')
  const length = Object.entries(labelSet).reduce((sum, [name, text]) => sum + [...`${name}${text ?? ''}`].length, 0)
  if (length > maxExemplarLabels)
    throw new Error(`The labels of an exemplar have ${length} characters, and may have ${maxExemplarLabels}`)
  const at = Number.isFinite(timestamp) ? ` ${timestamp}` : ''
  return ` # {${toPromLabels(labelSet)}} ${toNumber(value)}${at}`
}

function toPromLabels(labels: PromLabels = {}): string {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(labels)) {
    if (value === undefined) continue
    // prom-client looks at names of labels, but not at those of `setDefaultLabels` and of exemplars.
    if (!labelPattern.test(name))
      throw new Error(`The label '${name}' has a name that is not made of letters, digits and _`)
    const isBound = typeof value === 'number' && (name === 'le' || name === 'quantile')
    texts[name] = isBound ? toBound(value) : toText(value)
  }
  return toLabels(texts)
}

function checkName(name: string): void {
  if (!namePattern.test(name))
    throw new Error(`The metric '${name}' has a name that is not made of letters, digits, _ and :`)
}

/** Its types say what it is given, and JavaScript gives what it likes. */
function toText(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
