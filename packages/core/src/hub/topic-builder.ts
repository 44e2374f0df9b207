import type { CompileError } from '../base/compile-error.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Call } from '../call/call.ts'
import type { Step } from '../route/step.ts'
import type { CallOf, Use, ValidUse } from '../route/use.ts'
import type { TopicOptions, TopicRule } from './topic-rule.ts'

/** The parameters of a pattern, `{ id: string }` for `ticket:{id}`; of one that is not known, any that it may have. */
export type TopicParams<Pattern extends string> = string extends Pattern
  ? Readonly<Record<string, string | undefined>>
  : { readonly [Name in ParameterOf<Pattern>]: string }
type ParameterOf<Pattern extends string> = Pattern extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterOf<Rest>
  : never

/** What the rule of a topic knows besides the call and what its guards add. */
export interface TopicFields<Pattern extends string> {
  readonly topic: string
  readonly params: TopicParams<Pattern>
}

/** Before the guards of a rule. */
type FieldsStep<Pattern extends string> = Step<'guard', TopicFields<Pattern>, Call, unknown, unknown, 'topic'>

/** Checks and interceptors run around a command or handler, which a topic does not have. */
type OnlyGuards<U extends Use> = {
  readonly [I in keyof U]: U[I] extends Step<'guard', unknown, never, never>
    ? unknown
    : CompileError<'the rule of a topic takes guards only, not checks and interceptors'>
}

/** What `topic` takes. */
export interface TopicDefinition<U extends Use, Pattern extends string> extends TopicOptions {
  /** Guards of routes. What they add is what `authorize` gets. What they hold ends with the call: after `authorize`, or 10 s. */
  readonly use?: U & OnlyGuards<U> & ValidUse<U, never, [FieldsStep<Pattern>]>
  /**
   * Called on every join and every `subscribe`, and again for joined topics when the identity is renewed or refreshed. Only the value true allows
   * it; an error does not, and is what the caller gets.
   */
  readonly authorize: (call: CallOf<[FieldsStep<Pattern>, ...U]>) => MaybePromise<boolean>
}

/** A topic rule with guards, made by `topic`. */
export interface GuardedTopic<Pattern extends string = string> {
  readonly kind: 'topic'
  readonly options: TopicOptions
  readonly use: Use
  readonly run: (call: never) => MaybePromise<boolean>
  /** Never set: the pattern that its parameters are those of. A method, because a rule for any pattern fits each. */
  '~pattern'?(pattern: Pattern): void
}

/** What the table of topics has for a pattern. */
export type AnyTopicRule<Pattern extends string = string> = TopicRule | GuardedTopic<Pattern>

/** A table of topics, typed by its patterns. */
export type TopicsOf<Table> = { readonly [Pattern in keyof Table]: AnyTopicRule<Pattern & string> }

/**
 * The rule of a topic with the guards of routes: `authorize` gets what they add, and the parameters of its pattern. In `createApp({ topics })`
 * and `defineTopics` the parameters are typed.
 *
 * Boot errors: `bad_option`, `unknown_option`, `missing_plugin`.
 *
 * @example
 * const topics = defineTopics({
 *   'ticket:{id}': topic({
 *     use: [tenant()],
 *     subscribe: true,
 *     authorize: ({ identity, params, tenant }) => tickets.mayRead(identity?.id, tenant, params.id),
 *   }),
 * })
 */
export function topic<const U extends Use = [], Pattern extends string = string>(
  definition: TopicDefinition<U, Pattern>,
): GuardedTopic<Pattern> {
  const { use = [], authorize, ...options } = definition
  return Object.freeze({ kind: 'topic', options, use, run: authorize })
}
