import type { CompileError } from '../base/compile-error.ts'
import type { PluginKey } from '../base/plugin-key.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { Call } from '../call/call.ts'
import type { AnyStep, Step, StepKind } from './step.ts'

/** A `use` list. */
export type Use = readonly AnyStep[]

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** What the steps of a list add to the call, the later over the earlier. A union of additions stays one. */
export type AddsOf<U extends Use, Acc = unknown> = U extends readonly [
  Step<StepKind, infer Adds, never, never>,
  ...infer Rest extends Use,
]
  ? AddsOf<Rest, IsAddition<Adds> extends true ? Acc & Adds : Acc>
  : Acc
/** False for void, and for never: a guard that always refuses adds nothing. */
type IsAddition<Adds> = [Adds] extends [never] ? false : [Adds] extends [object] ? true : false

/** The call as the handler of a route with this list sees it. */
export type CallOf<U extends Use> = Call & AddsOf<U>

/** Kinds that may follow one of this kind. */
type After = { guard: StepKind; check: Wrapped; interceptor: Wrapped }
type Wrapped = 'check' | 'interceptor'

type KeysOf<T> = T extends unknown ? keyof T : never
/** Keys that no step may add: those of the call, and those that core itself uses on it. */
type TakenKey = keyof ActiveCall

/** Keys that both have, with different types. */
type Clash<A, B> = { [K in keyof A & keyof B]: Same<A[K], B[K]> extends true ? never : K }[keyof A & keyof B]

type KeyClash<Keys, Key> =
  Key extends PluginKey<infer Name, infer Api>
    ? Name extends keyof Keys
      ? Same<Keys[Name], (api: Api) => Api> extends true
        ? false
        : true
      : false
    : false
type AddKey<Keys, Key> = Key extends PluginKey<infer Name, infer Api> ? Keys & { [K in Name]: (api: Api) => Api } : Keys

/**
 * `unknown` for a valid list, else what is wrong with it, at the position of the step: a guard behind a check, a key that two steps
 * add with different types or that the call itself has, a step that requires what no earlier one adds, a check whose input the route
 * does not have, two plugin keys of one name. The steps of `Before` are checked again: a base knew neither the input nor what follows it.
 */
export type ValidUse<U extends Use, Input, Before extends Use = []> = number extends U['length']
  ? CompileError<'`use` must be a tuple, written in place or `as const`: an array of unknown length loses what its steps add'>
  : CheckSteps<[...Before, ...U], U, Input, unknown, StepKind, unknown>

type CheckSteps<List extends Use, U extends Use, Input, Acc, Allowed extends StepKind, Keys> = List extends readonly [
  Step<infer Kind, infer Adds, infer Requires, infer Takes, infer Key>,
  ...infer Rest extends Use,
]
  ? [Kind] extends [Allowed]
    ? [Call & Acc] extends [Requires]
      ? [unknown extends Takes ? unknown : Input] extends [Takes]
        ? KeyClash<Keys, Key> extends true
          ? Wrong<List, U, Rest, 'was made with another plugin key of the same name than an earlier step'>
          : IsAddition<Adds> extends true
            ? [KeysOf<Adds> & TakenKey] extends [never]
              ? [Clash<Acc, Adds>] extends [never]
                ? CheckSteps<Rest, U, Input, Acc & Adds, After[Kind], AddKey<Keys, Key>>
                : Wrong<List, U, Rest, `adds '${Clash<Acc, Adds> & string}' with another type than an earlier step`>
              : Wrong<List, U, Rest, `adds '${KeysOf<Adds> & TakenKey}', which the call itself has: choose another key`>
            : CheckSteps<Rest, U, Input, Acc, After[Kind], AddKey<Keys, Key>>
        : Wrong<List, U, Rest, UnfitInput<Input, Takes>>
      : Wrong<List, U, Rest, UnfitCall<Call & Acc, Requires>>
    : Wrong<List, U, Rest, 'is behind a check or an interceptor: guards run before the input is read, put them first'>
  : unknown

/** What is wrong with the first step of `List`, in its place in `U`; on the whole where it is a step of a base. */
type Wrong<List extends Use, U extends Use, Rest extends Use, Message extends string> = U extends readonly [
  ...infer Head,
  AnyStep,
  ...Rest,
]
  ? readonly [...Head, Sentence<List[0], Message>, ...Rest]
  : CompileError<Sentence<List[0], Message>>

type Sentence<S, Message extends string> =
  S extends Step<infer Kind, unknown, never, never, unknown, infer Name>
    ? `${string extends Name ? `a ${Kind}` : `${Kind} '${Name}'`} ${Message}`
    : never

type UnfitCall<Has, Requires> = [Exclude<keyof Requires, keyof Has>] extends [never]
  ? `requires '${Differing<Has, Requires> & string}' with another type than it has on the call`
  : `requires '${Exclude<keyof Requires, keyof Has> & string}', which no earlier step adds: put the step that adds it before`

type UnfitInput<Input, Takes> = [Input] extends [undefined]
  ? `takes an input, and the route has none: add \`input\``
  : [Takes] extends [object]
    ? [Exclude<keyof Takes, keyof Input>] extends [never]
      ? `takes '${Differing<Input, Takes> & string}' of the input with another type than the route's input has`
      : `takes '${Exclude<keyof Takes, keyof Input> & string}' of the input, which the route's input does not have`
    : `takes another input than the route has`

type Differing<Has, Wants> = {
  [K in keyof Wants]-?: K extends keyof Has ? ([Has[K]] extends [Wants[K]] ? never : K) : K
}[keyof Wants]

/** A `use` list by when its steps run. */
export interface SplitUse {
  readonly guards: Use
  /** Checks before the first interceptor. */
  readonly checks: Use
  /** Interceptors, and the checks that run inside of them: each wraps all that is behind it. */
  readonly wrapped: Use
}

export function splitUse(use: Use): SplitUse {
  const guards = use.filter(({ kind }) => kind === 'guard')
  const others = use.filter(({ kind }) => kind !== 'guard')
  const first = others.findIndex(({ kind }) => kind === 'interceptor')
  const end = first === -1 ? others.length : first
  return { guards, checks: others.slice(0, end), wrapped: others.slice(end) }
}
