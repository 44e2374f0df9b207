/** One sample line of a scrape. */
export interface ScrapedSample {
  /** As written: `http_requests_total`, `…_bucket`. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** The samples under one `# TYPE`. */
export interface ScrapedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: readonly ScrapedSample[]
}

/** A parsed scrape. */
export interface Scrape {
  readonly families: ReadonlyMap<string, ScrapedFamily>
  readonly samples: readonly ScrapedSample[]
  /**
   * The sum over every series of `name` that has these labels; undefined when there is none.
   *
   * @example
   * scrape.value('http_requests_total', { status_code: '404' })
   */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined
}

const head = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/s
const labelList = String.raw`(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*`
const line = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(?:\{(${labelList})\})? (\S+)(?: # \{(${labelList})\} (\S+)(?: (\S+))?)?$`,
)
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gsy
/** Suffixes of the sample names of each type. In the text format a counter has the name of its family. */
const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
  unknown: [''],
  untyped: [''],
}
/** Maximum number of code points of all label names and values of an exemplar (OpenMetrics). */
const maxExemplarLabels = 128

/**
 * Parses the response of `GET /metrics` in either format, for tests. Strict: throws an Error with the line for anything that breaks the
 * format, for a duplicate family or series, and for samples without a type.
 *
 * @example
 * const scrape = readScrape((await request('GET /metrics')).text)
 * expect(scrape.value('ws_connections_total', { status: 'accepted' })).toBe(3)
 */
export function readScrape(text: string): Scrape {
  const families = new Map<string, ScrapedFamily & { help: string; type: string; samples: ScrapedSample[] }>()
  const seen = new Set<string>()
  if (!text.endsWith('\n')) throw new Error('A scrape must end with a line feed')
  const lines = text.slice(0, -1).split('\n')
  const end = lines.indexOf('# EOF')
  if (end !== -1 && end !== lines.length - 1) throw new Error('Unexpected lines after # EOF')
  const isOpen = end !== -1
  let current: { name: string; type: string; samples: ScrapedSample[] } | undefined
  for (const each of end === -1 ? lines : lines.slice(0, -1)) {
    const [, keyword, name = '', rest = ''] = head.exec(each) ?? []
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`Duplicate family: ${name}`)
      const family = { name, help: unescapeText(rest), type: 'unknown', samples: [] }
      families.set(name, family)
      current = family
    } else if (keyword === 'TYPE') {
      const family = families.get(name)
      if (family === undefined || family !== current) throw new Error(`HELP is missing before: ${each}`)
      if (!Object.hasOwn(suffixes, rest)) throw new Error(`Unknown type: ${each}`)
      if (isOpen && rest === 'counter' && name.endsWith('_total'))
        throw new Error(`A family name must not end in _total: ${each}`)
      family.type = rest
    } else {
      const sample = toSample(each, isOpen)
      if (current === undefined || !isOf(current, sample.name, isOpen))
        throw new Error(`The sample does not belong to the family: ${each}`)
      if (current.type === 'counter' && !(sample.value >= 0)) throw new Error(`Invalid value of a counter: ${each}`)
      const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      if (seen.has(key)) throw new Error(`Duplicate series: ${each}`)
      seen.add(key)
      current.samples.push(sample)
    }
  }
  const samples = [...families.values()].flatMap((family) => family.samples)
  return {
    families,
    samples,
    value(name, labels = {}) {
      const wanted = Object.entries(labels)
      const found = samples.filter(
        (each) => each.name === name && wanted.every(([key, value]) => each.labels[key] === value),
      )
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0)
    },
  }
}

function isOf(family: { readonly name: string; readonly type: string }, sample: string, isOpen: boolean): boolean {
  const known = isOpen && family.type === 'counter' ? ['_total'] : (suffixes[family.type] ?? [])
  return known.some((suffix) => sample === family.name + suffix)
}

function toSample(text: string, isOpen: boolean): ScrapedSample {
  const [, name, labels = '', value = '', ...exemplar] = line.exec(text) ?? []
  if (name === undefined) throw new Error(`Invalid line: ${JSON.stringify(text)}`)
  if (exemplar[1] !== undefined) {
    if (!isOpen || !/_(?:total|bucket)$/.test(name)) throw new Error(`Unexpected exemplar: ${text}`)
    checkExemplar(exemplar, text)
  }
  return { name, labels: toLabels(labels, text), value: toValue(value, text) }
}

function checkExemplar(
  [labels = '', value = '', timestamp = '0']: readonly (string | undefined)[],
  line: string,
): void {
  const length = Object.entries(toLabels(labels, line)).reduce((sum, pair) => sum + [...pair.join('')].length, 0)
  if (length > maxExemplarLabels) throw new Error(`The labels of an exemplar are too long: ${line}`)
  toValue(value, line)
  if (!Number.isFinite(toValue(timestamp, line))) throw new Error(`Invalid timestamp: ${line}`)
}

function toLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let read = 0
  label.lastIndex = 0
  while (read < text.length) {
    const [whole, name = '', value = ''] = label.exec(text) ?? []
    if (whole === undefined || Object.hasOwn(labels, name)) throw new Error(`Invalid labels: ${line}`)
    labels[name] = unescapeText(value)
    read += whole.length
  }
  return labels
}

function toValue(text: string, line: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  const value = Number(text)
  if (Number.isNaN(value) && text !== 'NaN') throw new Error(`Invalid number: ${line}`)
  return value
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/gs, (_, each: string) => (each === 'n' ? '\n' : each))
}
