import { type Changes, code } from './change.ts'
import { get, isNode, listAt, type Node, nodeAt, numberAt, textAt, toNode } from './json.ts'

/** What both documents say of a route as extensions: limits, deadline, order, deprecation, guards. */
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
  const known = guardsOf(old)
  for (const name of guardsOf(now))
    if (!known.includes(name))
      changes.add(
        'step-added',
        where,
        name,
        `the guard ${code(name)} is new: check that it lets callers pass that passed before`,
      )
}

function isDeprecated(operation: Node): boolean {
  return get(operation, 'deprecated') === true || get(operation, 'x-deprecated') === true
}

/** Guards about which nothing else is said: roles are compared as access, limits as limits. */
function guardsOf(operation: Node): readonly string[] {
  return listAt(operation, 'x-steps')
    .map(toNode)
    .filter((step) => textAt(step, 'kind') === 'guard' && Object.keys(nodeAt(step, 'demands')).length === 0)
    .map((step) => textAt(step, 'name'))
    .filter((name) => !name.startsWith('rateLimit.'))
}

interface Limit {
  readonly scope: string
  readonly points: number
  readonly periodMs: number
  readonly burst: number
  readonly cost: number
}

function compareRateLimits(old: Node, now: Node, where: string, changes: Changes): void {
  const wire = changes.wire === 'http' ? 'http' : 'ws'
  const [before, after] = [limitsOf(old, wire), limitsOf(now, wire)]
  // Of one scope the nth is compared with the nth.
  for (const [id, limit] of after) {
    const known = before.get(id)
    if (known === undefined) changes.add('rate-limit', where, id, `a new rate limit: ${show(limit)}`)
    else if (isTighter(limit, known))
      changes.add('rate-limit', where, id, `the rate limit was ${show(known)}, now ${show(limit)}`)
    else if (isTighter(known, limit))
      changes.add('rate-limit-relaxed', where, id, `the rate limit was ${show(known)}, now ${show(limit)}`)
  }
  for (const [id, limit] of before)
    if (!after.has(id)) changes.add('rate-limit-relaxed', where, id, `the rate limit of ${show(limit)} was removed`)
}

function limitsOf(operation: Node, wire: string): ReadonlyMap<string, Limit> {
  const limits = new Map<string, Limit>()
  for (const node of listAt(operation, 'x-rate-limit').filter(isNode)) {
    const ofWire = get(node, 'wire')
    if (typeof ofWire === 'string' && ofWire !== wire) continue
    const scope = `per ${textAt(node, 'key') || 'caller'}${textAt(node, 'name') === '' ? '' : ` ${textAt(node, 'name')}`}`
    const own = typeof ofWire === 'string' ? `${scope} of the wire` : scope
    let id = own
    for (let n = 2; limits.has(id); n++) id = `${own} ${n}`
    const [points, periodMs] = [numberAt(node, 'points') ?? Infinity, numberAt(node, 'periodMs') ?? 1000]
    limits.set(id, { scope, points, periodMs, burst: numberAt(node, 'burst') ?? 0, cost: numberAt(node, 'cost') ?? 1 })
  }
  return limits
}

/** Whether calls are refused that the other takes: by the rate, or by how many may come at once. */
function isTighter(limit: Limit, than: Limit): boolean {
  const rate = ({ points, periodMs, cost }: Limit): number => points / periodMs / cost
  const atOnce = ({ points, burst, cost }: Limit): number => (points + burst) / cost
  return rate(limit) < rate(than) || atOnce(limit) < atOnce(than)
}

function show({ points, periodMs, burst, cost, scope }: Limit): string {
  const period = periodMs % 1000 === 0 ? `${periodMs / 1000} s` : `${periodMs} ms`
  const more = `${burst > 0 ? `, ${burst} more at once` : ''}${cost === 1 ? '' : `, of which a call takes ${cost}`}`
  return `${points} in ${period}${more} ${scope}`
}

/** 0 means without a deadline. */
export function compareDeadline(old: Node, now: Node, key: string, where: string, changes: Changes): void {
  const [before, after] = [numberAt(old, key), numberAt(now, key)]
  if (before === null || after === null || before === after) return
  const length = (ms: number): number => (ms === 0 ? Infinity : ms)
  const text = (ms: number): string => (ms === 0 ? 'none' : `${ms} ms`)
  const rule = length(after) < length(before) ? 'deadline' : 'deadline-relaxed'
  changes.add(rule, where, key, `${code(key)} was ${text(before)}, now ${text(after)}`)
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
