import type { AppError } from './app-error.ts'

/** An expected failure is a value inside core, and never an exception that crosses modules. */
export type Result<T> = Ok<T> | Failure

export interface Ok<T> {
  readonly ok: true
  readonly value: T
}

export interface Failure {
  readonly ok: false
  readonly error: AppError
}
