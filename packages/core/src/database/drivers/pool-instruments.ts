import type { CounterCell } from '../../base/cells.ts'
import type { Instruments } from '../../base/instruments.ts'
import type { PoolOptions } from './pool-options.ts'

/** What a pool knows of itself. */
export interface PoolFigures {
  readonly max: number
  readonly inUse: number
  readonly open: number
  readonly waiting: number
}

const main = { pool_name: ['main'] } as const

/** Where a pool counts the connections that it makes. */
export function countCreated(instruments: Instruments): CounterCell {
  const created = instruments.counter('db_pool_connections_created_total', 'Connections made since the start', main)
  return created.cell({ pool_name: 'main' })
}

/** Lets the figures of the pool be read. */
export function watchPool(
  instruments: Instruments,
  pool: PoolFigures,
  { acquireTimeoutMs }: Pick<Required<PoolOptions>, 'acquireTimeoutMs'>,
): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    instruments.gauge(name, help, main).cell({ pool_name: 'main' }).readFrom(read)
  const open = instruments.gauge('db_connections_active', 'Open connections to the database')
  open.cell().readFrom(() => pool.open)
  gauge('db_pool_max_connections', 'Most connections of the pool', () => pool.max)
  gauge('db_pool_connections_in_use', 'Connections that are lent', () => pool.inUse)
  gauge('db_pool_connections_available', 'Connections that could be lent now', () => pool.max - pool.inUse)
  gauge('db_pool_connections_waiting', 'Queries and transactions that wait for a connection', () => pool.waiting)
  const settings = { pool_size: String(pool.max), max_overflow: '0', timeout: String(acquireTimeoutMs / 1000) }
  const info = instruments.gauge('db_pool_info', 'Settings of the pool', {
    ...main,
    pool_size: [settings.pool_size],
    max_overflow: [settings.max_overflow],
    timeout: [settings.timeout],
  })
  info.cell({ pool_name: 'main', ...settings }).set(1)
}
