import { type CounterCell, GaugeCell, HistogramCell, type InstrumentFamily } from '@twinwire/core/plugin'
import type { CellExemplars, Exemplars } from './exemplars.ts'
import { type Format, toBound, toHeader, toLabels, toNumber, toPrefix } from './exposition.ts'
import { toExemplar } from './prom-registry.ts'

/**
 * Writes the samples of one instrument. Names and labels of a series never change, so what precedes its value is built once: a scrape only
 * appends numbers.
 */
export class InstrumentLines {
  readonly family: InstrumentFamily
  readonly #writers: ((exemplars: Exemplars | null) => string)[] = []
  /** Number of series of one cell. */
  readonly seriesPerCell: number

  constructor(family: InstrumentFamily) {
    this.family = family
    const first = family.cells[0]?.cell
    this.seriesPerCell = first instanceof HistogramCell ? first.counts.length + 2 : 1
  }

  header(format: Format): string {
    const { name, help, type } = this.family
    return toHeader(name, help, type, format)
  }

  /** The lines of the cell at `index`. `exemplars`: only for OpenMetrics. Throws what the function of a gauge throws. */
  write(index: number, exemplars: Exemplars | null = null): string {
    const known = this.#writers[index]
    if (known !== undefined) return known(exemplars)
    const each = this.family.cells[index]
    if (each === undefined) return ''
    const { name } = this.family
    const labels = toLabels(each.labels)
    const writer =
      each.cell instanceof HistogramCell
        ? histogramWriter(name, labels, each.cell)
        : valueWriter(toPrefix(name, labels), each.cell)
    this.#writers[index] = writer
    return writer(exemplars)
  }
}

function valueWriter(prefix: string, cell: CounterCell | GaugeCell): () => string {
  if (cell instanceof GaugeCell) return () => `${prefix}${toNumber(cell.value)}\n`
  return () => {
    if (!(cell.value >= 0)) throw new Error(`The value of a counter must not be ${cell.value}`)
    return `${prefix}${toNumber(cell.value)}\n`
  }
}

function histogramWriter(name: string, labels: string, cell: HistogramCell): (exemplars: Exemplars | null) => string {
  const more = labels === '' ? '' : `${labels},`
  const buckets = [...cell.bounds.map(toBound), '+Inf'].map((le) => toPrefix(`${name}_bucket`, `${more}le="${le}"`))
  const sum = toPrefix(`${name}_sum`, labels)
  const count = toPrefix(`${name}_count`, labels)
  const toLines = (exemplars: CellExemplars): string => {
    let lines = ''
    let upTo = 0
    for (let i = 0; i < buckets.length; i++) {
      upTo += cell.counts[i] ?? 0
      const exemplar = exemplars[i]
      lines += `${buckets[i]}${upTo}${exemplar === undefined ? '' : toExemplar(exemplar)}\n`
    }
    return `${lines}${sum}${toNumber(cell.sum)}\n${count}${cell.count}\n`
  }
  let written = -1
  let lines = ''
  return (exemplars) => {
    const ofCell = exemplars?.of(cell)
    if (ofCell !== undefined) return toLines(ofCell)
    // Every observation increases the count, so with an equal count nothing has changed.
    if (cell.count === written) return lines
    written = cell.count
    lines = toLines([])
    return lines
  }
}
