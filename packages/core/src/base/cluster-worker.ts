import { BootError } from './boot-error.ts'

/** Which worker of a cluster a process is. */
export interface WorkerIdentity {
  /** From 1 to `workers`. The process that replaces a worker has the id of that worker. */
  readonly id: number
  readonly workers: number
}

/** An app of a worker, as the cluster uses it. */
export interface WorkerApp {
  /** Refuses new TCP connections; all else goes on. */
  stopAccepting(): void
  /** Drains and closes it. */
  close(): Promise<void>
  /** What its `GET /health` answers; without health routes, whether it serves. */
  health(): Promise<{ readonly status: 'healthy' | 'unhealthy' }>
}

/** A page of metrics. */
export interface MetricsPage {
  readonly contentType: string
  readonly body: Uint8Array
}

/** Where the parent serves metrics for a worker that would open a port for them. */
export interface MetricsPort {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** The cluster that this process is a worker of, as plugins see it: `host.worker`. */
export interface ClusterWorker extends WorkerIdentity {
  /**
   * The parent merges the metrics of all workers with `metrics` of `cluster()`. `read` returns those of this worker, as data that
   * `structuredClone` copies; also once more after the app has closed. With `at` the parent serves the page there, too.
   *
   * Rejects with a BootError: `bad_option` if `cluster()` has no `metrics`, `unavailable_port`.
   */
  provideMetrics(read: () => Promise<unknown>, at: MetricsPort | null): Promise<void>
  /** The metrics of all workers, in the format that this `Accept` header prefers. */
  readMetrics(accept: string): Promise<MetricsPage>
}

/** What a worker offers to the apps of its process. */
export interface WorkerLink extends ClusterWorker {
  /**
   * The port that an app of this worker binds, shared with the other workers: the one it wants, or for 0 the one that the cluster took. The app
   * is closed when the worker is. Rejects with a BootError (`unavailable_port`) if another process has it.
   */
  claimPort(app: WorkerApp, host: string, port: number): Promise<number>
  /** The app listens. */
  listening(): void
}

/** How the parent says it: its process id, the worker's id and the number of workers. Not meant for users. */
export const workerVariable = 'TWINWIRE_WORKER'

let known: WorkerIdentity | null | undefined
let orphaned = false
let link: WorkerLink | null = null

/** Null: this process is not a worker. */
export function readWorker(): WorkerIdentity | null {
  if (known === undefined) {
    const text = process.env[workerVariable]
    known = parseWorker(text, process.ppid)
    // Only a worker has both the variable and a channel.
    orphaned = known === null && text !== undefined && process.send !== undefined
    // A process that a worker starts is not a worker.
    Reflect.deleteProperty(process.env, workerVariable)
  }
  return known
}

/** This process was started as a worker, and its parent has ended since. */
export function isOrphan(): boolean {
  return readWorker() === null && orphaned
}

/** `text` as `formatWorker` writes it; null for that of another process. */
export function parseWorker(text: string | undefined, parent: number): WorkerIdentity | null {
  const [, pid, id, workers] = /^(\d+):(\d+)\/(\d+)$/.exec(text ?? '') ?? []
  return pid === undefined || Number(pid) !== parent ? null : { id: Number(id), workers: Number(workers) }
}

export function formatWorker(parent: number, { id, workers }: WorkerIdentity): string {
  return `${parent}:${id}/${workers}`
}

/**
 * For what keeps something in this process that other processes of the app would not see, or that only one of them can open: refuses to run in a
 * worker of a cluster.
 *
 * @param what - Begins the message: `The embedded database`.
 * @param change - Ends it: `set url to postgres://user:password@host:5432/name`.
 * @throws BootError `conflicting_workers`
 *
 * @example
 * requireSingleProcess('The queue in memory', 'set queue to redisQueue(url)')
 */
export function requireSingleProcess(what: string, change: string): void {
  // Also one worker of one: on SIGHUP its successor starts while it still runs.
  if (readWorker() === null) return
  const message = `${what} works in one process only, and this is a worker of a cluster: ${change}, or set workers to 1`
  throw new BootError('conflicting_workers', message)
}

/** Null outside of a worker, and before it has called `cluster()`. */
export function workerLink(): WorkerLink | null {
  return link
}

/** From here on apps of this process listen as those of a worker. Null for tests, which leave the cluster again. */
export function joinCluster(joined: WorkerLink | null): void {
  link = joined
}
