import { BootError } from '../base/boot-error.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Identity } from '../call/identity.ts'

/** Who may join the topics that a pattern names. */
export interface TopicRule {
  /** Asked on every join, and again for joined topics when an identity is renewed. Anything but true, or a throw: not allowed. */
  authorize(identity: Identity | null, topic: string): MaybePromise<boolean>
}

/** By topic, or by prefix: `author:*` stands for every topic that begins with `author:`. */
export type TopicRules = Readonly<Record<string, TopicRule>>

/**
 * Rules of topics with a place of their own: typed as they are within `createApp({ topics })`.
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

/** Finds the rule of a topic: the topic itself, else the longest prefix; null for a topic that no app has declared. */
export function compileTopicRules(rules: TopicRules): (topic: string) => TopicRule | null {
  const exact = new Map<string, TopicRule>()
  const prefixes: { readonly prefix: string; readonly rule: TopicRule }[] = []
  for (const [pattern, rule] of Object.entries(rules)) {
    if (pattern === '')
      throw new BootError('bad_option', "topics has a rule for the topic '', which has no name: give it one")
    if (typeof rule?.authorize !== 'function')
      throw new BootError('bad_option', `topics['${pattern}'] needs authorize: (identity, topic) => true or false`)
    const star = pattern.indexOf('*')
    if (star === -1) exact.set(pattern, rule)
    else if (star === pattern.length - 1) prefixes.push({ prefix: pattern.slice(0, -1), rule })
    else throw new BootError('bad_option', `The topic '${pattern}' may have one '*', at its end`)
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length)
  return (topic) => {
    const rule = exact.get(topic)
    if (rule !== undefined) return rule
    for (const { prefix, rule } of prefixes) if (topic.startsWith(prefix)) return rule
    return null
  }
}
