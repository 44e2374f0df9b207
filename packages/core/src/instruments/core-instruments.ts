import type { DisconnectRow } from '../errors/disconnect.ts'
import type { CallOutcome } from '../plugin/host.ts'
import type { CounterCell, GaugeCell } from './cells.ts'
import type { Instruments } from './instruments.ts'

const httpBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const webSocketBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** Close codes that get a series of their own; the rest is `other`. */
const closeCodes = [
  '1000',
  '1001',
  '1006',
  '1008',
  '1011',
  '1012',
  '1013',
  '4001',
  '4002',
  '4003',
  '4004',
  'other',
] as const
const connectionStatuses = [
  'accepted',
  'rejected_auth',
  'rejected_auth_timeout',
  'rejected_limit',
  'rejected_origin',
  'rejected_other',
] as const

export type ConnectionStatus = (typeof connectionStatuses)[number]

/** What the WebSocket wire counts. */
export interface WebSocketInstruments {
  readonly active: GaugeCell
  readonly received: CounterCell
  readonly sent: CounterCell
  readonly receivedBytes: CounterCell
  readonly malformed: CounterCell
  readonly dropped: CounterCell
  readonly broadcastErrors: CounterCell
  connection(status: ConnectionStatus): void
  closed(row: Pick<DisconnectRow, 'code'>): void
}

export function createWebSocketInstruments(instruments: Instruments): WebSocketInstruments {
  const connections = instruments.counter('ws_connections_total', 'WebSocket connections by how they began', {
    status: connectionStatuses,
  })
  const closes = instruments.counter('ws_closes_total', 'WebSocket closes by code', { code: closeCodes })
  const byStatus = new Map(connectionStatuses.map((status) => [status, connections.cell({ status })]))
  const byCode = new Map(closeCodes.map((code) => [code as string, closes.cell({ code })]))
  return {
    active: instruments.gauge('ws_connections_active', 'Open WebSocket connections').cell(),
    received: instruments.counter('ws_messages_received_total', 'WebSocket messages received').cell(),
    sent: instruments.counter('ws_messages_sent_total', 'WebSocket messages sent').cell(),
    receivedBytes: instruments.counter('ws_received_bytes_total', 'Bytes of WebSocket messages received').cell(),
    malformed: instruments.counter('ws_malformed_frames_total', 'Frames that could not be decoded').cell(),
    dropped: instruments.counter('ws_dropped_sends_total', 'Messages that a slow client made us drop').cell(),
    broadcastErrors: instruments
      .counter('ws_broadcast_errors_total', 'Events that could not be encoded or sent')
      .cell(),
    connection: (status) => byStatus.get(status)?.inc(),
    closed: ({ code }) => (byCode.get(String(code)) ?? byCode.get('other'))?.inc(),
  }
}

/** What the pipeline counts: made once the routes are known, since their patterns and numbers are the labels. */
export function createCallInstruments(
  instruments: Instruments,
  routes: {
    readonly pkgIds: readonly string[]
    readonly endpoints: readonly string[]
    readonly methods: readonly string[]
  },
): {
  webSocket(pkgId: string): (outcome: CallOutcome) => void
  http(method: string, endpoint: string): (outcome: CallOutcome) => void
} {
  const statusCodes = Array.from({ length: 500 }, (_, i) => String(i + 100))
  const duration = instruments.histogram(
    'ws_message_processing_duration_seconds',
    'Time from a package to its reply',
    webSocketBuckets,
    { pkg_id: routes.pkgIds },
  )
  const labels = { method: routes.methods, endpoint: routes.endpoints }
  const requests = instruments.counter('http_requests_total', 'HTTP requests by outcome', {
    ...labels,
    status_code: statusCodes,
  })
  const requestDuration = instruments.histogram(
    'http_request_duration_seconds',
    'Time from a request to its answer',
    httpBuckets,
    labels,
  )
  return {
    webSocket(pkg_id) {
      const cell = duration.cell({ pkg_id })
      return (outcome) => cell.observe(outcome.durationMs / 1000)
    },
    http(method, endpoint) {
      const cell = requestDuration.cell({ method, endpoint })
      const byStatus = new Map<number, CounterCell>()
      return (outcome) => {
        cell.observe(outcome.durationMs / 1000)
        let count = byStatus.get(outcome.httpStatus)
        if (count === undefined) {
          count = requests.cell({ method, endpoint, status_code: String(outcome.httpStatus) })
          byStatus.set(outcome.httpStatus, count)
        }
        count.inc()
      }
    },
  }
}
