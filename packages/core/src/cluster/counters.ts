import type { CounterCell } from '../base/cells.ts'
import type { Instruments } from '../base/instruments.ts'

/** What the parent counts. */
export interface ClusterCounters {
  readonly starts: CounterCell
  readonly failedStarts: CounterCell
  readonly deaths: CounterCell
}

export function createCounters(instruments: Instruments, serving: () => number): ClusterCounters {
  instruments.gauge('cluster_workers_serving', 'Workers that serve').cell().readFrom(serving)
  const counter = (name: string, help: string): CounterCell => instruments.counter(name, help).cell()
  return {
    starts: counter('cluster_worker_starts_total', 'Processes that were started as a worker'),
    failedStarts: counter('cluster_worker_failed_starts_total', 'Workers that ended before they served'),
    deaths: counter(
      'cluster_worker_deaths_total',
      'Workers that ended while they served, without having been asked to',
    ),
  }
}
