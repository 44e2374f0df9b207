import { BootError } from '../base/boot-error.ts'
import type { RouteDefinition } from './route.ts'
import type { HttpBinding, HttpOptions } from './route-types.ts'
import type { StepKind } from './step.ts'
import type { Use } from './use.ts'

const routeOptions = [
  'summary',
  'access',
  'http',
  'use',
  'input',
  'output',
  'errors',
  'deadlineMs',
  'ordered',
  'handler',
  'command',
] as const satisfies readonly (keyof RouteDefinition)[]
const httpOptions = [
  'route',
  'status',
  'query',
  'params',
  'input',
  'body',
  'maxBodyBytes',
] as const satisfies readonly (keyof HttpOptions)[]

/** Fills in defaults and refuses what no option is called. */
export function toRouteDefinition(
  options: Partial<Omit<RouteDefinition, 'http'>> & { http?: HttpBinding },
  base: Use,
): RouteDefinition {
  const label = typeof options.http === 'string' ? options.http : (options.http?.route ?? options.summary ?? 'a route')
  checkKeys(options, routeOptions, label)
  const { handler = null, command = null } = options
  if ((handler === null) === (command === null)) {
    throw new BootError('bad_route', `${label} needs either a handler or a command`)
  }
  const http = typeof options.http === 'string' ? { route: options.http } : (options.http ?? null)
  if (http !== null) checkHttp(http, label)
  // A word that is neither would be nobody's rule, and so an open route.
  if ((options.access ?? null) !== null && !isAccess(options.access))
    throw new BootError('bad_route', `${label}: access is 'public' or 'authenticated', not '${options.access}'`)
  const use = Object.freeze([...base, ...(options.use ?? [])])
  checkSteps(use, label)
  const deadlineMs = options.deadlineMs ?? null
  if (deadlineMs !== null) checkDeadline(deadlineMs, label)
  return Object.freeze({
    summary: options.summary ?? '',
    access: options.access ?? null,
    http,
    use,
    input: options.input ?? null,
    output: options.output ?? null,
    errors: options.errors ?? [],
    deadlineMs,
    ordered: options.ordered ?? false,
    handler,
    command,
  })
}

function checkHttp(http: HttpOptions, label: string): void {
  checkKeys(http, httpOptions, label)
  const ofBodies = (['query', 'body', 'maxBodyBytes'] as const).find((option) => http[option] !== undefined)
  if (ofBodies !== undefined && !hasBody(http.route))
    throw new BootError(
      'bad_route',
      `${label}: http.${ofBodies} is for methods with a body (POST, PUT, PATCH): remove it${ofBodies === 'query' ? ', the whole query is input here' : ''}`,
    )
  const { status = 200, maxBodyBytes = 0 } = http
  if (!Number.isInteger(status) || status < 200 || status > 299) {
    throw new BootError('bad_route', `${label}: http.status is the status of success, 200 to 299, not ${status}`)
  }
  if (!Number.isInteger(maxBodyBytes) || maxBodyBytes < 0) {
    throw new BootError('bad_route', `${label}: http.maxBodyBytes must be a whole number of bytes, not ${maxBodyBytes}`)
  }
}

const stepKinds: Readonly<Record<StepKind, true>> = { guard: true, check: true, interceptor: true }

/** A value that is not a step would not run, and would leave a route open that is meant to be guarded: `use: [authenticated]`. */
export function checkSteps(use: Use, label: string): void {
  for (const [i, step] of use.entries()) {
    if (typeof step === 'object' && step !== null && Object.hasOwn(stepKinds, step.kind)) continue
    const hint = typeof step === 'function' ? `: call it, as in use: [${Reflect.get(step, 'name')}(…)]` : ''
    throw new BootError('bad_route', `${label}: use[${i}] is not a step${hint}`)
  }
}

/** Of a route such as `POST /authors`. */
export function hasBody(route: string): boolean {
  return /^(?:POST|PUT|PATCH) /.test(route)
}

export function isAccess(value: unknown): boolean {
  return value === 'public' || value === 'authenticated'
}

/** 0 (none) or up to a day: what is longer is a job and no call. */
export function checkDeadline(deadlineMs: number, label: string): void {
  if (Number.isFinite(deadlineMs) && deadlineMs >= 0 && deadlineMs <= 86_400_000) return
  throw new BootError('bad_option', `${label}: deadlineMs must be 0 (none) to 86400000, not ${deadlineMs}`)
}

/** A mistyped option is an option that is silently not read: refuse it. */
export function checkKeys(options: object, known: readonly string[], label: string): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw new BootError('unknown_option', `${label} has the unknown option '${key}'; known are ${known.join(', ')}`)
    }
  }
}
