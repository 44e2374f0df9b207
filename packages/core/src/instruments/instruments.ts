import { BootError } from '../errors/boot-error.ts'
import { CounterCell, GaugeCell, HistogramCell } from './cells.ts'

/** Label names with every value that each may have: series are bounded by construction. */
export type Labels = Readonly<Record<string, readonly string[]>>

/** One value for each label. */
export type LabelValues<L extends Labels> = { readonly [K in keyof L]: L[K][number] }

type InstrumentType = 'counter' | 'gauge' | 'histogram'

/** All cells of one name, as an exporter reads them. */
export interface InstrumentFamily<out Cell = CounterCell | GaugeCell | HistogramCell> {
  readonly name: string
  readonly help: string
  readonly type: InstrumentType
  readonly labelNames: readonly string[]
  /** Every cell that has been asked for, with its labels. */
  readonly cells: ReadonlyArray<{ readonly labels: Readonly<Record<string, string>>; readonly cell: Cell }>
}

/** Gives out the cells of one name. Ask once, at boot: counting then is an addition. */
export interface Family<L extends Labels, out Cell> extends InstrumentFamily<Cell> {
  /** The same values give the same cell. Throws for a value that the labels do not name. */
  cell(...labels: keyof L extends never ? [] : [labels: LabelValues<L>]): Cell
}

type NoLabels = Record<never, never>

/** Where rooms and plugins declare what they count. With no reader a cell is a plain number. */
export class Instruments {
  readonly #families = new Map<string, InstrumentFamily>()

  /**
   * Only ever grows.
   *
   * @example
   * const refused = host.instruments.counter('billing_refused_total', 'Refused payments', { reason: ['expired', 'limit'] })
   * refused.cell({ reason: 'expired' }).inc()
   */
  counter<const L extends Labels = NoLabels>(name: string, help: string, labels?: L): Family<L, CounterCell> {
    return this.#declare(name, help, 'counter', labels, () => new CounterCell())
  }

  /** Goes up and down, or is read when asked: `cell().readFrom(() => queue.length)`. */
  gauge<const L extends Labels = NoLabels>(name: string, help: string, labels?: L): Family<L, GaugeCell> {
    return this.#declare(name, help, 'gauge', labels, () => new GaugeCell())
  }

  /** `buckets`: rising upper bounds, without the infinite one. */
  histogram<const L extends Labels = NoLabels>(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: L,
  ): Family<L, HistogramCell> {
    if (buckets.some((bound, i) => !(bound > (buckets[i - 1] ?? Number.NEGATIVE_INFINITY)))) {
      throw new BootError('bad_option', `The buckets of ${name} must rise`)
    }
    return this.#declare(name, help, 'histogram', labels, () => new HistogramCell(buckets))
  }

  /** Everything declared so far, for an exporter. */
  families(): readonly InstrumentFamily[] {
    return [...this.#families.values()]
  }

  #declare<L extends Labels, Cell extends CounterCell | GaugeCell | HistogramCell>(
    name: string,
    help: string,
    type: InstrumentType,
    labels: L | undefined,
    create: () => Cell,
  ): Family<L, Cell> {
    if (this.#families.has(name))
      throw new BootError('instrument_duplicate', `The instrument ${name} is declared twice`)
    const known: Labels = labels ?? {}
    const labelNames = Object.keys(known)
    const cells: { labels: Record<string, string>; cell: Cell }[] = []
    const byKey = new Map<string, Cell>()
    const family: Family<L, Cell> = {
      name,
      help,
      type,
      labelNames,
      cells,
      cell(...[given]) {
        // Without labels there is no argument, and the record is empty.
        const values = (given ?? {}) as Readonly<Record<string, string>>
        const key = labelNames.map((label) => values[label]).join('\u0000')
        const old = byKey.get(key)
        if (old !== undefined) return old
        for (const label of labelNames) {
          const value = values[label]
          if (value === undefined || !known[label]?.includes(value)) {
            throw new BootError('bad_option', `${name} has no value '${value}' for its label ${label}`)
          }
        }
        const cell = create()
        byKey.set(key, cell)
        cells.push({ labels: { ...values }, cell })
        return cell
      },
    }
    this.#families.set(name, family)
    return family
  }
}
