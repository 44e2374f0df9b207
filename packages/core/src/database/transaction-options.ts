import { BootError } from '../base/boot-error.ts'

export interface TransactionMode {
  /** Default: what the database is set to, usually `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** PostgreSQL refuses writes. Default false. */
  readonly readOnly?: boolean
}

export interface TransactionOptions extends TransactionMode {
  /**
   * How often all that is inside runs again, in a new transaction, when PostgreSQL ends it for a serialization failure (40001), a
   * deadlock (40P01) or a table that was changed meanwhile (0A000, a stale plan); after the last time the call gets `conflict`, or
   * `unavailable` for the stale plan. 0 to 10, default 0.
   */
  readonly retries?: number
}

const isolations: readonly unknown[] = ['read committed', 'repeatable read', 'serializable']

const mostRetries = 10

/** Throws a BootError that names what to change. `where` is whose options they are. */
export function checkTransactionOptions(options: TransactionOptions, where: string): void {
  const { isolation, readOnly, retries, ...others } = options
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) {
    throw new BootError('unknown_option', `Unknown option of ${where}: ${unknown}; known: isolation, readOnly, retries`)
  }
  if (isolation !== undefined && !isolations.includes(isolation)) {
    throw new BootError('bad_option', `isolation of ${where} must be one of ${isolations.join(', ')}`)
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean') {
    throw new BootError('bad_option', `readOnly of ${where} must be true or false`)
  }
  if (retries !== undefined && !(Number.isSafeInteger(retries) && retries >= 0 && retries <= mostRetries)) {
    throw new BootError('bad_option', `retries of ${where} must be a whole number from 0 to ${mostRetries}`)
  }
}
