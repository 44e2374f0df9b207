import type { PluginKey } from '../base/plugin-key.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { Call } from '../call/call.ts'
import type { AnyStep, Step, StepKind, TypeMistake } from './step.ts'

/** A `use` list. */
export type Use = readonly AnyStep[]

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** What the steps of a list add to the call, the later over the earlier. A union of additions stays one. */
export type AddsOf<U extends Use, Acc = unknown> = U extends readonly [
  Step<StepKind, infer Adds>,
  ...infer Rest extends Use,
]
  ? AddsOf<Rest, IsAddition<Adds> extends true ? Acc & Adds : Acc>
  : Acc
/** False for void, and for never: a guard that always refuses adds nothing. */
type IsAddition<Adds> = [Adds] extends [never] ? false : [Adds] extends [object] ? true : false

/** The call as the handler of a route with this list sees it. */
export type CallOf<U extends Use> = Call & AddsOf<U>

type Rank = { guard: 0; check: 1; interceptor: 2 }
/** Kinds that may still follow one of this kind. */
type After = { guard: StepKind; check: 'check' | 'interceptor'; interceptor: 'interceptor' }

type KeysOf<T> = T extends unknown ? keyof T : never
/** Keys that no step may add: those of the call, and those that core itself works with on it. */
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
 * `unknown` when the list is right, else a TypeMistake that says why: order, clashing additions, keys of the call itself, a step
 * that asks for what no earlier one adds, a check whose input the route does not have, two plugin keys of one name. The steps
 * of `Before` are walked too: a base knew neither the input nor what would follow it.
 */
export type ValidUse<U extends Use, Input, Before extends Use = []> = number extends U['length']
  ? TypeMistake<'`use` must be a tuple written in place or `as const`: an array of unknown length loses what its steps add'>
  : Walk<[...Before, ...U], Input, unknown, StepKind, unknown>

type Walk<U extends Use, Input, Acc, Allowed extends StepKind, Keys> = U extends readonly [
  Step<infer Kind, infer Adds, infer Requires, infer StepInput, infer Key>,
  ...infer Rest extends Use,
]
  ? [Kind] extends [Allowed]
    ? [Call & Acc] extends [Requires]
      ? [Input] extends [StepInput]
        ? KeyClash<Keys, Key> extends true
          ? TypeMistake<'two steps of this list were made with different plugin keys of one name'>
          : IsAddition<Adds> extends true
            ? [KeysOf<Adds> & TakenKey] extends [never]
              ? [Clash<Acc, Adds>] extends [never]
                ? Walk<Rest, Input, Acc & Adds, After[Kind], AddKey<Keys, Key>>
                : TypeMistake<`two steps add '${Clash<Acc, Adds> & string}' with different types`>
              : TypeMistake<`a step adds '${KeysOf<Adds> & TakenKey}', which is a key of the call itself`>
            : Walk<Rest, Input, Acc, After[Kind], AddKey<Keys, Key>>
        : TypeMistake<'a check of this list takes an input that the route does not have'>
      : TypeMistake<'a step of this list needs something on the call that no earlier step adds'>
    : TypeMistake<'`use` is written in the order guard, check, interceptor'>
  : unknown

export const stepRank: Rank = { guard: 0, check: 1, interceptor: 2 }
