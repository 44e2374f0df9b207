import { BootError } from './boot-error.ts'
import { CellStore, CounterCell, GaugeCell, HistogramCell } from './cells.ts'

/** Label names with every value that each may have: series are bounded by construction. */
export type Labels = Readonly<Record<string, readonly string[]>>

/** One value for each label. */
export type LabelValues<L extends Labels> = { readonly [K in keyof L]: L[K][number] }

/** Label value of everything without its own series. */
export const unmatchedLabel = 'unmatched'

export type InstrumentType = 'counter' | 'gauge' | 'histogram'
export type AnyCell = CounterCell | GaugeCell | HistogramCell

/** All cells of one name, as an exporter reads them. */
export interface InstrumentFamily<out Cell = AnyCell> {
  readonly name: string
  readonly help: string
  readonly type: InstrumentType
  readonly labelNames: readonly string[]
  /** How the values of several workers become one. Counters and histograms: always `sum`. */
  readonly combine: Combine
  /** Every cell that has been created, with its labels. */
  readonly cells: ReadonlyArray<{ readonly labels: Readonly<Record<string, string>>; readonly cell: Cell }>
}

/** Returns the cells of one instrument. Get them once, at boot: then counting is an addition. */
export interface Family<L extends Labels, out Cell> extends InstrumentFamily<Cell> {
  /** Equal values return the same cell. Throws for a value that the labels do not declare. */
  cell(...labels: keyof L extends never ? [] : [labels: LabelValues<L>]): Cell
}

/** How a gauge of several workers of a cluster becomes one: their sum, the largest, or that of any of them, where all are equal. */
export type Combine = 'sum' | 'max' | 'one'

/** How an instrument may be declared. */
export interface DeclareOptions {
  /**
   * Several plugins count into this instrument, each with its own label values: `circuit_breaker_state` by `service`. Each declares
   * it as shared, with the same help, label names and buckets, and uses cells of the values that it declared. Default false: declaring
   * a name twice is a boot error.
   */
  readonly shared?: boolean
  /** For a gauge in a cluster. Default `sum`. */
  readonly combine?: Combine
}

type NoLabels = Record<never, never>

interface Declaration<L extends Labels, Cell> {
  readonly name: string
  readonly help: string
  readonly type: InstrumentType
  readonly labels: L | undefined
  readonly options: DeclareOptions | undefined
  readonly buckets?: readonly number[]
  readonly create: () => Cell
}

/**
 * The registry in which modules and plugins declare what they count. Without a reader a cell is a plain number.
 *
 * Names follow the rules of Prometheus: a counter ends in `_total` and nothing else does. A name that breaks them is a boot error
 * (`bad_option`), one that is declared twice is `duplicate_instrument`.
 */
export class Instruments {
  readonly #counters = new Map<string, CellStore<CounterCell>>()
  readonly #gauges = new Map<string, CellStore<GaugeCell>>()
  readonly #histograms = new Map<string, CellStore<HistogramCell>>()
  readonly #families: InstrumentFamily[] = []

  /**
   * Only increases.
   *
   * @example
   * const refused = host.instruments.counter('billing_refused_total', 'Refused payments', { reason: ['expired', 'limit'] })
   * refused.cell({ reason: 'expired' }).inc()
   */
  counter<const L extends Labels = NoLabels>(
    name: string,
    help: string,
    labels?: L,
    options?: DeclareOptions,
  ): Family<L, CounterCell> {
    const create = (): CounterCell => new CounterCell()
    return this.#declare(this.#counters, { name, help, type: 'counter', labels, options, create })
  }

  /** Goes up and down, or is computed when it is read: `cell().readFrom(() => queue.length)`. */
  gauge<const L extends Labels = NoLabels>(
    name: string,
    help: string,
    labels?: L,
    options?: DeclareOptions,
  ): Family<L, GaugeCell> {
    const create = (): GaugeCell => new GaugeCell()
    return this.#declare(this.#gauges, { name, help, type: 'gauge', labels, options, create })
  }

  /** `buckets`: increasing upper bounds, without the infinite one. */
  histogram<const L extends Labels = NoLabels>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: L,
    options?: DeclareOptions,
  ): Family<L, HistogramCell> {
    if (buckets.some((bound, i) => !(bound > (buckets[i - 1] ?? Number.NEGATIVE_INFINITY)))) {
      throw new BootError('bad_option', `The buckets of ${name} must increase`)
    }
    const create = (): HistogramCell => new HistogramCell(buckets)
    return this.#declare(this.#histograms, { name, help, type: 'histogram', labels, options, buckets, create })
  }

  /** Everything declared so far, for an exporter. */
  families(): readonly InstrumentFamily[] {
    return [...this.#families]
  }

  #declare<L extends Labels, Cell extends AnyCell>(
    stores: Map<string, CellStore<Cell>>,
    { name, help, type, labels, options, buckets, create }: Declaration<L, Cell>,
  ): Family<L, Cell> {
    const known: Labels = labels ?? {}
    const labelNames = Object.keys(known)
    const shared = options?.shared ?? false
    const shape = JSON.stringify({ help, labels: labelNames, buckets })
    let store = stores.get(name)
    if (store === undefined) {
      if (this.#families.some((family) => family.name === name))
        throw new BootError('duplicate_instrument', `The instrument ${name} is declared twice`)
      checkNames(name, help, type, labelNames)
      const combine = options?.combine ?? 'sum'
      store = new CellStore({ name, help, type, labelNames, combine }, shape, shared, create)
      stores.set(name, store)
      this.#families.push(store.family)
    } else store.join(shape, shared)
    return store.view(known)
  }
}

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelPattern = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/
/** What exporters append to the name of a counter or a histogram for their series. */
const seriesSuffixes = /_(?:total|count|sum|bucket|created)$/

/** Checked here because an exporter cannot report an invalid name: a scrape would fail, or merge two series. */
function checkNames(name: string, help: string, type: InstrumentType, labelNames: readonly string[]): void {
  const refuse = (message: string): never => {
    throw new BootError('bad_option', message)
  }
  if (!namePattern.test(name))
    refuse(`The instrument '${name}' has a name that is not made of letters, digits, _ and :`)
  if (type === 'counter' && !name.endsWith('_total')) refuse(`The counter ${name} must have a name that ends in _total`)
  if (type !== 'counter' && seriesSuffixes.test(name))
    refuse(`The ${type} ${name} must not end in ${seriesSuffixes.exec(name)?.[0]}, which belongs to other instruments`)
  if (help === '') refuse(`The instrument ${name} needs a help text`)
  const reserved = type === 'histogram' ? ['le'] : []
  for (const label of labelNames) {
    if (!labelPattern.test(label) || reserved.includes(label))
      refuse(`The instrument ${name} has a label '${label}', which Prometheus does not allow there: rename it`)
  }
}
