import { type Changes, code } from './change.ts'
import { get, has, listAt, type Node, nodeAt, stringsAt, textAt, toList, toNode } from './json.ts'
import type { SchemaSource } from './schema/schema-source.ts'

/** What a caller needs all of. Of several one is enough. */
type Alternative = ReadonlySet<string>

const credentials = 'credentials'
/** More would not be told apart in a message. */
const maxAlternatives = 64

/** `security` of an operation, or of its document. */
export function alternativesOfSecurity(operation: Node, document: Node, source: SchemaSource): readonly Alternative[] {
  const security = has(operation, 'security') ? listAt(operation, 'security') : listAt(document, 'security')
  if (security.length === 0) return [new Set()]
  const schemes = nodeAt(nodeAt(document, 'components'), 'securitySchemes')
  return security.map((each) => {
    const entries = Object.entries(toNode(each))
    return new Set(
      entries.flatMap(([name, roles]) => {
        const sent = showScheme(name, source.follow(get(schemes, name)))
        return [`${credentials} (${sent})`, ...toList(roles).map(String)]
      }),
    )
  })
}

/** What a caller sends, whatever the document calls it. Of what is neither HTTP's nor a key it is known by name only. */
function showScheme(name: string, scheme: Node): string {
  const type = textAt(scheme, 'type')
  if (type === 'http') return textAt(scheme, 'scheme').toLowerCase()
  if (type === 'apiKey' || type === 'httpApiKey') return `${textAt(scheme, 'in')} ${textAt(scheme, 'name')}`.trim()
  return type === '' || name === '' ? name || type : `${name}, ${type}`
}

/** Schemes of which one is enough, and demands of the steps: AsyncAPI has no roles of bearer tokens. */
export function alternativesOfSteps(operation: Node, source: SchemaSource): readonly Alternative[] {
  const schemes = listAt(operation, 'security').map((each) => showScheme('', source.follow(each)))
  let alternatives: readonly Alternative[] =
    schemes.length === 0
      ? [new Set<string>()]
      : schemes.map((sent) => new Set([sent === '' ? credentials : `${credentials} (${sent})`]))
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
