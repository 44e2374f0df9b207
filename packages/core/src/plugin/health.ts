import type { MaybePromise } from '../base/maybe-promise.ts'

/** Resolves when the part works; throws or rejects when it does not. What it throws is logged and not shown. */
export type HealthCheck = () => MaybePromise<void>

/** A part of the app that is looked after. */
export interface HealthPart {
  readonly check: HealthCheck
  /** False: the app works without it, and is ready when it fails. */
  readonly required: boolean
}
