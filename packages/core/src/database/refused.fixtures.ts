import { expect } from 'vitest'
import { mapDatabaseError } from './errors.ts'

/** What a caller would be answered for work that must fail. */
export async function refused(work: Promise<unknown>): Promise<{ code: string; message: string; details: unknown }> {
  const error = await work.then(
    () => expect.fail('must reject'),
    (reason: unknown) => reason,
  )
  const mapped = mapDatabaseError(error) ?? error
  return expect.objectContaining({ code: expect.any(String) }).asymmetricMatch(mapped)
    ? (mapped as { code: string; message: string; details: unknown })
    : expect.fail(`not an AppError: ${String(error)}`)
}
