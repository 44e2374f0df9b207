import type { CompileError } from '../base/compile-error.ts'
import type { Known } from '../base/known.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AnyPluginKey, PluginKey } from '../base/plugin-key.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { Call, RouteInfo, Wire } from '../call/call.ts'

/** In the order in which a `use` list is written and run. */
export type StepKind = 'guard' | 'check' | 'interceptor'

/**
 * What a step requires of the caller's identity. `required`: the route must be authenticated (a boot error on a public one).
 * `optional`: a public route identifies for it; no credentials give null, bad ones 401.
 */
export type StepIdentity = 'required' | 'optional' | 'none'

/** What a caller must have to pass a step, for `app.describe()` and reviews of it: `{ roles: ['admin'] }`. */
export type StepDemands = Readonly<Record<string, readonly string[]>>

/** How often a step lets calls pass, for descriptions of an app. */
export interface StepLimit {
  /** Null: that of the route. */
  readonly name: string | null
  readonly points: number
  readonly periodMs: number
  /** Points that are available at once in addition to `points`. */
  readonly burst: number
  /** Points that one call costs. */
  readonly cost: number
  /** Whose calls are counted together: `identity`, `address`, `route`, or `custom`. */
  readonly key: string
  /** Null: both. */
  readonly wire: Wire | null
}

/** What `once()` promises, for descriptions of an app. */
export interface StepOnce {
  /** How long a repeated call gets the reply of the first one. */
  readonly retentionMs: number
  /** A request over HTTP without `Idempotency-Key` is refused. */
  readonly required: boolean
}

/** A value of a route's `use` list. Made by `guard`, `check` or `interceptor`; bound to the plugins of one app when that app boots. */
export interface Step<
  out Kind extends StepKind = StepKind,
  out Adds = unknown,
  in Requires = Call,
  in Input = unknown,
  out Key = unknown,
  out Name extends string = string,
> {
  readonly kind: Kind
  readonly name: Name
  readonly identity: StepIdentity
  /** What a caller must have, in terms of the step; empty when it demands nothing. */
  readonly demands: StepDemands
  /** The limits that it applies; empty for most steps. */
  readonly limits: readonly StepLimit[]
  /** Holds publications and `afterCommit` until what it wraps has succeeded (a transaction). Interceptors only. */
  readonly holdsEffects: boolean
  /** May call `next` again after it failed (a retry). Interceptors only. */
  readonly mayRepeat: boolean
  /** May use the call after its reply. */
  readonly keepsCall: boolean
  /** Null for every step but `once()`. */
  readonly once: StepOnce | null
  readonly needs: AnyPluginKey | null
  readonly bind: (api: never, route: RouteInfo) => unknown
  /** Never set: carries the types. */
  readonly '~step'?: {
    readonly adds: Adds
    readonly key: Key
    readonly takes: (requires: Requires, input: Input) => void
  }
}

/** Any step. */
export type AnyStep = Step<StepKind, unknown, never, never>

export type GuardRun<C, Adds> = (call: C) => MaybePromise<Adds>
export type CheckRun<Input, C> = (input: Input, call: C) => MaybePromise<void>

declare const outcome: unique symbol
/** What `next` resolves with; an interceptor must return it, so that forgetting `return next()` does not compile. */
export interface Outcome {
  readonly [outcome]: true
}

/** Runs what an interceptor wraps, once, or with `mayRepeat` again when it has ended. Its argument is added to the call. */
export interface Next<Adds = void> {
  (...adds: Adds extends object ? [adds: Adds] : []): Promise<Outcome>
  readonly '~adds'?: Adds
}
export type InterceptorRun<C, Adds> = (call: C, next: Next<Adds>) => Promise<Outcome>

interface InterceptorOptions {
  /** Holds publications and `afterCommit` until what it wraps has succeeded, and drops them otherwise. Default false. */
  readonly holdsEffects?: boolean
  /**
   * Lets it call `next` again when it has ended: after a failure of what it wraps, or of its own end, such as a commit. Each attempt
   * begins as the first one did: with the input as it came in, and without the reply headers, the `afterCommit` effects and, with
   * `holdsEffects`, the publications of the attempt before. Default false.
   */
  readonly mayRepeat?: boolean
}

interface StepOptions<Name extends string = string> {
  /** Shown by `app.describe()` and by messages of the compiler, for example `auth.requireRoles(admin)`. */
  readonly name: Name
  /** Default `none`. */
  readonly identity?: StepIdentity
  /** Shown by `app.describe()`; runs nothing. Default: none. */
  readonly demands?: StepDemands
  /** Shown by `app.describe()`; runs nothing. Default: none. */
  readonly limits?: readonly StepLimit[]
  /**
   * False promises that neither the step nor anything it gives the call to uses the call after its reply. The address of an HTTP client
   * is then not read for the step's sake, which saves a system call; read late it would be ''. Default true.
   */
  readonly keepsCall?: boolean
}

type Bound<Plugin extends string, Api, Run> =
  | { readonly needs?: never; readonly bind?: never; readonly run: Run }
  | {
      /** The plugin whose API `bind` gets; not installed is a boot error. */
      readonly needs: PluginKey<Plugin, Api>
      /** Runs once for each route at boot; what it returns runs once for each call. */
      readonly bind: (api: Api, route: RouteInfo) => Run
      readonly run?: never
    }

/**
 * Rejects `{ user } | undefined` and `{ user } | {}`: the key would be typed but could be missing. A union whose members all have the
 * same keys is fine.
 */
type WholeAdds<Adds> = 0 extends 1 & Adds
  ? CompileError<'what a step adds to the call must have a type of its own, not any'>
  : [Adds] extends [void]
    ? unknown
    : [Adds] extends [object & { readonly [K in KeysOf<Adds>]: unknown }]
      ? unknown
      : CompileError<'a step that adds to the call must add the whole of it on every path, or throw'>
type KeysOf<T> = T extends unknown ? keyof T : never

type KeyOf<Plugin extends string, Api> = string extends Plugin ? unknown : PluginKey<Plugin, Api>

/**
 * A step that runs before the input is read. It rejects by throwing an AppError; what it returns is added to the call, typed,
 * for the later steps and the handler of that route. Annotate `call` to require what an earlier step adds.
 *
 * @example
 * export const tenant = () => guard({
 *   name: 'tenant',
 *   run: (call) => {
 *     const tenant = call.headers['x-tenant']
 *     if (tenant === undefined) throw new ValidationError('x-tenant is missing')
 *     return { tenant }
 *   },
 * })
 */
export function guard<
  Adds = void,
  C extends Call = Call,
  const Plugin extends string = string,
  Api = never,
  const Name extends string = string,
>(
  options: StepOptions<Name> & Bound<Plugin, Api, GuardRun<C, Adds>> & WholeAdds<Adds>,
): Step<'guard', Known<Adds>, Known<C>, unknown, KeyOf<Plugin, Api>, Known<Name>> {
  return create('guard', options)
}

/**
 * A step that runs after validation and sees the input: ownership, state, permissions. It
 * rejects by throwing an AppError. Behind an interceptor in `use` it runs inside of it, and sees what it adds.
 *
 * @example
 * export const ownProfile = () => check({
 *   name: 'ownProfile',
 *   identity: 'required',
 *   run: (input: { userId: string }, call) => {
 *     if (input.userId !== call.identity?.id) throw new PermissionDeniedError()
 *   },
 * })
 */
export function check<
  Input = unknown,
  C extends Call = Call,
  const Plugin extends string = string,
  Api = never,
  const Name extends string = string,
>(
  options: StepOptions<Name> & Bound<Plugin, Api, CheckRun<Input, C>>,
): Step<'check', void, Known<C>, Known<Input>, KeyOf<Plugin, Api>, Known<Name>> {
  return create('check', options)
}

/**
 * A step that wraps the command or handler: a transaction, a lock, a span. It must return what `next` resolves with, or throw.
 *
 * @example
 * export const locked = () => interceptor({
 *   name: 'locked',
 *   run: async (call, next: Next<{ lock: string }>) => {
 *     const lock = `lock of ${call.route.name}`
 *     return next({ lock })
 *   },
 * })
 */
export function interceptor<
  Adds = void,
  C extends Call = Call,
  const Plugin extends string = string,
  Api = never,
  const Name extends string = string,
>(
  options: StepOptions<Name> & InterceptorOptions & Bound<Plugin, Api, InterceptorRun<C, Adds>> & WholeAdds<Adds>,
): Step<'interceptor', Known<Adds>, Known<C>, unknown, KeyOf<Plugin, Api>, Known<Name>> {
  return create('interceptor', options)
}

/** Runs what it wraps, with the input in hand, and returns its result or another one. */
export type AroundRun = (input: unknown, call: ActiveCall, execute: () => Promise<unknown>) => Promise<unknown>

/** The two parts of `once()`: one around the transaction, the other the first inside of it. */
export interface OnceRuns {
  readonly outside: AroundRun
  readonly inside: AroundRun
  /** Why the next step is not the transaction that it needs, for a BootError; null if it is. */
  readonly refuse: (next: AnyStep) => string | null
}

/** What `once()` is made of. */
interface OnceOptions<Plugin extends string, Api, Name extends string> {
  readonly name: Name
  readonly once: StepOnce
  readonly needs: PluginKey<Plugin, Api>
  readonly bind: (api: Api, route: RouteInfo) => OnceRuns
}

/** An interceptor in two parts, between which the next step is. */
export function onceStep<const Plugin extends string, Api, const Name extends string>(
  options: OnceOptions<Plugin, Api, Name>,
): Step<'interceptor', void, Call, unknown, PluginKey<Plugin, Api>, Name> {
  return create('interceptor', options)
}

type AnyOptions = StepOptions &
  InterceptorOptions & {
    readonly needs?: AnyPluginKey | undefined
    readonly bind?: unknown
    readonly run?: unknown
    readonly once?: StepOnce
  }

function create<Kind extends StepKind, S extends Step<Kind, unknown, never, never>>(
  kind: Kind,
  options: AnyOptions,
): S {
  const {
    name,
    identity = 'none',
    demands = {},
    limits = [],
    needs = null,
    run,
    bind = () => run,
    once = null,
  } = options
  const { holdsEffects = false, mayRepeat = false, keepsCall = true } = options
  const made = { name, identity, demands, limits, holdsEffects, mayRepeat, keepsCall, needs }
  const step: AnyStep = { ...made, kind, once, bind: bind as Step['bind'] }
  // The phantom types of S are what the public signatures above inferred; at run time there is only this object.
  return Object.freeze(step) as S
}
