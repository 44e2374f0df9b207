import { BootError } from '../base/boot-error.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { checkOptions } from '../base/options.ts'
import type { Access, Call } from '../call/call.ts'
import { ResponseReply } from '../call/response-reply.ts'
import { parsePattern } from './path-pattern.ts'
import type { Route } from './route.ts'
import { accessRule, bodyTimeoutRule, deadlineRule, toRouteDefinition } from './route-definition.ts'
import type { HttpOptions } from './route-types.ts'
import type { CallOf, Use, ValidUse } from './use.ts'

/** The second argument of a fetch handler; in Hono it is `c.env`. */
export interface FetchContext<out C = Call> {
  /** The call, with what the steps of `use` add: identity, address, log, publish. */
  readonly call: C
}

/** What speaks HTTP by the fetch standard: an auth library, a Hono app, tRPC's fetch adapter. */
export type FetchHandler<in C = Call> = (request: Request, context: FetchContext<C>) => MaybePromise<Response>

/** What `fromFetch` takes beside prefix and handler. */
export interface FetchOptions<U extends Use = Use> {
  readonly summary?: string
  /** Default: `authenticated` when a plugin owns identity, else the app's `defaultAccess`. */
  readonly access?: Access
  /** They run before the handler. The input that a check sees is the `Request`. */
  readonly use?: U & ValidUse<U, Request>
  /** Milliseconds until the handler must have returned its `Response`; 0 for none. Its body may take longer. Default: the app's. */
  readonly deadlineMs?: number
  /** Largest body of a request. Default: the app's `http.maxBodyBytes`, which is 1 MiB. */
  readonly maxBodyBytes?: number
  /**
   * The longest time in milliseconds that the client may send nothing while the handler waits for the body; then the call ends with
   * `request_timeout`. 0: no limit. Default 30,000. `deadlineMs` does not run while it waits, and begins anew with each piece.
   */
  readonly bodyTimeoutMs?: number
  /** Compresses answers, as of a route. Default: where `access` is `public` and no step reads who is calling. */
  readonly compression?: boolean
}

const rules = {
  summary: option.string({ expects: 'a string', test: () => true, default: '' }),
  access: accessRule,
  use: option.unchecked(),
  deadlineMs: deadlineRule,
  maxBodyBytes: option.bytes({ min: 0 }),
  bodyTimeoutMs: bodyTimeoutRule,
  compression: option.flag(),
} satisfies OptionRules<FetchOptions>

/**
 * Mounts a fetch handler, for `endpoints`. It gets every request to `prefix` and below it that no route of the app has, whatever the method:
 * the URL is as it was sent, with the prefix. Body and answer are streamed with back pressure. `request.signal` is aborted
 * when the client disconnects and when the deadline passes. What the handler throws, and what it returns that is not a `Response`, is an
 * `internal_error`, with the cause in the log.
 *
 * @throws BootError `bad_path`, `bad_option`, `unknown_option`, `bad_route`
 *
 * @example
 * createApp({
 *   pkgIds: {},
 *   routes: {},
 *   endpoints: [
 *     fromFetch('/api/auth', auth.handler, { access: 'public' }),
 *     fromFetch('/whoami', (_request, { call }) => Response.json({ id: call.identity?.id ?? null })),
 *   ],
 * })
 */
export function fromFetch<const U extends Use = []>(
  prefix: `/${string}`,
  handler: FetchHandler<CallOf<U>>,
  options: FetchOptions<U> = {},
): Route<undefined, unknown, 'stream'> {
  const who = `fromFetch('${prefix}')`
  checkPrefix(prefix, who)
  if (typeof handler !== 'function')
    throw new BootError('bad_route', `${who} requires a function from Request to Response, such as auth.handler`)
  const { summary, access, deadlineMs, maxBodyBytes, bodyTimeoutMs, compression } = checkOptions(who, options, rules)
  const definition = toRouteDefinition(
    {
      summary,
      ...(access !== undefined && { access }),
      ...(deadlineMs !== undefined && { deadlineMs }),
      handler: (request: Request, call: CallOf<U>) => {
        const response = handler(request, { call })
        return isPromise(response)
          ? response.then((value) => ResponseReply.of(value, who))
          : ResponseReply.of(response, who)
      },
    },
    options.use ?? [],
  )
  const route = `ALL ${prefix === '/' ? '' : prefix}/*` as const
  const http: HttpOptions = {
    route,
    body: 'stream',
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
    ...(bodyTimeoutMs !== undefined && { bodyTimeoutMs }),
    ...(compression !== undefined && { compression }),
  }
  return { kind: 'route', definition: Object.freeze({ ...definition, http, isFetch: true }) }
}

/** @throws BootError `bad_path` for a prefix that no mount can have. */
export function checkPrefix(prefix: string, who: string): void {
  if (typeof prefix !== 'string' || !prefix.startsWith('/'))
    throw new BootError('bad_path', `${who}: begin it with '/'`)
  if (prefix !== '/' && prefix.endsWith('/')) throw new BootError('bad_path', `${who}: remove the slash at its end`)
  parsePattern(prefix)
  if (/[:*]/.test(prefix))
    throw new BootError(
      'bad_path',
      `${who}: remove ':' and '*': a prefix has no parameters, and everything below it is served`,
    )
}
