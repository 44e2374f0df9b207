import type { Changes } from './change.ts'
import { get, isNode, listAt, type Node, numberAt, textAt } from './json.ts'
import { pairUp } from './pair-up.ts'

interface Limit {
  readonly name: string
  /** By what calls are counted; limits of one group are compared with one another. */
  readonly key: string
  readonly isOfOneWire: boolean
  readonly points: number
  readonly periodMs: number
  readonly burst: number
  readonly cost: number
}

/** `x-rate-limit` of a route. Names and the order of limits are not compared: callers see neither. */
export function compareRateLimits(old: Node, now: Node, where: string, changes: Changes): void {
  const wire = changes.wire === 'http' ? 'http' : 'ws'
  const { pairs, removed, added } = pairUp(limitsOf(old, wire), limitsOf(now, wire), sameLimit)
  const ids = new Set<string>()
  const toId = (limit: Limit): string => {
    const own = limit.isOfOneWire ? `${scopeOf(limit)} of the wire` : scopeOf(limit)
    let id = own
    for (let n = 2; ids.has(id); n++) id = `${own} ${n}`
    ids.add(id)
    return id
  }
  for (const [known, limit] of pairs) {
    const id = toId(limit)
    const change = `the rate limit was ${show(known)}, now ${show(limit)}`
    if (isTighter(limit, known)) changes.add('rate-limit', where, id, change)
    else if (isTighter(known, limit)) changes.add('rate-limit-relaxed', where, id, change)
  }
  for (const limit of added) changes.add('rate-limit', where, toId(limit), `a new rate limit: ${show(limit)}`)
  for (const limit of removed)
    changes.add('rate-limit-relaxed', where, toId(limit), `the rate limit of ${show(limit)} was removed`)
}

/** Equal ones first, then those of one name, then the nth with the nth. */
const sameLimit = [
  (a: Limit, b: Limit): boolean => isOfOneGroup(a, b) && !isTighter(a, b) && !isTighter(b, a),
  (a: Limit, b: Limit): boolean => isOfOneGroup(a, b) && a.name === b.name,
  isOfOneGroup,
]

function isOfOneGroup(a: Limit, b: Limit): boolean {
  return a.key === b.key && a.isOfOneWire === b.isOfOneWire
}

function limitsOf(operation: Node, wire: string): readonly Limit[] {
  return listAt(operation, 'x-rate-limit')
    .filter(isNode)
    .filter((node) => typeof get(node, 'wire') !== 'string' || get(node, 'wire') === wire)
    .map((node) => ({
      name: textAt(node, 'name'),
      key: textAt(node, 'key') || 'caller',
      isOfOneWire: typeof get(node, 'wire') === 'string',
      points: numberAt(node, 'points') ?? Infinity,
      periodMs: numberAt(node, 'periodMs') ?? 1000,
      burst: numberAt(node, 'burst') ?? 0,
      cost: numberAt(node, 'cost') ?? 1,
    }))
}

/** Whether calls are refused that the other takes: by the rate, or by how many may come at once. */
function isTighter(limit: Limit, than: Limit): boolean {
  const rate = ({ points, periodMs, cost }: Limit): number => points / periodMs / cost
  const atOnce = ({ points, burst, cost }: Limit): number => (points + burst) / cost
  return rate(limit) < rate(than) || atOnce(limit) < atOnce(than)
}

function scopeOf({ key, name }: Limit): string {
  return `per ${key}${name === '' ? '' : ` ${name}`}`
}

function show(limit: Limit): string {
  const { points, periodMs, burst, cost } = limit
  const period = periodMs % 1000 === 0 ? `${periodMs / 1000} s` : `${periodMs} ms`
  const more = `${burst > 0 ? `, ${burst} more at once` : ''}${cost === 1 ? '' : `, of which a call takes ${cost}`}`
  return `${points} in ${period}${more} ${scopeOf(limit)}`
}
