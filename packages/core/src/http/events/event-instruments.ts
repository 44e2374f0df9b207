import type { CounterCell, GaugeCell } from '../../base/cells.ts'
import { type Instruments, unmatchedLabel } from '../../base/instruments.ts'
import type { CloseReason } from '../../hub/disconnect-target.ts'

/** Codes that have a label value: 1006 for a client that has disconnected, 1000 for a source that has ended, and those of core. */
const closeCodes = ['1000', '1006', '1008', '1011', '1012', '1013', '4001', '4003', '4004', unmatchedLabel] as const
const statuses = ['accepted', 'rejected_auth', 'rejected_limit', 'rejected_other'] as const

type ReaderStatus = (typeof statuses)[number]

/** The instruments of server-sent events, as those of the WebSocket wire. */
export interface EventInstruments {
  readonly active: GaugeCell
  readonly dropped: CounterCell
  /** Counts the result of a request for events; once for each. */
  connection(status: ReaderStatus): void
  closed(row: Pick<CloseReason, 'code'>): void
  sent(bytes: number): void
  /** From now on the gauges are computed from these readers whenever they are read. */
  watch(open: Iterable<{ readonly bufferedBytes: number }>): void
}

export function createEventInstruments(instruments: Instruments): EventInstruments {
  const connections = instruments.counter(
    'sse_connections_total',
    'Requests for server-sent events, each once, by result: accepted, rejected_auth (401, 403), rejected_limit (429), and rejected_other, such as a client that disconnected before the first byte',
    {
      status: statuses,
    },
  )
  const closes = instruments.counter(
    'sse_closes_total',
    'Ended responses of server-sent events: 1006 for a client that has disconnected, 1000 for a source that has ended, else the code that the client was sent in close',
    { code: closeCodes },
  )
  const byStatus = new Map(statuses.map((status) => [status, connections.cell({ status })]))
  const byCode = new Map(closeCodes.map((code): [string, CounterCell] => [code, closes.cell({ code })]))
  const buffered = instruments.gauge('sse_buffered_bytes', 'Bytes of server-sent events that wait for slow clients')
  const messages = instruments.counter('sse_events_sent_total', 'Server-sent events and comments sent').cell()
  const bytesSent = instruments.counter('sse_sent_bytes_total', 'Bytes of server-sent events and comments sent').cell()
  return {
    active: instruments.gauge('sse_connections_active', 'Open responses of server-sent events').cell(),
    dropped: instruments
      .counter(
        'sse_dropped_sends_total',
        'Server-sent events dropped because the client is too slow; each ends its response with 1013',
      )
      .cell(),
    connection: (status) => byStatus.get(status)?.inc(),
    closed: ({ code }) => (byCode.get(String(code)) ?? byCode.get(unmatchedLabel))?.inc(),
    sent(bytes) {
      messages.inc()
      bytesSent.inc(bytes)
    },
    watch(open) {
      buffered.cell().readFrom(() => {
        let total = 0
        for (const { bufferedBytes } of open) total += bufferedBytes
        return total
      })
    },
  }
}

/** Of a request that was refused. */
export function toStatus(httpStatus: number): ReaderStatus {
  if (httpStatus === 401 || httpStatus === 403) return 'rejected_auth'
  return httpStatus === 429 ? 'rejected_limit' : 'rejected_other'
}
