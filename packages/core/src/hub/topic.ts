import { BootError } from '../base/boot-error.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Identity } from '../call/identity.ts'

/** Decides who may join the topics of a pattern. */
export interface TopicRule {
  /** Called on every join, and again for joined topics when the identity is renewed. Only the value true allows it; an error does not. */
  authorize(identity: Identity | null, topic: string): MaybePromise<boolean>
}

/** By topic, or by prefix: `author:*` is for every topic that starts with `author:`. */
export type TopicRules = Readonly<Record<string, TopicRule>>

/**
 * Declares topic rules outside `createApp({ topics })`, with the same types.
 *
 * @example
 * // author.topics.ts
 * export const authorTopics = defineTopics({
 *   'author:*': { authorize: (identity, topic) => topic === `author:${identity?.id}` },
 * })
 * // app.ts
 * createApp({ pkgIds, routes, topics: { ...authorTopics, ...billingTopics } })
 */
export function defineTopics<const Pattern extends string>(
  rules: Readonly<Record<Pattern, TopicRule>>,
): Readonly<Record<Pattern, TopicRule>> {
  compileTopicRules(rules)
  return rules
}

/** Finds the rule of a topic: that of the exact topic, else that of the longest prefix; null if the app has none. */
export function compileTopicRules(rules: TopicRules): (topic: string) => TopicRule | null {
  const exact = new Map<string, TopicRule>()
  const prefixes: { readonly prefix: string; readonly rule: TopicRule }[] = []
  for (const [pattern, rule] of Object.entries(rules)) {
    if (pattern === '')
      throw new BootError('bad_option', 'topics has a rule for the empty string: give the topic a name')
    if (typeof rule?.authorize !== 'function')
      throw new BootError(
        'bad_option',
        `topics['${pattern}'] must have a function authorize(identity, topic) that returns true or false`,
      )
    const star = pattern.indexOf('*')
    if (star === -1) exact.set(pattern, rule)
    else if (star === pattern.length - 1) prefixes.push({ prefix: pattern.slice(0, -1), rule })
    else throw new BootError('bad_option', `topics['${pattern}']: a pattern may have only one '*', at its end`)
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length)
  return (topic) => {
    const rule = exact.get(topic)
    if (rule !== undefined) return rule
    for (const { prefix, rule } of prefixes) if (topic.startsWith(prefix)) return rule
    return null
  }
}
