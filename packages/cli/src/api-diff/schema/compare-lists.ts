import { get, has, type Node, toList } from '../json.ts'
import { type Branch, isNever } from './branches.ts'
import { compareCounts, countsOf } from './compare-scalars.ts'
import { below, type Reason } from './reason.ts'
import type { SchemaComparison } from './schema-comparison.ts'
import { anything, type SchemaSource } from './schema-source.ts'

export function compareLists(branch: Branch, to: Node, comparison: SchemaComparison): readonly Reason[] {
  const { from: source, to: other } = comparison
  const first = Math.max(...branch.map((node) => prefixOf(node).length))
  const all = Math.max(first, prefixOf(to).length)
  const itemsAt = (i: number): readonly Node[] => branch.map((node) => itemOf(node, i, source))
  const counts = countsOf(branch, 'minItems', 'maxItems')
  // A list ends where nothing can follow.
  let end = counts.most
  for (let i = 0; i <= first && i < end; i++) if (isNever(itemsAt(i), source)) end = i
  const ours = { least: counts.least, most: end }
  if (ours.least > ours.most) return []
  const limits = countsOf([to], 'minItems', 'maxItems')
  let most = limits.most
  for (let i = 0; i <= all && i < most; i++) if (isNever([itemOf(to, i, other)], other)) most = i
  const reasons = [...compareCounts(ours, { least: limits.least, most }, 'count', 'items', comparison)]
  for (let i = 0; i <= all && i < Math.min(end, most); i++) {
    const name = all === 0 || i === all ? '[]' : `[${i}]`
    reasons.push(...below(name, comparison.compare(itemsAt(i), itemOf(to, i, other))))
  }
  if (get(to, 'uniqueItems') === true && end > 1 && !branch.some((node) => get(node, 'uniqueItems') === true))
    reasons.push(comparison.reason('check', 'any items', 'different items', 'uniqueItems'))
  return reasons
}

/** In 2020-12 `prefixItems`, in draft-07 a list as `items`. */
function prefixOf(node: Node): readonly unknown[] {
  return has(node, 'prefixItems') ? toList(get(node, 'prefixItems')) : toList(get(node, 'items'))
}

function itemOf(node: Node, i: number, source: SchemaSource): Node {
  const prefix = prefixOf(node)
  if (i < prefix.length) return source.toSchema(prefix[i])
  const items = get(node, 'items')
  const rest = Array.isArray(items) ? get(node, 'additionalItems') : items
  return rest === undefined ? anything : source.toSchema(rest)
}
