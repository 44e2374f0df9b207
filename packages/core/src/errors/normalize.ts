import { AppError, InternalError } from './app-error.ts'

/** Maps some errors of a library, such as a database driver, to errors for the caller; returns null for all others. */
export type ErrorMapper = (error: unknown) => AppError | null

/** Converts anything thrown to an AppError: itself, the result of a mapper, or `internal_error` with it as the cause. */
export function toAppError(error: unknown, mappers: readonly ErrorMapper[]): AppError {
  if (AppError.is(error)) return error
  for (const map of mappers) {
    const mapped = tryMap(map, error)
    if (mapped !== null) return mapped
  }
  return new InternalError({ cause: error ?? new Error(`Thrown was ${error}`) })
}

/** If a mapper throws, its error is ignored: the original error is the one to report. */
function tryMap(map: ErrorMapper, error: unknown): AppError | null {
  try {
    return map(error)
  } catch {
    return null
  }
}

const mapped = new WeakSet<AppError>()

/** Marks an error as core's mapping of a driver error, as if a mapper had returned it and no handler had thrown it. */
export function asMapped(error: AppError): AppError {
  mapped.add(error)
  return error
}

/** Was `error` mapped from what was thrown, and not thrown by the application itself? */
export function isMapped(error: AppError, thrown: unknown): boolean {
  return error !== thrown || mapped.has(error)
}
