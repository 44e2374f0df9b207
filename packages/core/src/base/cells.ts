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
