import type { Call, Clock, RouteInfo } from '@twinwire/core'
import { type CallOutcome, HistogramCell, type Instruments, traceOf } from '@twinwire/core/plugin'
import type { PromExemplar } from './prom-registry.ts'

/** Of a histogram, by the index of the bucket. */
export type CellExemplars = readonly (PromExemplar | undefined)[]

const names = { ws: 'ws_message_processing_duration_seconds', http: 'http_request_duration_seconds' } as const
/** What OpenMetrics allows for all names and values of labels, less the names. */
const maxIds = 128 - 'trace_idspan_id'.length

/** The last sampled call of each bucket of the durations of calls, so that the trace of a slow one is found. */
export class Exemplars {
  readonly #instruments: Instruments
  readonly #clock: Clock
  readonly #byCell = new Map<HistogramCell, (PromExemplar | undefined)[]>()
  /** The histograms of the routes that had a sampled call. */
  readonly #cells = {
    ws: new WeakMap<RouteInfo, HistogramCell | null>(),
    http: new WeakMap<RouteInfo, HistogramCell | null>(),
  }

  constructor(instruments: Instruments, clock: Clock) {
    this.#instruments = instruments
    this.#clock = clock
  }

  /** Undefined for a histogram without any. */
  of(cell: HistogramCell): CellExemplars | undefined {
    return this.#byCell.get(cell)
  }

  /** A call has ended, and its duration has been counted. */
  record(call: Call, { durationMs }: CallOutcome): void {
    const trace = traceOf(call)
    if (!trace?.sampled) return
    const { traceId, spanId } = trace
    if (traceId.length + spanId.length > maxIds) return
    const cell = this.#cellOf(call)
    if (cell === null) return
    let exemplars = this.#byCell.get(cell)
    if (exemplars === undefined) {
      exemplars = []
      this.#byCell.set(cell, exemplars)
    }
    const value = durationMs / 1000
    const bucket = cell.bounds.findIndex((bound) => value <= bound)
    exemplars[bucket === -1 ? cell.bounds.length : bucket] = {
      labelSet: { trace_id: traceId, span_id: spanId },
      value,
      timestamp: this.#clock.now() / 1000,
    }
  }

  /** Null for a call without a route: it is counted as `unmatched`, together with all others. */
  #cellOf({ wire, route }: Call): HistogramCell | null {
    const known = this.#cells[wire].get(route)
    if (known !== undefined) return known
    const cell = this.#findCell(wire, route)
    this.#cells[wire].set(route, cell)
    return cell
  }

  #findCell(wire: Call['wire'], { pkgId, method, path }: RouteInfo): HistogramCell | null {
    const family = this.#instruments.families().find(({ name }) => name === names[wire])
    const found = family?.cells.find(({ labels }) =>
      wire === 'ws' ? labels.pkg_id === String(pkgId) : labels.method === method && labels.endpoint === path,
    )
    return found?.cell instanceof HistogramCell ? found.cell : null
  }
}
