import type { CounterCell, GaugeCell } from '../base/cells.ts'
import { type Instruments, unmatchedLabel } from '../base/instruments.ts'
import type { DisconnectRow } from '../errors/disconnect.ts'

/** Close codes that get a series of their own: those of RFC 6455 that an endpoint sees, and core's. */
const closeCodes = [
  '1000',
  '1001',
  '1002',
  '1003',
  '1005',
  '1006',
  '1007',
  '1008',
  '1009',
  '1011',
  '1012',
  '1013',
  '4001',
  '4002',
  '4003',
  '4004',
  unmatchedLabel,
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
  readonly sentBytes: CounterCell
  readonly malformed: CounterCell
  readonly dropped: CounterCell
  readonly broadcastErrors: CounterCell
  /** An attempt to connect is over: once for each, whether it came to a socket or not. */
  connection(status: ConnectionStatus): void
  closed(row: Pick<DisconnectRow, 'code'>): void
  /** From now on the gauges of what is under way are read from these connections, at the moment somebody asks. */
  watch(open: Iterable<OpenConnection>): void
}

interface OpenConnection {
  readonly inFlight: number
  readonly bufferedBytes: number
}

export function createWebSocketInstruments(instruments: Instruments): WebSocketInstruments {
  const connections = instruments.counter('ws_connections_total', 'WebSocket connections by how they began', {
    status: connectionStatuses,
  })
  const closes = instruments.counter('ws_closes_total', 'WebSocket closes by code', { code: closeCodes })
  const byStatus = new Map(connectionStatuses.map((status) => [status, connections.cell({ status })]))
  const byCode = new Map(closeCodes.map((code) => [code as string, closes.cell({ code })]))
  const inProgress = instruments.gauge('ws_messages_in_progress', 'Packages that have not been answered yet')
  const buffered = instruments.gauge('ws_buffered_bytes', 'Bytes sent that clients have not taken yet')
  const mostBuffered = instruments.gauge(
    'ws_buffered_bytes_max',
    'Bytes sent that one client has not taken yet, of the client with the most',
  )
  return {
    active: instruments.gauge('ws_connections_active', 'Open WebSocket connections').cell(),
    received: instruments.counter('ws_messages_received_total', 'WebSocket messages received').cell(),
    sent: instruments.counter('ws_messages_sent_total', 'WebSocket messages sent').cell(),
    receivedBytes: instruments.counter('ws_received_bytes_total', 'Bytes of WebSocket messages received').cell(),
    sentBytes: instruments.counter('ws_sent_bytes_total', 'Bytes of WebSocket messages sent').cell(),
    malformed: instruments.counter('ws_malformed_frames_total', 'Frames that could not be decoded').cell(),
    dropped: instruments.counter('ws_dropped_sends_total', 'Messages that a slow client made us drop').cell(),
    broadcastErrors: instruments
      .counter('ws_broadcast_errors_total', 'Events that could not be encoded or sent')
      .cell(),
    connection: (status) => byStatus.get(status)?.inc(),
    closed: ({ code }) => (byCode.get(String(code)) ?? byCode.get(unmatchedLabel))?.inc(),
    watch(open) {
      inProgress.cell().readFrom(() => sum(open, ({ inFlight }) => inFlight))
      buffered.cell().readFrom(() => sum(open, ({ bufferedBytes }) => bufferedBytes))
      mostBuffered.cell().readFrom(() => {
        let most = 0
        for (const { bufferedBytes } of open) most = Math.max(most, bufferedBytes)
        return most
      })
    },
  }
}

function sum(open: Iterable<OpenConnection>, read: (connection: OpenConnection) => number): number {
  let total = 0
  for (const connection of open) total += read(connection)
  return total
}
