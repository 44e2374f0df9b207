import { type Changes, code } from './change.ts'
import { isEqual, listAt, type Node, nodeAt, textAt, toNode } from './json.ts'

/** Those of which it is known who has them; they are compared as access. */
const knownDemands = ['roles', 'scopes', 'anyRole']

interface Guard {
  readonly name: string
  /** Of an unknown kind, such as permissions. */
  readonly demands: Node
}

/** Guards of which no more is known than their names, or whose demands cannot be told to be wider or narrower. */
export function compareGuards(old: Node, now: Node, where: string, changes: Changes): void {
  const left = [...guardsOf(old)]
  const take = (isSame: (guard: Guard) => boolean): Guard | undefined => {
    const at = left.findIndex(isSame)
    return at === -1 ? undefined : left.splice(at, 1)[0]
  }
  // Equal ones first: a name may be there more than once.
  const others = guardsOf(now).filter(
    ({ name, demands }) => take((each) => each.name === name && isEqual(each.demands, demands)) === undefined,
  )
  for (const { name, demands } of others) {
    const known = take((each) => each.name === name)
    const [before, after] = [showDemands(known), showDemands({ name, demands })]
    if (known === undefined) {
      const what = after === 'nothing' ? '' : `, and demands ${after}`
      const change = `the guard ${code(name)} is new${what}: check that it lets callers pass that passed before`
      changes.add('step-added', where, name, change)
    } else
      changes.add(
        'step-demands',
        where,
        name,
        `the guard ${code(name)} demanded ${before}, now ${after}: check that it lets callers pass that passed before`,
      )
  }
}

/** Steps of a topic have no kind: each may refuse a subscription. Limits of a route are compared as limits. */
function guardsOf(operation: Node): readonly Guard[] {
  return listAt(operation, 'x-steps')
    .map(toNode)
    .filter((step) => ['guard', ''].includes(textAt(step, 'kind')))
    .filter((step) => textAt(step, 'kind') === '' || !textAt(step, 'name').startsWith('rateLimit.'))
    .flatMap((step) => {
      const all = Object.entries(nodeAt(step, 'demands'))
      const unknown = all.filter(([kind]) => !knownDemands.includes(kind))
      if (all.length > 0 && unknown.length === 0) return []
      return [{ name: textAt(step, 'name'), demands: Object.fromEntries(unknown) }]
    })
}

function showDemands(guard: Guard | undefined): string {
  const all = Object.entries(guard?.demands ?? {})
  return all.map(([kind, values]) => code(`${kind} ${JSON.stringify(values)}`)).join(' and ') || 'nothing'
}
