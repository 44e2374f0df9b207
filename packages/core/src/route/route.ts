import type { AnySchema } from '../base/schema.ts'
import type { Access } from '../call/call.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import type { BaseCommand } from './command.ts'
import { toRouteDefinition } from './route-definition.ts'
import type { HttpOptions, RouteFactory } from './route-types.ts'
import type { Use } from './use.ts'

/**
 * How a route differs from wire to wire. `value`: not at all. `mapped`: over HTTP `http.input` builds the input. `stream`: its reply or its
 * body cannot be a package.
 */
export type RouteForm = 'value' | 'mapped' | 'stream'

/**
 * A route, not yet part of an app. `Input` is what a caller sends, `Output` what it gets back, `Codes` are those of its `errors`: string where it
 * declares none.
 */
export interface Route<
  out Input = unknown,
  out Output = unknown,
  out Form extends RouteForm = 'value',
  out Codes extends string = string,
> {
  readonly kind: 'route'
  readonly definition: RouteDefinition
  /** Never set: carries the types. */
  readonly '~route'?: {
    readonly input: Input
    readonly output: Output
    readonly form: Form
    readonly codes: Codes
  }
}

/** Any route that may be a package. */
export type AnyRoute = Route<unknown, unknown, 'value' | 'mapped'>
/** Any route: on HTTP its reply or its body may be a stream. */
export type AnyEndpoint = Route<unknown, unknown, RouteForm>

/** What the app needs of `staticFiles` before it serves. */
export interface FilesMount {
  /** `/` or `/assets`. */
  readonly prefix: string
  /** @throws BootError `bad_option` for a root that does not exist. */
  checkRoot(): void
}

/** A route with its defaults, without types. */
export interface RouteDefinition {
  readonly summary: string
  readonly deprecated: boolean
  /** Null: that of the app. */
  readonly access: Access | null
  readonly http: HttpOptions | null
  /** Made by `fromFetch`: its input is a `Request`, and `http.route` is for every method and all that is below its path. */
  readonly isFetch: boolean
  /** Made by `staticFiles`: its input is the path below its prefix, and `http.route` is for all that is below it. Null for any other. */
  readonly files: FilesMount | null
  readonly use: Use
  readonly input: AnySchema | null
  readonly output: AnySchema | null
  readonly errors: readonly ErrorFactory[]
  /** Null: that of the app. */
  readonly deadlineMs: number | null
  readonly ordered: boolean
  readonly handler: ((input: never, call: never) => unknown) | null
  readonly command: ((call: never) => BaseCommand<never, unknown>) | null
}

function createFactory(base: Use): RouteFactory<[]> {
  const factory = (options: object): Route => ({ kind: 'route', definition: toRouteDefinition(options, base) })
  // One function serves every instance of the generic signature, which no implementation can be typed as.
  return Object.assign(factory, {
    with: (...steps: Use) => createFactory([...base, ...steps]),
  }) as unknown as RouteFactory<[]>
}

/**
 * Declares a route: the handler or command of a PkgID, of an HTTP method and path, or of both. Importing a file of routes opens no connections and
 * reads no files.
 * `route.with(...steps)` returns a `route` whose routes all begin with these steps, typed.
 *
 * @example
 * export const greet = route({
 *   summary: 'Say hello',
 *   http: 'GET /greetings/:name',
 *   input: v.object({ name: v.string() }),
 *   output: v.object({ text: v.string() }),
 *   handler: ({ name }) => ({ text: `Hello ${name}` }),
 * })
 */
export const route: RouteFactory<[]> = createFactory([])
