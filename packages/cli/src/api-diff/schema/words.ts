import { type Branch, branchTypes, isWholeIn, valuesIn } from './branches.ts'
import { toWords } from './types.ts'

const maxValues = 6
const maxLength = 60

/** A value as messages show it. */
export function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}

export function showValues(values: readonly unknown[]): string {
  const shown = values.slice(0, maxValues).map(showValue)
  return values.length > maxValues ? `${shown.join(', ')} and ${values.length - maxValues} more` : shown.join(', ')
}

/** What the branches describe, briefly: `text or null`, `"a", "b"`. */
export function describeBranches(branches: readonly Branch[]): string {
  const values = branches.map(valuesIn)
  if (values.every((each) => each !== null)) {
    const all = values.flat()
    if (all.length > 0) return showValues(all)
  }
  const types = [...new Set(branches.flatMap(branchTypes))]
  const numbers = branches.filter((branch) => branchTypes(branch).includes('number'))
  return toWords(types.toSorted(), numbers.length > 0 && numbers.every(isWholeIn))
}

/** `1 to 80`, `at least 1`, `up to 80`; with a unit, of which there are none or more, `1 to 80 characters`. */
export function showRange(least: number, most: number, units: string): string {
  const what = units === '' ? '' : ` ${most === 1 || (most === Infinity && least === 1) ? units.slice(0, -1) : units}`
  const isOpen = least === -Infinity || (units !== '' && least === 0)
  if (least === most) return `${least}${what}`
  if (most === Infinity) return isOpen ? `any number${units === '' ? '' : ` of${what}`}` : `at least ${least}${what}`
  return isOpen ? `up to ${most}${what}` : `${least} to ${most}${what}`
}
