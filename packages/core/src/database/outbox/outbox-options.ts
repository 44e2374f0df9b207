import { option } from '../../base/option.ts'
import type { OptionRule } from '../../base/option-rule.ts'

/** How publications of `transaction({ outbox: true })` are sent after their commit. */
export interface OutboxOptions {
  /**
   * How often each process looks for rows that another process left: one that was killed after its commit, or that writes rows and runs no app.
   * Milliseconds, 50 to 60,000, default 1000. What this process commits is sent at once.
   */
  readonly pollMs?: number | undefined
  /** `GET /health` reports rows that have waited longer. Milliseconds, default 30,000. */
  readonly maxLagMs?: number | undefined
  /** Rows that are sent in one transaction: 1 to 10,000, default 200. */
  readonly batchSize?: number | undefined
}

export const outboxRules: { readonly [Name in keyof OutboxOptions]-?: OptionRule<number> } = {
  pollMs: option.integer({ min: 50, max: 60_000, default: 1000 }),
  maxLagMs: option.integer({ min: 1, default: 30_000 }),
  batchSize: option.integer({ min: 1, max: 10_000, default: 200 }),
}

/** With their defaults. */
export type CheckedOutboxOptions = { readonly [Name in keyof OutboxOptions]-?: number }
