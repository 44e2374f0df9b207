import type { CounterCell, HistogramCell, Instruments } from '@twinwire/core/plugin'
import type { ResolvedRedisOptions } from './redis-options.ts'
import { labelsOf } from './redis-target.ts'

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

/** What a connection reports to the instruments. */
export interface PoolMember {
  readonly opened: CounterCell
  /** It is closed: it no longer counts. */
  leave(): void
}

const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]

/** Several connections, of several packages, use the same metrics. */
const shared = { shared: true } as const

/** All series exist from the start, so that no label is looked up when a reply arrives. */
export function createOperationCells<Operation extends string>(
  instruments: Instruments,
  operations: readonly Operation[],
): Readonly<Record<Operation, OperationCells>>
export function createOperationCells(
  instruments: Instruments,
  operations: readonly string[],
): Readonly<Record<string, OperationCells>> {
  const counts = instruments.counter(
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
  const toCells = (operation: string): OperationCells => ({
    success: counts.cell({ operation, status: 'success' }),
    error: counts.cell({ operation, status: 'error' }),
    duration: durations.cell({ operation }),
  })
  return Object.fromEntries(operations.map((operation) => [operation, toCells(operation)]))
}

/** The connections of one process by their database: a gauge has one reader, and shows the sum of all of them. */
const pools = new WeakMap<Instruments, Map<string, Set<() => ConnectionCounts>>>()

/** Adds a connection to the metrics of the pool. */
export function joinPool(
  instruments: Instruments,
  options: ResolvedRedisOptions,
  read: () => ConnectionCounts,
): PoolMember {
  const { db } = labelsOf(options)
  const byDb = pools.get(instruments) ?? new Map<string, Set<() => ConnectionCounts>>()
  pools.set(instruments, byDb)
  const members = byDb.get(db) ?? new Set()
  byDb.set(db, members)
  members.add(read)
  const sum = (count: (connections: ConnectionCounts) => number) => (): number => {
    let total = 0
    for (const member of members) total += count(member())
    return total
  }
  const gauge = (name: string, help: string, count: (connections: ConnectionCounts) => number): void =>
    instruments
      .gauge(name, help, { db: [db] }, shared)
      .cell({ db })
      .readFrom(sum(count))
  gauge('redis_pool_max_connections', 'Maximum number of connections to Redis: one per server', ({ max }) => max)
  gauge('redis_pool_connections_in_use', 'Connections to Redis with pending replies', ({ busy }) => busy)
  gauge('redis_pool_connections_available', 'Connections to Redis that are open and idle', ({ open, busy }) =>
    Math.max(0, open - busy),
  )
  describe(instruments, options)
  const opened = instruments
    .counter('redis_pool_connections_created_total', 'Connections to Redis that were opened', { db: [db] }, shared)
    .cell({ db })
  return { opened, leave: () => void members.delete(read) }
}

function describe(instruments: Instruments, options: ResolvedRedisOptions): void {
  const { db, host, port } = labelsOf(options)
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
      'Configuration of the connection to Redis; times in seconds, always 1',
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
}
