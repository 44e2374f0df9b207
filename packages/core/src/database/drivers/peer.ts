import { BootError } from '../../base/boot-error.ts'

/** Loads an optional peer; that it is not installed is one sentence. Any other failure passes as it is. */
export async function importPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error, name)) throw error
    throw new BootError('peer_missing', `database() needs the package '${name}' for this url: npm install ${name}`, {
      cause: error,
    })
  }
}

/** The package itself, not one that it needs in turn. */
function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error)) return false
  const missing = 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
  return missing && error.message.includes(`'${name}'`)
}
