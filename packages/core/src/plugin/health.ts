import type { MaybePromise } from '../base/maybe-promise.ts'

/** Resolves if the part works; throws or rejects if it does not. The error is logged and not in the response. */
export type HealthCheck = () => MaybePromise<void>

/** A part of the app with a health check. */
export interface HealthPart {
  readonly check: HealthCheck
  /** False: the app stays ready when it fails. */
  readonly required: boolean
}
