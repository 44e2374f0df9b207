import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Logger } from '@twinwire/core'
import type { CounterCell, InstrumentFamily, Instruments } from '@twinwire/core/plugin'
import type { Exemplars } from './exemplars.ts'
import { endings, type Format } from './exposition.ts'
import { toPromMetric } from './family-metric.ts'
import { InstrumentLines } from './instrument-lines.ts'
import { claimNames } from './names.ts'
import type { NodeDefaults } from './node-defaults.ts'
import {
  onlyOne,
  type PromMetric,
  type PromRegistry,
  toPromExemplar,
  toPromHeader,
  toPromPrefix,
  toPromValue,
} from './prom-registry.ts'

/** Where a metric is read from. */
export const collectSources = ['instruments', 'node', 'registry'] as const
export type CollectSource = (typeof collectSources)[number]

export interface ScraperOptions {
  readonly instruments: Instruments
  /** Null with `nodeDefaults: false`. */
  readonly node: NodeDefaults | null
  /** The registry of the application; null without one. */
  readonly registry: PromRegistry | null
  /** Left out: the durations of calls have none. */
  readonly exemplars?: Exemplars | null
  readonly clock: Clock
  readonly log: Logger
  readonly collectTimeoutMs: number
  readonly errors: Readonly<Record<CollectSource, CounterCell>>
}

/** Series that are written before the event loop continues with other work. */
const seriesPerTurn = 1000

/** Writes scrapes. Concurrent scrapes of one format share the result. */
export class Scraper {
  readonly #options: ScraperOptions
  readonly #running = new Map<Format, Promise<Uint8Array>>()
  readonly #lines = new Map<string, InstrumentLines>()
  /** What failed in the last scrape, so that each failure is logged only when it begins. */
  readonly #failing = new Set<string>()

  constructor(options: ScraperOptions) {
    this.#options = options
  }

  /**
   * The current values of all metrics. What cannot be read is left out, counted in `metrics_collect_errors_total`, and logged when it
   * begins to fail: one broken metric must not hide the others.
   */
  scrape(format: Format): Promise<Uint8Array> {
    let running = this.#running.get(format)
    if (running === undefined) {
      running = this.#write(format).finally(() => this.#running.delete(format))
      this.#running.set(format, running)
    }
    return running
  }

  /** The current values as data, for a parent that merges those of several workers. What cannot be read is left out as in a scrape. */
  async read(): Promise<readonly PromMetric[]> {
    const { instruments, node, registry, exemplars = null } = this.#options
    const ofNode = await this.#collect('node', node?.registry ?? null)
    const ofUser = await this.#collect('registry', registry)
    const taken = new Set<string>()
    const families = [...instruments.families(), ...(node?.instruments.families() ?? [])]
    return [
      ...families
        .filter((family) => family.cells.length > 0 && this.#takes(family, taken, 'instruments'))
        .map((family) =>
          toPromMetric(family, exemplars, (index, error) =>
            this.#note('instruments', `${family.name} ${index}`, error),
          ),
        ),
      ...ofNode.filter((metric) => this.#takes(metric, taken, 'node')),
      ...ofUser.filter((metric) => this.#takes(metric, taken, 'registry')),
    ]
  }

  async #write(format: Format): Promise<Uint8Array> {
    const { instruments, node, registry } = this.#options
    const [ofNode, ofUser] = await Promise.all([
      this.#collect('node', node?.registry ?? null),
      this.#collect('registry', registry),
    ])
    const page = new Page()
    const taken = new Set<string>()
    for (const family of [...instruments.families(), ...(node?.instruments.families() ?? [])]) {
      if (this.#takes(family, taken, 'instruments')) await this.#writeFamily(page, family, format)
    }
    for (const metric of ofNode)
      if (this.#takes(metric, taken, 'node')) await this.#writeMetric(page, metric, 'node', format)
    for (const metric of ofUser)
      if (this.#takes(metric, taken, 'registry')) await this.#writeMetric(page, metric, 'registry', format)
    page.add(endings[format], 0)
    return page.toBytes()
  }

  /** False for a name that was already written: Prometheus rejects a scrape with a duplicate name. */
  #takes(
    metric: { readonly name: string; readonly type: unknown },
    taken: Set<string>,
    source: CollectSource,
  ): boolean {
    const clash = claimNames(metric, taken)
    this.#note(
      source,
      `name ${metric.name}`,
      clash === null ? null : new Error(`The name ${clash} is used by another metric`),
    )
    return clash === null
  }

  async #collect(source: CollectSource, registry: PromRegistry | null): Promise<readonly PromMetric[]> {
    if (registry === null) return []
    try {
      const metrics = registry.getMetricsAsArray()
      const reads = await Promise.allSettled(
        metrics.map((metric) => this.#withLimit(async () => onlyOne(registry, metric).getMetricsAsJSON())),
      )
      if (reads.length > 0 && reads.every(isTypeError)) {
        // A custom registry with private members cannot be read through a view.
        const whole = await this.#withLimit(() => registry.getMetricsAsJSON())
        this.#note(source, 'collect', null)
        return whole
      }
      this.#note(source, 'collect', null)
      return metrics.flatMap(({ name }, i) => {
        const read = reads[i]
        const failed = read?.status === 'rejected'
        this.#note(source, `collect ${name}`, failed ? read.reason : null)
        return failed ? [] : (read?.value.filter((each) => each.name === name) ?? [])
      })
    } catch (error) {
      this.#note(source, 'collect', error)
      return []
    }
  }

  /** Without samples and exemplars that are invalid: one of them would make the whole scrape unreadable. */
  async #writeMetric(page: Page, metric: PromMetric, source: CollectSource, format: Format): Promise<void> {
    const errors = new Map<string, unknown>([
      ['metric', null],
      ['sample', null],
      ['exemplar', null],
    ])
    try {
      page.add(toPromHeader(metric, format), 0)
      const written = new Set<string>()
      for (const sample of metric.values) {
        let text: string
        try {
          const prefix = toPromPrefix(metric, sample, format)
          if (written.has(prefix)) throw new Error(`The series ${prefix} is duplicated`)
          text = `${prefix}${toPromValue(metric, sample)}`
          written.add(prefix)
        } catch (error) {
          errors.set('sample', error)
          continue
        }
        try {
          text += toPromExemplar(metric, sample, format)
        } catch (error) {
          errors.set('exemplar', error)
        }
        if (page.add(`${text}\n`, 1)) await nextTurn()
      }
    } catch (error) {
      errors.set('metric', error)
    }
    for (const [part, error] of errors) {
      // The text format has no exemplars, so it says nothing about their errors.
      if (part === 'exemplar' && format !== 'openmetrics') continue
      this.#note(source, `${part} of ${metric.name}`, error)
    }
  }

  async #writeFamily(page: Page, family: InstrumentFamily, format: Format): Promise<void> {
    if (family.cells.length === 0) return
    const lines = this.#linesOf(family)
    const { exemplars = null } = this.#options
    const written = format === 'openmetrics' ? exemplars : null
    let text = lines.header(format)
    for (let i = 0; i < family.cells.length; i++) {
      try {
        text += lines.write(i, written)
        if (this.#failing.size > 0) this.#note('instruments', `${family.name} ${i}`, null)
      } catch (error) {
        this.#note('instruments', `${family.name} ${i}`, error)
      }
      if (page.add(text, lines.seriesPerCell)) await nextTurn()
      text = ''
    }
  }

  #linesOf(family: InstrumentFamily): InstrumentLines {
    let lines = this.#lines.get(family.name)
    if (lines === undefined) {
      lines = new InstrumentLines(family)
      this.#lines.set(family.name, lines)
    }
    return lines
  }

  /** `error` null: it was read. */
  #note(source: CollectSource, what: string, error: unknown): void {
    const key = `${source} ${what}`
    if (error === null) {
      this.#failing.delete(key)
      return
    }
    this.#options.errors[source].inc()
    if (this.#failing.has(key)) return
    this.#failing.add(key)
    this.#options.log.error({ err: error, source, what }, 'A metric could not be read and is left out')
  }

  #withLimit<T>(work: () => Promise<T>): Promise<T> {
    const { clock, collectTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const onTimeout = (): void => reject(new Error(`The collector took more than ${collectTimeoutMs} ms`))
      const timer = clock.timer(collectTimeoutMs, onTimeout)
      work()
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }
}

function isTypeError(read: PromiseSettledResult<unknown>): boolean {
  return read.status === 'rejected' && read.reason instanceof TypeError
}

/** The scrape so far, in pieces: encoding is half of the work of a scrape. */
class Page {
  readonly #pieces: Uint8Array[] = []
  #text = ''
  #series = 0

  /** True when the caller should yield to other work. */
  add(text: string, series: number): boolean {
    this.#text += text
    this.#series += series
    if (this.#series < seriesPerTurn) return false
    this.#flush()
    return true
  }

  toBytes(): Uint8Array {
    this.#flush()
    return Buffer.concat(this.#pieces)
  }

  #flush(): void {
    this.#pieces.push(Buffer.from(this.#text))
    this.#text = ''
    this.#series = 0
  }
}
