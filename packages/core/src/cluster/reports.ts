import { BootError } from '../base/boot-error.ts'
import type { CounterCell } from '../base/cells.ts'
import type { MetricsPage, MetricsPort } from '../base/cluster-worker.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { ClusterMetrics, ClusterMetricsWriter } from './cluster-metrics.ts'
import type { Report } from './messages.ts'
import { type StatusServer, startStatusServer } from './status-server.ts'
import type { WorkerProcess } from './worker-process.ts'

/** A worker that does not answer within this time is left out. */
const answerMs = 1000

export interface ReportsOptions {
  readonly workers: () => readonly WorkerProcess[]
  readonly readyWorkers: number
  /** Null: the cluster serves no metrics. */
  readonly metrics: ClusterMetrics | null
  readonly endpoint: { readonly port: number; readonly host: string } | null
  readonly instruments: Instruments
  readonly log: Logger
}

export interface ClusterHealth {
  readonly status: 'healthy' | 'unhealthy'
  /** Those that serve and report that they are healthy. */
  readonly healthy_workers: number
  /** By id. */
  readonly workers: Readonly<Record<string, object>>
}

/** Health and metrics of the cluster, from those of its workers. */
export class Reports {
  readonly #options: ReportsOptions
  readonly #unanswered: Readonly<Record<Report, CounterCell>>
  readonly #writer: ClusterMetricsWriter | null
  readonly #servers = new Map<string, Promise<StatusServer>>()
  #health: Promise<ClusterHealth> | null = null
  #collecting: Promise<void> | null = null

  constructor(options: ReportsOptions) {
    this.#options = options
    const { instruments, log, metrics } = options
    const unanswered = instruments.counter(
      'cluster_unanswered_reports_total',
      'Reports that a worker did not send within a second',
      { report: ['health', 'metrics'] },
    )
    this.#unanswered = {
      health: unanswered.cell({ report: 'health' }),
      metrics: unanswered.cell({ report: 'metrics' }),
    }
    this.#writer = metrics?.start({ instruments, log }) ?? null
  }

  /** Opens the endpoint. Rejects with a BootError: `unavailable_port`. */
  async start(): Promise<void> {
    const { endpoint } = this.#options
    if (endpoint === null) return
    const server = await this.#serverAt(endpoint.host, endpoint.port)
    if (this.#writer !== null) server.serveMetrics('/metrics')
  }

  /** For a worker that provides metrics. `at`: where it would have served them. */
  async openMetrics(at: MetricsPort | null): Promise<void> {
    if (this.#writer === null)
      throw new BootError(
        'bad_option',
        'metrics() in a cluster needs a parent that merges the metrics of its workers: add metrics: clusterMetrics() to the options of cluster()',
      )
    if (at !== null) (await this.#serverAt(at.host, at.port)).serveMetrics(at.path)
  }

  async readMetrics(accept: string): Promise<MetricsPage> {
    if (this.#writer === null) throw new Error('The cluster has no metrics')
    // Scrapes that come meanwhile share the answers.
    this.#collecting ??= this.#collect().finally(() => {
      this.#collecting = null
    })
    await this.#collecting
    const reports = this.#options.workers().flatMap(({ lastMetrics, answersMetrics }) => {
      return lastMetrics === null ? [] : [{ metrics: lastMetrics, current: answersMetrics }]
    })
    return this.#writer.write(reports, accept)
  }

  retire({ lastMetrics }: WorkerProcess): void {
    if (lastMetrics !== null) this.#writer?.retire(lastMetrics)
  }

  health(): Promise<ClusterHealth> {
    this.#health ??= this.#askHealth().finally(() => {
      this.#health = null
    })
    return this.#health
  }

  async close(): Promise<void> {
    const servers = await Promise.allSettled(this.#servers.values())
    await Promise.all(servers.flatMap((each) => (each.status === 'fulfilled' ? [each.value.close()] : [])))
  }

  /** A port that serves already is used for both. */
  #serverAt(host: string, port: number): Promise<StatusServer> {
    const key = `${host} ${port}`
    let server = this.#servers.get(key)
    if (server === undefined) {
      const { log } = this.#options
      const parts = { health: () => this.health(), metrics: (accept: string) => this.readMetrics(accept), log }
      server = startStatusServer({ host, port, ...parts })
      this.#servers.set(key, server)
      // A port that was taken may be free later.
      server.catch(() => this.#servers.delete(key))
    }
    return server
  }

  async #collect(): Promise<void> {
    const asked = this.#options.workers().filter(({ state }) => state === 'serving' || state === 'draining')
    const answers = await Promise.all(asked.map((worker) => worker.ask('metrics', answerMs)))
    for (const answer of answers) if (answer === null) this.#unanswered.metrics.inc()
  }

  async #askHealth(): Promise<ClusterHealth> {
    const { workers, readyWorkers } = this.#options
    const asked = workers().filter(({ state }) => state === 'serving')
    const answers = await Promise.all(
      asked.map(async (worker) => {
        const answer = await worker.ask('health', answerMs)
        if (answer === null) this.#unanswered.health.inc()
        return [
          String(worker.id),
          typeof answer === 'object' && answer !== null ? answer : { status: 'unhealthy' },
        ] as const
      }),
    )
    const healthy = answers.filter(([, answer]) => Reflect.get(answer, 'status') === 'healthy').length
    return {
      status: healthy >= readyWorkers ? 'healthy' : 'unhealthy',
      healthy_workers: healthy,
      workers: Object.fromEntries(answers),
    }
  }
}
