import { get, has, isEqual, isNode, type Node, nodeAt } from '../json.ts'
import {
  type Branch,
  isNever,
  keySchemas,
  matches,
  namesIn,
  nodeKeySchemas,
  otherKeys,
  patternsOf,
  requiredIn,
} from './branches.ts'
import { compareCounts, countsOf } from './compare-scalars.ts'
import { below, type Reason } from './reason.ts'
import type { SchemaComparison } from './schema-comparison.ts'
import { anything, type SchemaSource } from './schema-source.ts'
import { showValue } from './words.ts'

export function compareObjects(branch: Branch, to: Node, comparison: SchemaComparison): readonly Reason[] {
  const { from } = comparison
  const required = requiredIn(branch)
  const others = otherKeys(branch, from)
  const named = new Set([...namesIn(branch), ...required])
  const theirs = Object.keys(nodeAt(to, 'properties'))
  const reasons: Reason[] = [...requiredIn([to])]
    .filter((key) => !required.has(key))
    .map((key) => comparison.reason('required', named.has(key) ? 'optional' : 'not there', 'required', key))
  for (const key of named) {
    const ours = keySchemas(branch, key, from)
    if (!isNever(ours, from)) reasons.push(...compareKey(key, ours, to, comparison))
  }
  // A key that only the other schema names is sent by those who may send any.
  if (others !== null)
    for (const key of theirs.filter((each) => !named.has(each)))
      reasons.push(...compareKey(key, keySchemas(branch, key, from), to, comparison))
  reasons.push(...compareOtherKeys(branch, others, to, comparison))
  const ours = countsOf(branch, 'minProperties', 'maxProperties')
  const hasAllNames = others === null && branch.every((node) => patternsOf(node).length === 0)
  const counts = {
    least: Math.max(ours.least, required.size),
    most: hasAllNames ? Math.min(ours.most, named.size) : ours.most,
  }
  if (counts.least <= counts.most)
    reasons.push(
      ...compareCounts(counts, countsOf([to], 'minProperties', 'maxProperties'), 'count', 'keys', comparison),
    )
  return reasons
}

function compareKey(key: string, ours: readonly Node[], to: Node, comparison: SchemaComparison): readonly Reason[] {
  const schemas = nodeKeySchemas(to, key, comparison.to)
  const isNamed = isNode(get(to, 'properties')) && has(nodeAt(to, 'properties'), key)
  const isPatterned = patternsOf(to).some(([pattern]) => matches(pattern, key))
  if (schemas.length === 0) return has(to, 'properties') ? [comparison.reason('key', 'named', 'not named', key)] : []
  if (!isNamed && !isPatterned && isNever(schemas, comparison.to))
    return [comparison.reason('closed', 'named', 'not taken', key)]
  const from = ours.length === 0 ? [anything] : ours
  return schemas.flatMap((schema) => below(key, comparison.compare(from, schema)))
}

/** Keys that the branch does not name: those of its patterns, and any other. */
function compareOtherKeys(
  branch: Branch,
  others: readonly Node[] | null,
  to: Node,
  comparison: SchemaComparison,
): readonly Reason[] {
  const { from, to: other } = comparison
  const rest = has(to, 'additionalProperties') ? other.toSchema(get(to, 'additionalProperties')) : anything
  const patterns = patternsOf(to)
  const reasons: Reason[] = []
  for (const [pattern, schema] of branch.flatMap(patternsOf)) {
    const ours = [from.toSchema(schema)]
    const equal = patterns.filter(([each]) => each === pattern)
    // Another pattern may match the same keys, and so may the name of a property.
    const named = Object.entries(nodeAt(to, 'properties')).filter(([key]) => matches(pattern, key))
    const meets = [...patterns.map(([, each]) => each), ...named.map(([, each]) => each)].map((each) =>
      other.toSchema(each),
    )
    const all = equal.length === 0 ? [...meets, rest] : meets
    reasons.push(...all.flatMap((each) => below('{}', comparison.compare(ours, each))))
  }
  if (others === null) return reasons
  const ours = others.length === 0 ? [anything] : others
  if (isNever(ours, from)) return reasons
  if (isNever([rest], other)) {
    const isByPattern = patterns.length > 0
    return [
      ...reasons,
      isByPattern
        ? comparison.reason('unclear', 'any key', 'keys of a pattern')
        : comparison.reason('closed', 'any key', 'not taken'),
    ]
  }
  const met = [rest, ...patterns.map(([, schema]) => other.toSchema(schema))]
  return [...reasons, ...met.flatMap((each) => below('{}', comparison.compare(ours, each)))]
}

/** What changes nothing for validity, but for those who write a client. */
export function remarksOn(from: readonly Node[], to: Node, comparison: SchemaComparison): readonly Reason[] {
  const ours = from.flatMap((node) => withReferred(node, comparison.from))
  const theirs = withReferred(to, comparison.to)
  const [before, after] = [defaultOf(ours), defaultOf(theirs)]
  const [wasDeprecated, isDeprecated] = [ours, theirs].map((all) =>
    all.some((node) => get(node, 'deprecated') === true),
  )
  return [
    ...(isEqual(before, after) ? [] : [comparison.reason('default', showDefault(before), showDefault(after))]),
    ...(wasDeprecated === isDeprecated
      ? []
      : [comparison.reason('deprecated', String(wasDeprecated), String(isDeprecated))]),
  ]
}

function withReferred(node: Node, source: SchemaSource): readonly Node[] {
  return has(node, '$ref') ? [node, source.follow(node)] : [node]
}

function defaultOf(nodes: readonly Node[]): unknown {
  const node = nodes.find((each) => has(each, 'default'))
  return node === undefined ? undefined : get(node, 'default')
}

function showDefault(value: unknown): string {
  return value === undefined ? 'none' : showValue(value)
}
