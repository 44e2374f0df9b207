import { AppError } from '../../errors/app-error.ts'
import { findDatabaseFailure, isConnectionFailure, isStalePlan, toFailure } from '../errors.ts'

/** Values of the label `error_type`: names of PostgreSQL's conditions, and groups of them. */
export const errorTypes = [
  'unique_violation',
  'foreign_key_violation',
  'not_null_violation',
  'check_violation',
  'exclusion_violation',
  'serialization_failure',
  'deadlock_detected',
  'lock_not_available',
  'query_canceled',
  'read_only_transaction',
  'failed_transaction',
  'stale_plan',
  'invalid_data',
  'invalid_statement',
  'connection',
  'other',
] as const
export type ErrorType = (typeof errorTypes)[number]

const byCode: Readonly<Record<string, ErrorType>> = {
  '23505': 'unique_violation',
  '23503': 'foreign_key_violation',
  '23001': 'foreign_key_violation',
  '23502': 'not_null_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
  '40001': 'serialization_failure',
  '40P01': 'deadlock_detected',
  '55P03': 'lock_not_available',
  '57014': 'query_canceled',
  '25006': 'read_only_transaction',
  '25P02': 'failed_transaction',
}

export function toErrorType(error: unknown): ErrorType {
  // An AppError of this package: the call ended before the statement did.
  if (AppError.is(error)) return 'query_canceled'
  const failure = findDatabaseFailure(error) ?? toFailure(error)
  const { code } = failure
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined
  if (known !== undefined) return known
  if (isConnectionFailure(code)) return 'connection'
  if (isStalePlan(failure)) return 'stale_plan'
  if (/^22...$/.test(code)) return 'invalid_data'
  return /^42...$/.test(code) ? 'invalid_statement' : 'other'
}
