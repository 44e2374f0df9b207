import { BootError } from './boot-error.ts'

/**
 * For the `catch` of an `import()` of an optional peer dependency: throws BootError `missing_peer` when it is not installed, else what
 * the import threw. It must follow the `import()` directly: bundlers then accept that the package is missing.
 *
 * @param reason - What requires it, as a sentence: `database() requires the package 'postgres' for this url`.
 */
export function missingPeer(name: string, reason: string): (error: unknown) => never {
  return (error) => {
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
