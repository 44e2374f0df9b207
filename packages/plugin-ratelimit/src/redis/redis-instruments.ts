import type { CounterCell, HistogramCell, Instruments } from '@twinwire/core/plugin'
import { labelsOf, type ResolvedRedisOptions } from './redis-options.ts'

/** Label `operation` of the metrics. */
const operations = ['consume', 'refund', 'adjust', 'peek', 'reset', 'acquire', 'renew', 'release', 'ping'] as const

export type Operation = (typeof operations)[number]

export interface OperationCells {
  readonly success: CounterCell
  readonly error: CounterCell
  readonly duration: HistogramCell
}

/** Connections at the time of a scrape: one for a server, one for each known node of a cluster. */
export interface ConnectionCounts {
  readonly max: number
  readonly open: number
  /** Connections with pending replies. */
  readonly busy: number
}

export interface RedisInstruments {
  readonly operations: Readonly<Record<Operation, OperationCells>>
  readonly connectionsCreated: CounterCell
}

const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]

/** Other plugins may use the same metrics for their Redis. */
const shared = { shared: true } as const

/** All series exist from the start, so that no label is looked up when a reply arrives. */
export function createRedisInstruments(
  instruments: Instruments,
  options: ResolvedRedisOptions,
  readConnections: () => ConnectionCounts,
): RedisInstruments {
  const operationCounts = instruments.counter(
    'redis_operations_total',
    'Operations on Redis',
    { operation: operations, status: ['success', 'error'] },
    shared,
  )
  const durations = instruments.histogram(
    'redis_operation_duration_seconds',
    'Time until Redis replied or the operation timed out',
    buckets,
    { operation: operations },
    shared,
  )
  const cells = (operation: Operation): OperationCells => ({
    success: operationCounts.cell({ operation, status: 'success' }),
    error: operationCounts.cell({ operation, status: 'error' }),
    duration: durations.cell({ operation }),
  })
  return {
    operations: {
      consume: cells('consume'),
      refund: cells('refund'),
      adjust: cells('adjust'),
      peek: cells('peek'),
      reset: cells('reset'),
      acquire: cells('acquire'),
      renew: cells('renew'),
      release: cells('release'),
      ping: cells('ping'),
    },
    connectionsCreated: declarePool(instruments, options, readConnections),
  }
}

function declarePool(
  instruments: Instruments,
  options: ResolvedRedisOptions,
  readConnections: () => ConnectionCounts,
): CounterCell {
  const { db, host, port } = labelsOf(options)
  const gauge = (name: string, help: string, read: (connections: ConnectionCounts) => number): void =>
    instruments
      .gauge(name, help, { db: [db] }, shared)
      .cell({ db })
      .readFrom(() => read(readConnections()))
  gauge('redis_pool_max_connections', 'Maximum number of connections to Redis: one per server', ({ max }) => max)
  gauge('redis_pool_connections_in_use', 'Connections to Redis with pending replies', ({ busy }) => busy)
  gauge('redis_pool_connections_available', 'Connections to Redis that are open and idle', ({ open, busy }) =>
    Math.max(0, open - busy),
  )
  const seconds = (ms: number): string => String(ms / 1000)
  const info = {
    db,
    host,
    port,
    socket_timeout: seconds(options.socketTimeoutMs),
    connect_timeout: seconds(options.connectTimeoutMs),
    health_check_interval: seconds(options.healthCheckIntervalMs),
  }
  instruments
    .gauge(
      'redis_pool_info',
      'Configuration of the connection to Redis; times in seconds',
      {
        db: [info.db],
        host: [info.host],
        port: [info.port],
        socket_timeout: [info.socket_timeout],
        connect_timeout: [info.connect_timeout],
        health_check_interval: [info.health_check_interval],
      },
      { ...shared, combine: 'one' },
    )
    .cell(info)
    .set(1)
  return instruments
    .counter('redis_pool_connections_created_total', 'Connections to Redis that were opened', { db: [db] }, shared)
    .cell({ db })
}
