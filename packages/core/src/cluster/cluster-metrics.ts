import type { MetricsPage } from '../base/cluster-worker.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'

/** Merges the metrics of workers, in the parent: the option `metrics` of `cluster()`. `clusterMetrics()` of plugin-metrics returns one. */
export interface ClusterMetrics {
  /** Called once, before any worker starts. */
  start(services: ClusterMetricsServices): ClusterMetricsWriter
}

export interface ClusterMetricsServices {
  /** What the parent counts; part of each page. */
  readonly instruments: Instruments
  readonly log: Logger
}

export interface ClusterMetricsWriter {
  /** Writes a page in the format that the `Accept` header prefers. */
  write(reports: readonly WorkerMetrics[], accept: string): Promise<MetricsPage>
  /** A worker has ended: what it had counted stays in the sums. `metrics`: what it reported last. */
  retire(metrics: unknown): void
}

/** What one worker reported. */
export interface WorkerMetrics {
  readonly metrics: unknown
  /** False: it did not answer in time, and this is an earlier answer. Its counters are part of the sums, its gauges are not. */
  readonly current: boolean
}
