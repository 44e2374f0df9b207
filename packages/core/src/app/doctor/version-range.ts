type Version = readonly [major: number, minor: number, patch: number]

/**
 * Is a version within a range as our package.json writes them: `^1.2.3`, `>=1.2 <2`, exact ones, and `||` between any of these? A
 * prerelease counts as older than its release. Throws on any other range.
 *
 * Source: the grammar of npm's ranges (https://github.com/npm/node-semver#ranges), the part of it that is used here.
 */
export function isInRange(version: string, range: string): boolean {
  const found = toVersion(version)
  return range.split('||').some((part) => {
    return part
      .trim()
      .split(/\s+/)
      .every((comparator) => satisfies(found, version.includes('-'), comparator))
  })
}

function satisfies(found: Version, isPrerelease: boolean, comparator: string): boolean {
  const [, operator = '', text = ''] = /^(\^|>=|<|>|<=)?(\d+(?:\.\d+){0,2})$/.exec(comparator) ?? []
  if (text === '') throw new Error(`'${comparator}' is a range that the doctor cannot read`)
  const bound = toVersion(text)
  const order = compare(found, bound) || (isPrerelease ? -1 : 0)
  if (operator === '^') return order >= 0 && compare(found, nextBreaking(bound)) < 0
  if (operator === '>=') return order >= 0
  if (operator === '>') return order > 0
  if (operator === '<') return order < 0
  return operator === '<=' ? order <= 0 : order === 0
}

/** What `^` ends before: the next change of the left-most number that is not 0. */
function nextBreaking([major, minor, patch]: Version): Version {
  if (major > 0) return [major + 1, 0, 0]
  return minor > 0 ? [0, minor + 1, 0] : [0, 0, patch + 1]
}

function toVersion(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = (text.split(/[-+]/, 1)[0] ?? '').split('.').map(Number)
  return [major, minor, patch]
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}
