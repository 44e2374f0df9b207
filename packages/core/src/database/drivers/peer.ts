import { BootError } from '../../base/boot-error.ts'

/** Loads an optional peer dependency. Throws BootError `missing_peer` when it is not installed; other failures pass. */
export async function importPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new BootError(
      'missing_peer',
      `database() requires the package '${name}' for this url: run npm install ${name}`,
      {
        cause: error,
      },
    )
  }
}

/** The package itself, not one of its dependencies. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false
  const missing = 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
  return missing && error.message.includes(`'${name}'`)
}
