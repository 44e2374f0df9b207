import type { MetricsPort } from '../base/cluster-worker.ts'

/**
 * What a worker and its parent say to each other. The channel may also carry messages of the application, and after an update a worker
 * may be of another version than its parent: each side ignores what does not have this mark.
 */
export const mark = 'twinwire.cluster/1'

/** A question has an `id`, which its answer repeats. */
export type FromWorker =
  | { readonly mark: typeof mark; readonly type: 'port'; readonly id: number; readonly port: PortClaim }
  | { readonly mark: typeof mark; readonly type: 'openMetrics'; readonly id: number; readonly at: MetricsPort | null }
  | { readonly mark: typeof mark; readonly type: 'readMetrics'; readonly id: number; readonly accept: string }
  | { readonly mark: typeof mark; readonly type: 'report'; readonly id: number; readonly value: unknown }
  | { readonly mark: typeof mark; readonly type: 'lastMetrics'; readonly metrics: unknown }
  | { readonly mark: typeof mark; readonly type: 'serving' }
  | { readonly mark: typeof mark; readonly type: 'failed'; readonly failure: Failure }

export type FromParent =
  | { readonly mark: typeof mark; readonly type: 'drain' }
  | { readonly mark: typeof mark; readonly type: 'ask'; readonly id: number; readonly what: Report }
  | { readonly mark: typeof mark; readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly mark: typeof mark; readonly type: 'refusal'; readonly id: number; readonly failure: Failure }

/** What the parent asks of its workers. */
export type Report = 'health' | 'metrics'

export interface PortClaim {
  readonly host: string
  readonly port: number
  /** Counts the claims of port 0 by this worker: the first of each worker is one port, the second another. */
  readonly nth: number
}

/** An error, on its way to another process. */
export interface Failure {
  /** Null: not a BootError. */
  readonly code: string | null
  readonly message: string
  readonly stack: string
  /** The link of a BootError, by the addresses of the app that had it. */
  readonly docs: string | null
}

export function isFromWorker(message: unknown): message is FromWorker {
  return hasMark(message)
}

export function isFromParent(message: unknown): message is FromParent {
  return hasMark(message)
}

function hasMark(message: unknown): boolean {
  return typeof message === 'object' && message !== null && Reflect.get(message, 'mark') === mark
}
