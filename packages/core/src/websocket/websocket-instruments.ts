import type { CounterCell, GaugeCell } from '../base/cells.ts'
import { type Instruments, unmatchedLabel } from '../base/instruments.ts'
import type { DisconnectRow } from '../errors/disconnect.ts'

/** Close codes that have a label value: those of RFC 6455 that a server sees, and those of core. */
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

/** The instruments of the WebSocket wire. */
export interface WebSocketInstruments {
  readonly active: GaugeCell
  readonly received: CounterCell
  readonly receivedBytes: CounterCell
  readonly malformed: CounterCell
  readonly dropped: CounterCell
  readonly broadcastErrors: CounterCell
  /** Counts the result of a connection attempt; once for each, also when no socket was opened. */
  connection(status: ConnectionStatus): void
  closed(row: Pick<DisconnectRow, 'code'>): void
  /** Counts a frame that was sent to `count` connections. */
  sent(count: number, bytes: number): void
  /** From now on the gauges are computed from these connections whenever they are read. */
  watch(open: Iterable<OpenConnection>): void
}

interface OpenConnection {
  readonly inFlight: number
  readonly bufferedBytes: number
}

export function createWebSocketInstruments(instruments: Instruments): WebSocketInstruments {
  const connections = instruments.counter(
    'ws_connections_total',
    'Attempts to open a WebSocket, each once, by result; rejected_other is for all other reasons, such as a client that disconnected before it was admitted',
    {
      status: connectionStatuses,
    },
  )
  const closes = instruments.counter('ws_closes_total', 'WebSocket closes by code', { code: closeCodes })
  const byStatus = new Map(connectionStatuses.map((status) => [status, connections.cell({ status })]))
  const byCode = new Map(closeCodes.map((code) => [code as string, closes.cell({ code })]))
  const inProgress = instruments.gauge('ws_messages_in_progress', 'Packages without a reply yet')
  const buffered = instruments.gauge(
    'ws_buffered_bytes',
    'Bytes in send buffers, which clients have not read yet; an event that was published a moment ago may count too high',
  )
  const maxBuffered = instruments.gauge(
    'ws_buffered_bytes_max',
    'The largest send buffer of one client; its limit is maxBackpressureBytes',
    {},
    { combine: 'max' },
  )
  const messages = instruments
    .counter('ws_messages_sent_total', 'Frames to clients: replies, events, control frames')
    .cell()
  const sentBytes = instruments.counter('ws_sent_bytes_total', 'Bytes of WebSocket messages sent').cell()
  return {
    active: instruments.gauge('ws_connections_active', 'Open WebSockets, admitted or not').cell(),
    received: instruments
      .counter('ws_messages_received_total', 'Frames from clients, those of the handshake included')
      .cell(),
    receivedBytes: instruments.counter('ws_received_bytes_total', 'Bytes of WebSocket messages received').cell(),
    malformed: instruments.counter('ws_malformed_frames_total', 'Frames that could not be decoded').cell(),
    dropped: instruments
      .counter(
        'ws_dropped_sends_total',
        'Frames dropped because the client is too slow; each closes its connection with 1013',
      )
      .cell(),
    broadcastErrors: instruments
      .counter('ws_broadcast_errors_total', 'Events that could not be created, published or encoded')
      .cell(),
    connection: (status) => byStatus.get(status)?.inc(),
    sent(count, bytes) {
      messages.inc(count)
      sentBytes.inc(count * bytes)
    },
    closed: ({ code }) => (byCode.get(String(code)) ?? byCode.get(unmatchedLabel))?.inc(),
    watch(open) {
      inProgress.cell().readFrom(() => sum(open, ({ inFlight }) => inFlight))
      buffered.cell().readFrom(() => sum(open, ({ bufferedBytes }) => bufferedBytes))
      maxBuffered.cell().readFrom(() => {
        let max = 0
        for (const { bufferedBytes } of open) max = Math.max(max, bufferedBytes)
        return max
      })
    },
  }
}

function sum(open: Iterable<OpenConnection>, read: (connection: OpenConnection) => number): number {
  let total = 0
  for (const connection of open) total += read(connection)
  return total
}
