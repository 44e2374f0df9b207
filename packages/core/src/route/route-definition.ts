import { BootError } from '../base/boot-error.ts'
import { option } from '../base/option.ts'
import type { OptionRule, OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'
import type { Access } from '../call/call.ts'
import { toMultipartLimits } from './multipart-limits.ts'
import type { RouteDefinition } from './route.ts'
import type { HttpBinding, HttpOptions } from './route-types.ts'
import type { StepKind } from './step.ts'
import type { Use } from './use.ts'

/** A choice that is neither would be no rule, and so an open route. */
export const accessRule: OptionRule<Access | undefined> = option.choice(['public', 'authenticated'])
/** 0 is none. At most a day: what is longer is a job and not a call. */
export const deadlineRule: OptionRule<number | undefined> = option.duration({ max: 86_400_000 })

/** 0 is none. */
export const bodyTimeoutRule: OptionRule<number | undefined> = option.duration({ max: 86_400_000 })

const routeRules = {
  summary: option.string({ expects: 'a string', test: () => true, default: '' }),
  deprecated: option.flag({ default: false }),
  access: accessRule,
  http: option.unchecked(),
  use: option.unchecked(),
  input: option.unchecked(),
  output: option.unchecked(),
  errors: option.unchecked(),
  deadlineMs: deadlineRule,
  ordered: option.flag({ default: false }),
  handler: option.unchecked(),
  command: option.unchecked(),
} satisfies { readonly [Key in Exclude<keyof RouteDefinition, 'isFetch' | 'files'>]: OptionRule }

const httpRules = {
  route: option.unchecked(),
  status: option.integer({ min: 200, max: 299 }),
  contentType: option.string({
    expects: "a media type, such as 'text/csv; charset=utf-8'",
    test: (type) => /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[ \w!#$&^.+-]*"))*$/.test(type),
  }),
  query: option.unchecked(),
  params: option.unchecked(),
  input: option.unchecked(),
  body: option.choice(['parsed', 'raw', 'stream', 'multipart']),
  maxBodyBytes: option.bytes({ min: 0 }),
  bodyTimeoutMs: bodyTimeoutRule,
  files: option.unchecked(),
  compression: option.flag(),
} satisfies OptionRules<HttpOptions>

/** Fills in defaults and refuses unknown options. */
export function toRouteDefinition(
  options: Partial<Omit<RouteDefinition, 'http' | 'isFetch' | 'files'>> & { http?: HttpBinding },
  base: Use,
): RouteDefinition {
  const label = typeof options.http === 'string' ? options.http : (options.http?.route ?? options.summary ?? 'a route')
  const { summary, deprecated, access = null, deadlineMs = null, ordered } = checkOptions(label, options, routeRules)
  const { handler = null, command = null } = options
  if ((handler === null) === (command === null)) {
    throw new BootError('bad_route', `${label} requires either a handler or a command`)
  }
  const http = typeof options.http === 'string' ? { route: options.http } : (options.http ?? null)
  if (http !== null) checkHttp(http, label)
  const use = Object.freeze([...base, ...(options.use ?? [])])
  checkSteps(use, label)
  return Object.freeze({
    summary,
    deprecated,
    access,
    http,
    isFetch: false,
    files: null,
    use,
    input: options.input ?? null,
    output: options.output ?? null,
    errors: options.errors ?? [],
    deadlineMs,
    ordered,
    handler,
    command,
  })
}

function checkHttp(http: HttpOptions, label: string): void {
  checkOptions(label, http, httpRules, 'http')
  const wrong = (option: keyof HttpOptions, why: string): BootError =>
    new BootError('bad_route', `${label}: http.${option} is for ${why}`)
  const ofBodies = (['query', 'body', 'maxBodyBytes'] as const).find((option) => http[option] !== undefined)
  if (ofBodies !== undefined && !hasBody(http))
    throw wrong(
      ofBodies,
      `methods with a body (POST, PUT, PATCH, QUERY): remove it${ofBodies === 'query' ? ', the whole query is input here' : ''}`,
    )
  if (http.body === 'stream') {
    if (http.query !== undefined)
      throw wrong('query', 'bodies that are input: remove it, the whole query is input here')
  } else if (http.bodyTimeoutMs !== undefined && http.body !== 'multipart')
    throw wrong('bodyTimeoutMs', "body: 'stream' and 'multipart': remove it")
  if (http.files !== undefined && http.body !== 'multipart') throw wrong('files', "body: 'multipart': remove it")
  // The cap of the app is not known yet.
  if (http.body === 'multipart')
    toMultipartLimits(label, http.files ?? {}, http.maxBodyBytes ?? Number.MAX_SAFE_INTEGER)
}

const stepKinds: Readonly<Record<StepKind, true>> = { guard: true, check: true, interceptor: true }

/** A value that is not a step would not run and leave the route open, as in `use: [authenticated]`, where the function was not called. */
export function checkSteps(use: Use, label: string): void {
  for (const [i, step] of use.entries()) {
    if (typeof step === 'object' && step !== null && Object.hasOwn(stepKinds, step.kind)) continue
    const hint = typeof step === 'function' ? `: call it, as in use: [${Reflect.get(step, 'name')}(…)]` : ''
    throw new BootError('bad_route', `${label}: use[${i}] is not a step${hint}`)
  }
}

/** Do requests of this route have a body? Of a method that core does not know, the route says so. */
export function hasBody({ route, body }: HttpOptions): boolean {
  return (
    /^(?:POST|PUT|PATCH|QUERY) /.test(route) || (body !== undefined && !/^(?:GET|HEAD|DELETE|OPTIONS) /.test(route))
  )
}
