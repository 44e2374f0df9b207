import { type Changes, code } from './change.ts'
import { get, has, listAt, type Node, nodeAt, stringsAt, toList, toNode } from './json.ts'

/** What a caller needs all of. Of several one is enough. */
type Alternative = ReadonlySet<string>

const credentials = 'credentials'
/** More would not be told apart in a message. */
const maxAlternatives = 64

/** `security` of an operation, or of its document. */
export function alternativesOfSecurity(operation: Node, document: Node): readonly Alternative[] {
  const security = has(operation, 'security') ? listAt(operation, 'security') : listAt(document, 'security')
  if (security.length === 0) return [new Set()]
  return security.map((each) => {
    const entries = Object.entries(toNode(each))
    return new Set(entries.flatMap(([scheme, roles]) => [`${credentials} (${scheme})`, ...toList(roles).map(String)]))
  })
}

/** Demands of the steps: AsyncAPI has no roles of bearer tokens. */
export function alternativesOfSteps(operation: Node): readonly Alternative[] {
  const needsIdentity = listAt(operation, 'security').length > 0
  let alternatives: readonly Alternative[] = [new Set(needsIdentity ? [credentials] : [])]
  for (const step of listAt(operation, 'x-steps')) {
    const demands = nodeAt(toNode(step), 'demands')
    const all = [...stringsAt(demands, 'roles'), ...stringsAt(demands, 'scopes')]
    const any = stringsAt(demands, 'anyRole')
    const isMany = any.length * alternatives.length > maxAlternatives
    const added =
      any.length === 0
        ? [all]
        : isMany
          ? [[...all, `one of ${any.toSorted().join(', ')}`]]
          : any.map((role) => [...all, role])
    alternatives = alternatives.flatMap((known) => added.map((more) => new Set([...known, ...more])))
  }
  return alternatives
}

/** Callers who were admitted have to be admitted: for each old alternative there is a new one that needs no more. */
export function compareAccess(
  old: readonly Alternative[],
  now: readonly Alternative[],
  where: string,
  changes: Changes,
): void {
  const shutOut = old.some((known) => !now.some((each) => isWithin(each, known)))
  const admitsMore = now.some((each) => !old.some((known) => isWithin(known, each)))
  if (!shutOut && !admitsMore) return
  const change = `callers needed ${show(old)}, now ${show(now)}`
  changes.add(shutOut ? 'access' : 'access-relaxed', where, '', change)
}

function isWithin(part: Alternative, whole: Alternative): boolean {
  return [...part].every((each) => whole.has(each))
}

function show(alternatives: readonly Alternative[]): string {
  const shown = alternatives.map((each) => (each.size === 0 ? 'nothing' : [...each].map(code).join(' and ')))
  return [...new Set(shown)].join(', or ')
}

/** Of a topic, whose steps have demands and nothing else is known. */
export function demandsOf(topic: Node): Node {
  return { 'x-steps': get(topic, 'steps') }
}
