import type { CounterCell, HistogramCell, Instruments } from '@twinwire/core'
import type { ResolvedRedisOptions } from './redis-options.ts'

/** What Redis is asked, as it is counted. */
export const operations = [
  'consume',
  'refund',
  'adjust',
  'peek',
  'reset',
  'acquire',
  'renew',
  'release',
  'ping',
] as const

export type Operation = (typeof operations)[number]

export interface OperationCells {
  readonly success: CounterCell
  readonly error: CounterCell
  readonly duration: HistogramCell
}

/** What is read of a connection when it is asked for. */
export interface ConnectionFigures {
  /** Open ones: one for a server, one for each node of a cluster. */
  readonly open: number
  /** Answers are due on them. */
  readonly busy: number
}

export interface RedisInstruments {
  readonly operations: Readonly<Record<Operation, OperationCells>>
  readonly connectionsCreated: CounterCell
}

const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]

/** Every series is there from the start; nothing is looked up when an answer comes. */
export function createRedisInstruments(
  instruments: Instruments,
  options: ResolvedRedisOptions,
  figures: () => ConnectionFigures,
): RedisInstruments {
  const counts = instruments.counter('redis_operations_total', 'Operations on Redis', {
    operation: operations,
    status: ['success', 'error'],
  })
  const durations = instruments.histogram(
    'redis_operation_duration_seconds',
    'Time until Redis has answered, or until that was given up',
    buckets,
    { operation: operations },
  )
  const db = describeDb(options)
  const labels = { db: [db] }
  const gauge = (name: string, help: string, read: () => number): void =>
    instruments.gauge(name, help, labels).cell({ db }).readFrom(read)
  gauge('redis_pool_max_connections', 'Connections to Redis that this process opens at most: one for each server', () =>
    Math.max(1, figures().open),
  )
  gauge('redis_pool_connections_in_use', 'Connections to Redis that wait for an answer', () => figures().busy)
  gauge('redis_pool_connections_available', 'Connections to Redis that are open and idle', () => {
    const { open, busy } = figures()
    return open - busy
  })
  declareInfo(instruments, options, db)
  const created = instruments.counter('redis_pool_connections_created_total', 'Connections to Redis opened', labels)
  const cells = operations.map((operation): [Operation, OperationCells] => [
    operation,
    {
      success: counts.cell({ operation, status: 'success' }),
      error: counts.cell({ operation, status: 'error' }),
      duration: durations.cell({ operation }),
    },
  ])
  return { operations: toRecord(cells), connectionsCreated: created.cell({ db }) }
}
