import type { AppError } from './app-error.ts'

/** What an expected failure is inside: a value, never an exception that crosses rooms. */
export type Result<T> = Ok<T> | Failure

export interface Ok<T> {
  readonly ok: true
  readonly value: T
}

export interface Failure {
  readonly ok: false
  readonly error: AppError
}
