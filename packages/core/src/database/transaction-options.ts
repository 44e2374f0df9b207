import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'

export interface TransactionMode {
  /** Default: the setting of the database, usually `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** PostgreSQL refuses writes. Default false. */
  readonly readOnly?: boolean
}

export interface TransactionOptions extends TransactionMode {
  /**
   * How often the inside runs again, in a new transaction, after PostgreSQL has ended it for a serialization failure (40001), a deadlock
   * (40P01) or a table that was changed in the meantime (0A000, a stale plan). After the last retry the call fails with `conflict`, or with
   * `unavailable` for the stale plan. 0 to 10, default 0.
   */
  readonly retries?: number
}

const rules = {
  isolation: option.choice(['read committed', 'repeatable read', 'serializable']),
  readOnly: option.flag(),
  retries: option.integer({ max: 10 }),
} satisfies OptionRules<TransactionOptions>

/** Throws a BootError. `owner`: whose options they are. */
export function checkTransactionOptions(options: TransactionOptions, owner: string): void {
  checkOptions(owner, options, rules)
}
