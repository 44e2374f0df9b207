import { BootError } from './boot-error.ts'

/**
 * Loads an optional peer dependency. Throws BootError `missing_peer` when it is not installed; other failures pass.
 *
 * @param reason - What requires it, as a sentence: `database() requires the package 'postgres' for this url`.
 */
export async function importPeer<T>(name: string, reason: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new BootError('missing_peer', `${reason}: run npm install ${name}`, {
      cause: error,
    })
  }
}

/** The package itself, not one of its dependencies. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false
  const missing = 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
  return missing && error.message.includes(`'${name}'`)
}
