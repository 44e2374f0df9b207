import type { Identity } from '../call/identity.ts'
import { BootError } from '../errors/boot-error.ts'
import type { MaybePromise } from '../util/maybe-promise.ts'

/** Who may join the topics that a pattern names. */
export interface TopicRule {
  /** Asked on every join, and again for joined topics when an identity is renewed. False or a throw: not allowed. */
  authorize(identity: Identity | null, topic: string): MaybePromise<boolean>
}

/** By topic, or by prefix: `author:*` stands for every topic that begins with `author:`. */
export type TopicRules = Readonly<Record<string, TopicRule>>

/** Finds the rule of a topic: the topic itself, else the longest prefix; null for a topic that no app has declared. */
export function compileTopicRules(rules: TopicRules): (topic: string) => TopicRule | null {
  const exact = new Map<string, TopicRule>()
  const prefixes: { readonly prefix: string; readonly rule: TopicRule }[] = []
  for (const [pattern, rule] of Object.entries(rules)) {
    const star = pattern.indexOf('*')
    if (star === -1) exact.set(pattern, rule)
    else if (star === pattern.length - 1) prefixes.push({ prefix: pattern.slice(0, -1), rule })
    else throw new BootError('bad_option', `The topic '${pattern}' may have one '*', at its end`)
  }
  prefixes.sort((a, b) => b.prefix.length - a.prefix.length)
  return (topic) => exact.get(topic) ?? prefixes.find(({ prefix }) => topic.startsWith(prefix))?.rule ?? null
}
