import { BootError } from './boot-error.ts'
import type { AnyCell, Family, InstrumentFamily, Labels } from './instruments.ts'

/** A number that only increases. */
export class CounterCell {
  value = 0

  inc(by = 1): void {
    this.value += by
  }
}

/** A number that goes up and down. */
export class GaugeCell {
  #value = 0
  #read: (() => number) | null = null

  get value(): number {
    return this.#read === null ? this.#value : this.#read()
  }
  set(value: number): void {
    this.#value = value
  }
  inc(by = 1): void {
    this.#value += by
  }
  dec(by = 1): void {
    this.#value -= by
  }
  /** From now on its value is the result of `read`, called when the value is read. */
  readFrom(read: () => number): void {
    this.#read = read
  }
}

/** Counts values by upper bound. */
export class HistogramCell {
  readonly bounds: readonly number[]
  /** Number of values in each bucket, not cumulated; the last one is above every bound. */
  readonly counts: Float64Array
  count = 0
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const { bounds } = this
    let i = 0
    while (i < bounds.length && value > (bounds[i] as number)) i++
    this.counts[i] = (this.counts[i] as number) + 1
    this.count++
    this.sum += value
  }
}

/** One instrument with its cells: created by a declaration, or joined if it is shared. */
export class CellStore<Cell extends AnyCell> {
  readonly family: InstrumentFamily<Cell>
  readonly #shared: boolean
  /** What must be equal in all declarations of a shared name. */
  readonly #shape: string
  readonly #create: () => Cell
  readonly #cells: { labels: Record<string, string>; cell: Cell }[] = []
  readonly #byKey = new Map<string, Cell>()

  constructor(family: Omit<InstrumentFamily<Cell>, 'cells'>, shape: string, shared: boolean, create: () => Cell) {
    this.family = { ...family, cells: this.#cells }
    this.#shape = shape
    this.#shared = shared
    this.#create = create
  }

  /** Throws unless a further declaration of the name may join this one. */
  join(shape: string, shared: boolean): void {
    const { name } = this.family
    if (!this.#shared || !shared)
      throw new BootError('duplicate_instrument', `The instrument ${name} is declared twice`)
    if (shape === this.#shape) return
    throw new BootError(
      'duplicate_instrument',
      `The instrument ${name} is shared, and its declarations differ: ${this.#shape} and ${shape}`,
    )
  }

  /** The view of one declaration: it creates cells of its own label values, and reads those of all. */
  view<L extends Labels>(known: Labels): Family<L, Cell> {
    const { family } = this
    return {
      ...family,
      // Without labels there is no argument, and the record is empty.
      cell: (...[given]) => this.#cell(known, (given ?? {}) as Readonly<Record<string, string>>),
    }
  }

  #cell(known: Labels, values: Readonly<Record<string, string>>): Cell {
    const { name, labelNames } = this.family
    // The compiler accepts a variable with more keys, and each of their values would be a series.
    const unknown = Object.keys(values).find((label) => !labelNames.includes(label))
    if (unknown !== undefined) throw new BootError('bad_option', `${name} has no label ${unknown}`)
    for (const label of labelNames) {
      const value = values[label]
      if (value === undefined || !known[label]?.includes(value))
        throw new BootError('bad_option', `${name} has no value '${value}' for its label ${label}`)
    }
    const key = labelNames.map((label) => values[label]).join('\u0000')
    const old = this.#byKey.get(key)
    if (old !== undefined) return old
    const cell = this.#create()
    this.#byKey.set(key, cell)
    this.#cells.push({ labels: { ...values }, cell })
    return cell
  }
}
