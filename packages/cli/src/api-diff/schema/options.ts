import { isEqual, type Node } from '../json.ts'
import { type Branch, branchTypes, keySchemas, pin, requiredIn, toBranches, valuesIn } from './branches.ts'
import { fits, type Reason } from './reason.ts'
import type { SchemaComparison } from './schema-comparison.ts'
import type { SchemaSource } from './schema-source.ts'
import { TooComplex } from './too-complex.ts'
import type { JsonType } from './types.ts'
import { describeBranches } from './words.ts'

interface Choice {
  readonly branch: Branch
  readonly type: JsonType
  readonly options: readonly unknown[]
  /** Exactly one option has to fit. */
  readonly isOne: boolean
}

const maxSplit = 64

/** `anyOf` and `oneOf`: an option has to take all values of the branch. */
export function compareOptions(choice: Choice, comparison: SchemaComparison): readonly Reason[] {
  const { branch, type, isOne } = choice
  const options = choice.options.map((each) => comparison.to.toSchema(each))
  const near = options.filter((option) => !areApart(branch, type, option, comparison))
  const results = near.map((option) => comparison.compareTyped(branch, type, option))
  const [best] = results.toSorted((a, b) => weigh(a) - weigh(b))
  const sent = describeBranches([branch])
  const offered = [...new Set(options.map((option) => comparison.describe(option)))].join(' or ')
  if (best === undefined) return [comparison.reason('option', sent, offered)]
  if (fits(best)) {
    // The others must not take any of them.
    return isOne && near.length > 1 ? [comparison.reason('unclear', sent, 'exactly one of several that overlap')] : best
  }
  if (near.length === 1) return best
  const split = splitByValues(branch, options, comparison)
  if (split !== null) return split.flatMap((each) => compareOptions({ ...choice, branch: each }, comparison))
  return [comparison.reason('unclear', sent, offered)]
}

function weigh(reasons: readonly Reason[]): number {
  return reasons.length + (fits(reasons) ? 0 : 1000)
}

/** Whether no value of the branch can fit the option: by its type, its values, or those of a property that is always there. */
function areApart(branch: Branch, type: JsonType, option: Node, comparison: SchemaComparison): boolean {
  const others = branchesOf(option, comparison.to)
  return others?.every((other) => isApart(branch, type, other, comparison)) ?? false
}

function isApart(branch: Branch, type: JsonType, other: Branch, comparison: SchemaComparison): boolean {
  if (!branchTypes(other).includes(type)) return true
  if (type !== 'object') return false
  return [...requiredIn(branch)].some((key) => {
    const ours = valuesOfKey(branch, key, comparison.from)
    const theirs = valuesOfKey(other, key, comparison.to)
    if (ours !== null && theirs !== null) return !ours.some((value) => theirs.some((each) => isEqual(each, value)))
    return false
  })
}

function branchesOf(schema: Node, source: SchemaSource): readonly Branch[] | null {
  try {
    return toBranches([schema], source)
  } catch (error) {
    if (error instanceof TooComplex) return null
    throw error
  }
}

function valuesOfKey(branch: Branch, key: string, source: SchemaSource): readonly unknown[] | null {
  const all = branchesOf({ allOf: keySchemas(branch, key, source) }, source)?.map(valuesIn) ?? [null]
  return all.includes(null) ? null : all.flatMap((each) => each ?? [])
}

/** The branch once for each value of a property by which the options differ. */
function splitByValues(
  branch: Branch,
  options: readonly Node[],
  comparison: SchemaComparison,
): readonly Branch[] | null {
  for (const key of requiredIn(branch)) {
    const values = valuesOfKey(branch, key, comparison.from)
    if (values === null || values.length < 2 || values.length > maxSplit) continue
    const tells = options.some((option) =>
      branchesOf(option, comparison.to)?.some((other) => valuesOfKey(other, key, comparison.to) !== null),
    )
    if (tells) return values.map((value) => [...branch, pinOnce(key, value)])
  }
  return null
}

const pinned = new Map<string, Node>()

/** One node for each key and value: what is known about schemas is known by node. */
function pinOnce(key: string, value: unknown): Node {
  const id = JSON.stringify([key, value])
  const known = pinned.get(id)
  if (known !== undefined) return known
  const made = pin(key, value)
  pinned.set(id, made)
  return made
}
