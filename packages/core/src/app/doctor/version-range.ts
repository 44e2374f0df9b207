import satisfies from 'semver/functions/satisfies.js'
import validRange from 'semver/ranges/valid.js'

/**
 * Whether a version is within an npm range, such as `^1.2.3` or `>=1.2 <2`. A prerelease counts as older than its release. Throws for
 * text that is not a range.
 */
export function isInRange(version: string, range: string): boolean {
  if (validRange(range) === null) throw new Error(`'${range}' is not a version range`)
  return satisfies(version, range, { includePrerelease: true })
}
