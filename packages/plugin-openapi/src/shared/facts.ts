import type { AppContract, RouteContract, StepDescription } from '@twinwire/core/plugin'
import type { Json } from '../schemas/node.ts'

/** Of pages, on both wires. */
export const pageMeta: Json = {
  title: 'PageMeta',
  type: 'object',
  required: ['page', 'per_page', 'total', 'pages', 'next_cursor', 'has_more'],
  properties: {
    page: { type: 'integer', minimum: 1 },
    per_page: { type: 'integer', minimum: 0 },
    total: { type: 'integer', minimum: 0, description: '0 for pages by cursor' },
    pages: { type: 'integer', minimum: 0, description: '0 for pages by cursor' },
    next_cursor: { type: ['string', 'null'] },
    has_more: { type: 'boolean' },
  },
}

/** What both documents say of a route, besides its schemas: with it, all of `app.describe()` is in them. */
export function toFacts(route: RouteContract): Json {
  const { pkgId, http, access, reply, steps, errors, deprecated, deadlineMs, ordered, once } = route
  const limits = steps.flatMap((step) => step.limits)
  return {
    ...(deprecated && { deprecated }),
    'x-route': route.name,
    'x-pkg-id': pkgId,
    'x-http': http,
    'x-access': access,
    'x-reply': reply,
    'x-errors': errors,
    'x-deadline-ms': deadlineMs,
    'x-ordered': ordered,
    'x-steps': steps.map(({ kind, name, demands }) => ({ kind, name, demands })),
    ...(limits.length > 0 && { 'x-rate-limit': limits }),
    ...(once !== null && { 'x-once': { retention_ms: once.retentionMs, required: once.required } }),
  }
}

/** The path's first segment, or what is before the dot in the name of a route that a plugin adds. */
export function toTag({ name, request, servesWhileDraining }: RouteContract): string {
  if (servesWhileDraining) return 'operations'
  const segment = request?.path.split('/').find((part) => part !== '' && !/^[:*]/.test(part))
  if (segment !== undefined) return segment
  if (request !== null) return 'other'
  return name.includes('.') ? name.slice(0, name.indexOf('.')) : 'packages'
}

/** A way to send credentials, as both documents name it. */
export interface SecurityScheme {
  readonly name: string
  readonly scheme: Json
}

/** That of `Bearer realm="app"`, and each cookie. `ofKey`: how a document calls what is not a scheme of HTTP. */
export function toSecuritySchemes(
  { challenge, credentialCookies }: AppContract,
  ofKey: 'apiKey' | 'httpApiKey',
): readonly SecurityScheme[] {
  const cookies = credentialCookies.map((cookie, i) => {
    return { name: i === 0 ? 'cookie' : `cookie${i + 1}`, scheme: { type: ofKey, in: 'cookie', name: cookie } }
  })
  if (challenge === null) return cookies
  const [scheme = 'bearer'] = challenge.toLowerCase().split(/[ ,]/, 1)
  const ofHttp = { type: 'http', scheme, ...(scheme === 'bearer' && { bearerFormat: 'JWT' }) }
  return [{ name: scheme, scheme: ofHttp }, ...cookies]
}

/** For `components.securitySchemes`; none when no plugin identifies callers. */
export function toSchemeComponents(schemes: readonly SecurityScheme[]): Json {
  if (schemes.length === 0) return {}
  return { securitySchemes: Object.fromEntries(schemes.map(({ name, scheme }) => [name, scheme])) }
}

/** More would not be read by anyone: `x-steps` has them. */
const maxAlternatives = 16

/**
 * Roles and scopes as alternatives, of which a caller needs one: all of `roles` and `scopes` of every step, and one of each `anyRole`.
 *
 * @example
 * toAlternatives([{ kind: 'guard', name: 'a', demands: { roles: ['admin'] }, limits: [] }]) // [['admin']]
 */
export function toAlternatives(steps: readonly StepDescription[]): readonly (readonly string[])[] {
  let alternatives: readonly (readonly string[])[] = [[]]
  for (const { demands } of steps) {
    const all = [...(demands['roles'] ?? []), ...(demands['scopes'] ?? [])]
    const any = demands['anyRole'] ?? []
    if (any.length * alternatives.length > maxAlternatives) continue
    const added = any.length === 0 ? [all] : any.map((role) => [...all, role])
    alternatives = alternatives.flatMap((known) => added.map((more) => [...new Set([...known, ...more])]))
  }
  return alternatives
}
