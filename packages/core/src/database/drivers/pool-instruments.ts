import type { CounterCell } from '../../base/cells.ts'
import type { Instruments } from '../../base/instruments.ts'
import type { PoolOptions } from './pool-options.ts'

/** The state of a pool. */
export interface PoolFigures {
  readonly max: number
  readonly inUse: number
  readonly open: number
  readonly waiting: number
}

const main = { pool_name: ['main'] } as const

/** The counter of the connections that a pool opens. */
export function countCreated(instruments: Instruments): CounterCell {
  const created = instruments.counter('db_pool_connections_created_total', 'Connections opened since the start', main)
  return created.cell({ pool_name: 'main' })
}

/** Registers the gauges of a pool. */
export function watchPool(
  instruments: Instruments,
  pool: PoolFigures,
  { acquireTimeoutMs }: Pick<Required<PoolOptions>, 'acquireTimeoutMs'>,
): void {
  const gauge = (name: string, help: string, read: () => number): void =>
    instruments.gauge(name, help, main).cell({ pool_name: 'main' }).readFrom(read)
  const open = instruments.gauge('db_connections_active', 'Open connections to the database')
  open.cell().readFrom(() => pool.open)
  gauge('db_pool_max_connections', 'Maximum number of connections of the pool', () => pool.max)
  gauge('db_pool_connections_in_use', 'Connections in use', () => pool.inUse)
  gauge('db_pool_connections_available', 'Connections available now', () => pool.max - pool.inUse)
  gauge('db_pool_connections_waiting', 'Queries and transactions waiting for a connection', () => pool.waiting)
  const settings = { pool_size: String(pool.max), max_overflow: '0', timeout: String(acquireTimeoutMs / 1000) }
  const labels = {
    ...main,
    pool_size: [settings.pool_size],
    max_overflow: [settings.max_overflow],
    timeout: [settings.timeout],
  }
  const info = instruments.gauge('db_pool_info', 'Settings of the pool; always 1', labels, { combine: 'one' })
  info.cell({ pool_name: 'main', ...settings }).set(1)
}
