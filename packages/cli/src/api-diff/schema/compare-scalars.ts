import { has, type Node, numberAt, textAt } from '../json.ts'
import { type Branch, isWholeIn } from './branches.ts'
import type { Reason } from './reason.ts'
import type { SchemaComparison } from './schema-comparison.ts'
import { showRange } from './words.ts'

interface Bound {
  readonly value: number
  /** Whether the value itself is out. */
  readonly open: boolean
}

/** A range that is larger than another contains what the other does not. */
export interface Bounds {
  readonly least: number
  readonly most: number
}

export function compareNumbers(branch: Branch, to: Node, comparison: SchemaComparison): readonly Reason[] {
  const whole = isWholeIn(branch)
  const [least, most] = [lowest(branch, whole), highest(branch, whole)]
  if (least.value > most.value || (least.value === most.value && (least.open || most.open))) return []
  const reasons: Reason[] = []
  const [min, max] = [lowest([to], whole), highest([to], whole)]
  const isBelow = least.value < min.value || (least.value === min.value && min.open && !least.open)
  const isAbove = most.value > max.value || (most.value === max.value && max.open && !most.open)
  if (isBelow || isAbove) reasons.push(comparison.reason('range', showNumbers(least, most), showNumbers(min, max)))
  const step = numberAt(to, 'multipleOf')
  if (step !== null && !isMultiple(branch, step, whole)) {
    const before = branch.flatMap((node) => numberAt(node, 'multipleOf') ?? [])
    const from = before.length === 0 ? 'any number' : `multiples of ${before.join(' and ')}`
    reasons.push(comparison.reason('check', from, `multiples of ${step}`, 'multipleOf'))
  }
  return reasons
}

function isMultiple(branch: Branch, step: number, whole: boolean): boolean {
  const steps = branch.flatMap((node) => numberAt(node, 'multipleOf') ?? [])
  return steps.some((each) => Number.isInteger(each / step)) || (whole && Number.isInteger(1 / step))
}

function lowest(branch: Branch, whole: boolean): Bound {
  return branch
    .flatMap((node) => [bound(numberAt(node, 'minimum'), false), bound(numberAt(node, 'exclusiveMinimum'), true)])
    .map((each) =>
      whole && each !== null
        ? { value: each.open ? Math.floor(each.value) + 1 : Math.ceil(each.value), open: false }
        : each,
    )
    .reduce<Bound>((a, b) => (b === null || b.value < a.value || (b.value === a.value && !b.open) ? a : b), {
      value: -Infinity,
      open: false,
    })
}

function highest(branch: Branch, whole: boolean): Bound {
  return branch
    .flatMap((node) => [bound(numberAt(node, 'maximum'), false), bound(numberAt(node, 'exclusiveMaximum'), true)])
    .map((each) =>
      whole && each !== null
        ? { value: each.open ? Math.ceil(each.value) - 1 : Math.floor(each.value), open: false }
        : each,
    )
    .reduce<Bound>((a, b) => (b === null || b.value > a.value || (b.value === a.value && !b.open) ? a : b), {
      value: Infinity,
      open: false,
    })
}

function bound(value: number | null, open: boolean): Bound | null {
  return value === null ? null : { value, open }
}

function showNumbers(least: Bound, most: Bound): string {
  if (!least.open && !most.open) return showRange(least.value, most.value, '')
  const parts = [
    ...(least.value === -Infinity ? [] : [`${least.open ? 'more than' : 'at least'} ${least.value}`]),
    ...(most.value === Infinity ? [] : [`${most.open ? 'less than' : 'at most'} ${most.value}`]),
  ]
  return parts.join(' and ')
}

export function compareStrings(branch: Branch, to: Node, comparison: SchemaComparison): readonly Reason[] {
  const ours = countsOf(branch, 'minLength', 'maxLength')
  if (ours.least > ours.most) return []
  const reasons = [...compareCounts(ours, countsOf([to], 'minLength', 'maxLength'), 'length', 'characters', comparison)]
  if (!has(to, 'pattern')) return reasons
  const pattern = textAt(to, 'pattern')
  const patterns = branch.filter((node) => has(node, 'pattern')).map((node) => textAt(node, 'pattern'))
  if (!patterns.includes(pattern))
    reasons.push(comparison.reason('pattern', patterns.join(' and ') || 'any text', pattern))
  return reasons
}

export function countsOf(branch: Branch, least: string, most: string): Bounds {
  return {
    least: Math.max(0, ...branch.map((node) => numberAt(node, least) ?? 0)),
    most: Math.min(Infinity, ...branch.map((node) => numberAt(node, most) ?? Infinity)),
  }
}

export function compareCounts(
  ours: Bounds,
  theirs: Bounds,
  kind: 'length' | 'count',
  unit: string,
  comparison: SchemaComparison,
): readonly Reason[] {
  if (ours.least >= theirs.least && ours.most <= theirs.most) return []
  return [comparison.reason(kind, showRange(ours.least, ours.most, unit), showRange(theirs.least, theirs.most, unit))]
}
