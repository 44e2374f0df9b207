import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'

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
  /**
   * Publications that the call makes inside become rows of the same transaction, in the order of the commits of their stream, and are sent after it,
   * also when this process ends in between. Requires `database({ outbox: {} })`. Default false: they are sent after the commit by this process alone.
   */
  readonly outbox?: boolean
}

const rules = {
  isolation: option.choice(['read committed', 'repeatable read', 'serializable']),
  readOnly: option.flag(),
  retries: option.integer({ max: 10 }),
  outbox: option.flag(),
} satisfies OptionRules<TransactionOptions>

/** Throws a BootError. `owner`: whose options they are. `hasOutbox`: the database has one. */
export function checkTransactionOptions(options: TransactionOptions, owner: string, hasOutbox: boolean): void {
  const { outbox, readOnly } = checkOptions(owner, options, rules)
  if (outbox !== true) return
  if (readOnly === true) throw badOption(owner, 'outbox', 'cannot be set together with readOnly: the outbox is a table')
  if (!hasOutbox) throw badOption(owner, 'outbox', 'needs an outbox: set database({ outbox: {} })')
}
