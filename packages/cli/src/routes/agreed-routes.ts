import type { Described } from '../project/app-task.ts'
import { ProjectError } from '../project/project-error.ts'
import { type RouteFacts, toFacts } from './route-facts.ts'

/** What was agreed, by the name of the route or event. */
export interface AgreedRoutes {
  readonly version: 1
  readonly routes: Readonly<Record<string, RouteFacts>>
  readonly events: Readonly<Record<string, RouteFacts>>
}

/** Sorted by name, so that another order in the source does not change the file. */
export function toAgreedRoutes({ routes, events }: Described): AgreedRoutes {
  return {
    version: 1,
    routes: toRecord(routes.map((route) => [route.name, toFacts(route)])),
    events: toRecord(events.map(({ name, pkgId }) => [name, { pkg_id: String(pkgId) }])),
  }
}

function toRecord(entries: readonly (readonly [string, RouteFacts])[]): Readonly<Record<string, RouteFacts>> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Reads what was written of `toAgreedRoutes`. Throws a ProjectError. */
export function readAgreedRoutes(text: string, file: string): AgreedRoutes {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (error) {
    throw new ProjectError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (isAgreed(content)) return content
  throw new ProjectError(`${file} is not a file of agreed routes: write one with twinwire routes --update ${file}`)
}

function isAgreed(content: unknown): content is AgreedRoutes {
  if (typeof content !== 'object' || content === null) return false
  if (!('version' in content && 'routes' in content && 'events' in content)) return false
  const { version, routes, events } = content
  return version === 1 && [routes, events].every((each) => isRecordOf(each, (facts) => isRecordOf(facts, isString)))
}

function isRecordOf(value: unknown, isOne: (each: unknown) => boolean): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isOne)
}

const isString = (value: unknown): boolean => typeof value === 'string'

/** A line for each route and event that is new, was removed or differs, with what differs below it. Empty when they are equal. */
export function compareRoutes(agreed: AgreedRoutes, found: AgreedRoutes): readonly string[] {
  return [...compareFacts(agreed.routes, found.routes, 'route'), ...compareFacts(agreed.events, found.events, 'event')]
}

function compareFacts(
  agreed: Readonly<Record<string, RouteFacts>>,
  found: Readonly<Record<string, RouteFacts>>,
  kind: string,
): readonly string[] {
  const [before, after] = [new Map(Object.entries(agreed)), new Map(Object.entries(found))]
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)]
    if (old === undefined) return [`added    ${kind} ${name}`, ...toDetails(now)]
    if (now === undefined) return [`removed  ${kind} ${name}`, ...toDetails(old)]
    const facts = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((fact) => old[fact] !== now[fact])
    if (facts.length === 0) return []
    const lines = facts.map((fact) => `           ${fact}: ${old[fact] ?? 'none'} -> ${now[fact] ?? 'none'}`)
    return [`changed  ${kind} ${name}`, ...lines]
  })
}

function toDetails(facts: RouteFacts = {}): readonly string[] {
  return ['pkg_id', 'http', 'access', 'limits'].flatMap((fact) =>
    facts[fact] === undefined ? [] : [`           ${fact}: ${facts[fact]}`],
  )
}
