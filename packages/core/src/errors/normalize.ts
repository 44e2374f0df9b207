import { AppError, InternalError } from './app-error.ts'

/** Knows some foreign errors (a driver's) and says what they are for a caller; null for all others. */
export type ErrorMapper = (error: unknown) => AppError | null

/** Anything thrown becomes an AppError: itself, what a mapper makes of it, or `internal_error` with it as the cause. */
export function toAppError(error: unknown, mappers: readonly ErrorMapper[]): AppError {
  if (AppError.is(error)) return error
  for (const map of mappers) {
    const mapped = tryMap(map, error)
    if (mapped !== null) return mapped
  }
  return new InternalError({ cause: error ?? new Error(`Thrown was ${error}`) })
}

/** A mapper that fails knows nothing: what it was asked about is what has to be told. */
function tryMap(map: ErrorMapper, error: unknown): AppError | null {
  try {
    return map(error)
  } catch {
    return null
  }
}

const mapped = new WeakSet<AppError>()

/** Notes of an error that it is core's word for a failure of a driver, as if a mapper had made it: no handler has thrown it. */
export function asMapped(error: AppError): AppError {
  mapped.add(error)
  return error
}

/** Is `error` core's word for what was thrown, and not what an application has thrown itself? */
export function isMapped(error: AppError, thrown: unknown): boolean {
  return error !== thrown || mapped.has(error)
}
