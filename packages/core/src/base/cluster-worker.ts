import process from 'node:process'

/** Which worker of a cluster a process is. */
export interface WorkerIdentity {
  /** From 1 to `workers`. The process that replaces a worker has the id of that worker. */
  readonly id: number
  readonly workers: number
}

/** An app of a worker, as the cluster uses it. */
export interface WorkerApp {
  /** Drains and closes it. */
  close(): Promise<void>
}

/** What a worker offers to the apps of its process. */
export interface WorkerLink {
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
let link: WorkerLink | null = null

/** Null: this process is not a worker. */
export function readWorker(): WorkerIdentity | null {
  if (known === undefined) {
    known = parseWorker(process.env[workerVariable], process.ppid)
    // A process that a worker starts is not a worker.
    Reflect.deleteProperty(process.env, workerVariable)
  }
  return known
}

/** `text` as `formatWorker` writes it; null for that of another process. */
export function parseWorker(text: string | undefined, parent: number): WorkerIdentity | null {
  const [, pid, id, workers] = /^(\d+):(\d+)\/(\d+)$/.exec(text ?? '') ?? []
  return pid === undefined || Number(pid) !== parent ? null : { id: Number(id), workers: Number(workers) }
}

export function formatWorker(parent: number, { id, workers }: WorkerIdentity): string {
  return `${parent}:${id}/${workers}`
}

/** Null outside of a worker, and before it has called `cluster()`. */
export function workerLink(): WorkerLink | null {
  return link
}

/** From here on apps of this process listen as those of a worker. Null for tests, which leave the cluster again. */
export function joinCluster(joined: WorkerLink | null): void {
  link = joined
}
