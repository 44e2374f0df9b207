import type { RouteDescription } from '@twinwire/core'

type StepDescription = RouteDescription['steps'][number]
type StepLimit = StepDescription['limits'][number]

/** Who may call a route: its roles, else `public` or `authenticated`. */
export function toAccess({ access, steps }: Pick<RouteDescription, 'access' | 'steps'>): string {
  const demands = steps.flatMap(({ demands }) => Object.entries(demands).flatMap(toDemand))
  return [access, ...demands].join(', ')
}

/** `roles` are all needed, `anyRole` is one of several. */
function toDemand([kind, values]: readonly [string, readonly string[]]): readonly string[] {
  if (values.length === 0) return []
  if (kind === 'roles') return values
  return [kind === 'anyRole' ? values.join(' | ') : `${kind}: ${values.join(' | ')}`]
}

export function toStepNames({ steps }: Pick<RouteDescription, 'steps'>): string {
  return steps.map(({ name }) => name).join(', ')
}

/** `30/m by identity; 5/s by address on ws`. */
export function toLimits({ steps }: Pick<RouteDescription, 'steps'>): string {
  return steps.flatMap(({ limits }) => limits.map(toLimit)).join('; ')
}

function toLimit({ name, points, periodMs, burst, cost, key, wire }: StepLimit): string {
  return [
    `${points}/${toPeriod(periodMs)}`,
    ...(burst > 0 ? [`burst ${burst}`] : []),
    ...(cost === 1 ? [] : [`cost ${cost}`]),
    `by ${key}`,
    ...(name === null ? [] : [`named ${name}`]),
    ...(wire === null ? [] : [`on ${wire}`]),
  ].join(' ')
}

function toPeriod(ms: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const
  const [unit, size] = units.find(([, size]) => ms % size === 0) ?? ['ms', 1]
  return ms === size ? unit : `${ms / size}${unit}`
}

/** By the names that a difference is reported with. What a route does not have is left out. */
export type RouteFacts = Readonly<Record<string, string>>

/** What is agreed of a route. Words for people (`summary`) are not part of it. */
export function toFacts(route: RouteDescription): RouteFacts {
  const { pkgId, http, reply, errors, deadlineMs, ordered, once, deprecated } = route
  const facts = {
    pkg_id: String(pkgId ?? ''),
    http: http ?? '',
    access: toAccess(route),
    steps: route.steps.map(({ kind, name }) => `${kind} ${name}`).join(', '),
    limits: toLimits(route),
    reply: reply === 'value' ? '' : reply,
    errors: errors.toSorted().join(', '),
    deadline: deadlineMs === 0 ? '' : `${deadlineMs} ms`,
    ordered: ordered ? 'yes' : '',
    once: once === null ? '' : `${once.retentionMs} ms${once.required ? ', key required' : ''}`,
    deprecated: deprecated ? 'yes' : '',
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''))
}
