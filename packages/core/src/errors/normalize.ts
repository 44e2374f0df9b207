import { AppError, InternalError } from './app-error.ts'

/** Maps some errors of a library, such as a database driver, to errors for the caller; returns null for all others. */
export type ErrorMapper = (error: unknown) => AppError | null

/**
 * Converts anything thrown to an AppError: itself, the result of a mapper, or `internal_error` with it as the cause. Mappers are also asked about what core
 * has mapped before they could be.
 */
export function toAppError(error: unknown, mappers: readonly ErrorMapper[]): AppError {
  if (!AppError.is(error))
    return findMapped(error, mappers) ?? new InternalError({ cause: error ?? new Error(`Thrown was ${error}`) })
  const source = sources.get(error) ?? null
  return (source === null ? null : findMapped(source, mappers)) ?? error
}

function findMapped(error: unknown, mappers: readonly ErrorMapper[]): AppError | null {
  for (const map of mappers) {
    const mapped = tryMap(map, error)
    if (mapped !== null) return mapped
  }
  return null
}

/** If a mapper throws, its error is ignored: the original error is the one to report. */
function tryMap(map: ErrorMapper, error: unknown): AppError | null {
  try {
    return map(error)
  } catch {
    return null
  }
}

/** What core has mapped, with what it was; null: no mapper is to be asked. */
const sources = new WeakMap<AppError, unknown>()

/** Marks an error as core's mapping of the driver error `source`, as if a mapper had returned it and no handler had thrown it. */
export function asMapped(error: AppError, source: unknown = null): AppError {
  sources.set(error, source)
  return error
}

/** Was `error` mapped from what was thrown, and not thrown by the application itself? */
export function isMapped(error: AppError, thrown: unknown): boolean {
  return error !== thrown || sources.has(error)
}
