import { toBaseName } from './exposition.ts'

interface Named {
  readonly name: string
  readonly type: unknown
}

const histogramSuffixes = ['', '_bucket', '_sum', '_count']
const summarySuffixes = ['', '_sum', '_count']

/** Every name that a metric has in a scrape of either format. */
function namesOf({ name, type }: Named): readonly string[] {
  if (type === 'histogram') return histogramSuffixes.map((suffix) => name + suffix)
  if (type === 'summary') return summarySuffixes.map((suffix) => name + suffix)
  return type === 'counter' ? [toBaseName(name), `${toBaseName(name)}_total`] : [name]
}

/** Adds the names of a metric to `taken`, and returns null; if one of them is already taken, adds none and returns that one. */
export function claimNames(metric: Named, taken: Set<string>): string | null {
  const names = namesOf(metric)
  const clash = names.find((name) => taken.has(name))
  if (clash !== undefined) return clash
  for (const name of names) taken.add(name)
  return null
}
