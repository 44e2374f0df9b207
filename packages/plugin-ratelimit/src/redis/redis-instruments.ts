import type { CounterCell, HistogramCell, Instruments } from '@twinwire/core/plugin'
import { labelsOf, type ResolvedRedisOptions } from './redis-options.ts'

/** What Redis is asked, as it is counted. */
const operations = ['consume', 'refund', 'adjust', 'peek', 'reset', 'acquire', 'renew', 'release', 'ping'] as const

export type Operation = (typeof operations)[number]

export interface OperationCells {
  readonly success: CounterCell
  readonly error: CounterCell
  readonly duration: HistogramCell
}

/** Connections as they are when somebody asks: one for a server, one for each known node of a cluster. */
export interface ConnectionFigures {
  readonly most: number
  readonly open: number
  /** Answers are due on them. */
  readonly busy: number
}

export interface RedisInstruments {
  readonly operations: Readonly<Record<Operation, OperationCells>>
  readonly connectionsCreated: CounterCell
}

const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]

/** Other plugins may count what they ask of their Redis under the same names. */
const shared = { shared: true } as const

/** Every series is there from the start; nothing is looked up when an answer comes. */
export function createRedisInstruments(
  instruments: Instruments,
  options: ResolvedRedisOptions,
  figures: () => ConnectionFigures,
): RedisInstruments {
  const counts = instruments.counter(
    'redis_operations_total',
    'Operations on Redis',
    { operation: operations, status: ['success', 'error'] },
    shared,
  )
  const durations = instruments.histogram(
    'redis_operation_duration_seconds',
    'Time until Redis answered, or was not waited for any longer',
    buckets,
    { operation: operations },
    shared,
  )
  const cells = (operation: Operation): OperationCells => ({
    success: counts.cell({ operation, status: 'success' }),
    error: counts.cell({ operation, status: 'error' }),
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
    connectionsCreated: declarePool(instruments, options, figures),
  }
}

function declarePool(
  instruments: Instruments,
  options: ResolvedRedisOptions,
  figures: () => ConnectionFigures,
): CounterCell {
  const { db, host, port } = labelsOf(options)
  const gauge = (name: string, help: string, read: (figures: ConnectionFigures) => number): void =>
    instruments
      .gauge(name, help, { db: [db] }, shared)
      .cell({ db })
      .readFrom(() => read(figures()))
  gauge('redis_pool_max_connections', 'Connections to Redis at most: one to each server', ({ most }) => most)
  gauge('redis_pool_connections_in_use', 'Connections to Redis on which answers are due', ({ busy }) => busy)
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
      'How Redis is connected to; times in seconds',
      {
        db: [info.db],
        host: [info.host],
        port: [info.port],
        socket_timeout: [info.socket_timeout],
        connect_timeout: [info.connect_timeout],
        health_check_interval: [info.health_check_interval],
      },
      shared,
    )
    .cell(info)
    .set(1)
  return instruments
    .counter('redis_pool_connections_created_total', 'Connections to Redis that were opened', { db: [db] }, shared)
    .cell({ db })
}
