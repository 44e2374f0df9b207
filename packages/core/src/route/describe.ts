import type { Access, RouteInfo } from '../call/call.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { findOnce } from './once-steps.ts'
import type { RouteDefinition } from './route.ts'
import type { StepDemands, StepKind, StepLimit, StepOnce } from './step.ts'
import type { Use } from './use.ts'

export type ReplyForm = 'value' | 'page' | 'stream'

/** One route, as it is served. */
export interface RouteDescription {
  readonly name: string
  readonly pkgId: number | null
  /** `POST /authors`; null for a route that is on WebSocket only. */
  readonly http: string | null
  readonly access: Access
  /** By its `output`: `pageOf(…)`, or `stream(…)`, item by item. */
  readonly reply: ReplyForm
  /** In the order in which they run. */
  readonly steps: readonly StepDescription[]
  /** Codes of `defineErrors` that it declares. */
  readonly errors: readonly string[]
  readonly summary: string
  readonly deprecated: boolean
  /** Milliseconds until a call is answered with `deadline_exceeded`; 0 for none. */
  readonly deadlineMs: number
  /** Calls of one connection never overlap. */
  readonly ordered: boolean
  /** A call that is repeated with its key has one effect, and gets the reply of the first one; null without `once()`. */
  readonly once: StepOnce | null
}

export interface StepDescription {
  readonly kind: StepKind
  readonly name: string
  readonly demands: StepDemands
  readonly limits: readonly StepLimit[]
}

/** A compiled route with what only `app.describe()` and `app.manifest()` read. */
export interface DescribedRoute extends CompiledRoute {
  readonly definition: RouteDefinition
  readonly steps: Use
  readonly reply: ReplyForm
  /** Declares its output. */
  readonly hasOutput: boolean
  /** Query keys of a method with a body. */
  readonly query: readonly string[]
  /** Codes of `defineErrors` that it declares. */
  readonly errors: readonly string[]
}

/** What an app serves, as data; as text it is a table. */
export interface AppDescription {
  readonly routes: readonly RouteDescription[]
  readonly events: ReadonlyArray<{ readonly name: string; readonly pkgId: number; readonly summary: string }>
  toString(): string
}

export function describeApp(routes: readonly DescribedRoute[], events: AppDescription['events']): AppDescription {
  const described = routes.map(toDescription)
  return { routes: described, events, toString: () => toTable(described, events) }
}

export function toDescription(route: DescribedRoute): RouteDescription {
  const { info, definition, errors, steps, reply, deadlineMs, ordered } = route
  return {
    name: info.name,
    pkgId: info.pkgId,
    http: toHttp(info),
    access: info.access,
    reply,
    steps: toSteps(steps),
    errors: errors,
    summary: info.summary,
    deprecated: definition.deprecated,
    deadlineMs,
    ordered,
    once: findOnce(steps),
  }
}

export function toSteps(use: Use): readonly StepDescription[] {
  return use.map(({ kind, name, demands, limits }) => ({ kind, name, demands, limits }))
}

function toHttp({ method, path }: RouteInfo): string | null {
  return method === null ? null : `${method} ${path}`
}

function toTable(routes: readonly RouteDescription[], events: AppDescription['events']): string {
  const head = ['pkg_id', 'name', 'http', 'access', 'steps', 'summary']
  const rows = routes.map(({ pkgId, name, http, access, reply, steps, summary }) => {
    return [
      String(pkgId ?? '-'),
      name,
      http ?? '-',
      reply === 'stream' ? `${access}, stream` : access,
      steps.map((step) => step.name).join(', ') || '-',
      summary,
    ]
  })
  const sent = events.map(({ pkgId, name, summary }) => [String(pkgId), name, '-', 'event', '-', summary])
  const lines = [head, ...rows, ...sent]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
