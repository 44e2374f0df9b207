import { type Changes, code } from './change.ts'
import { compareGuards } from './guards.ts'
import { get, type Node, numberAt } from './json.ts'
import { compareOnce } from './once.ts'
import { compareRateLimits } from './rate-limits.ts'

/** What both documents say of a route as extensions: limits, deadline, order, repetition, deprecation, guards. */
export function compareFacts(old: Node, now: Node, where: string, changes: Changes): void {
  compareRateLimits(old, now, where, changes)
  compareDeadline(old, now, 'x-deadline-ms', where, changes)
  if (get(old, 'x-ordered') === true && get(now, 'x-ordered') === false)
    changes.add(
      'ordered',
      where,
      '',
      'calls of one connection are no longer answered in their order: check that no client relies on it',
    )
  const [before, after] = [isDeprecated(old), isDeprecated(now)]
  if (before !== after) changes.add('deprecated', where, '', after ? 'is now deprecated' : 'is no longer deprecated')
  compareOnce(old, now, where, changes)
  compareGuards(old, now, where, changes)
}

function isDeprecated(operation: Node): boolean {
  return get(operation, 'deprecated') === true || get(operation, 'x-deprecated') === true
}

/** 0, or not there, means without a deadline. */
export function compareDeadline(old: Node, now: Node, key: string, where: string, changes: Changes): void {
  const [before, after] = [lengthOf(old, key), lengthOf(now, key)]
  if (before === after) return
  const text = (ms: number): string => (ms === Infinity ? 'none' : `${ms} ms`)
  const rule = after < before ? 'deadline' : 'deadline-relaxed'
  changes.add(rule, where, key, `${code(key)} was ${text(before)}, now ${text(after)}`)
}

function lengthOf(node: Node, key: string): number {
  return numberAt(node, key) || Infinity
}

/** Numbers of which a smaller one refuses more: sizes, and how many. */
export function compareLimit(
  before: number | null,
  after: number | null,
  name: string,
  where: string,
  changes: Changes,
): void {
  if (after === null || before === after) return
  if (before === null || after < before)
    changes.add('limit', where, name, `${code(name)} was ${before ?? 'not limited'}, now ${after}`)
  else changes.add('limit-relaxed', where, name, `${code(name)} was ${before}, now ${after}`)
}

export function compareLimits(old: Node, now: Node, where: string, changes: Changes): void {
  for (const name of Object.keys(now)) compareLimit(numberAt(old, name), numberAt(now, name), name, where, changes)
}
