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
  new TopicTable().add(rules, 'defineTopics()')
  return rules
}

/** The topic rules of an app: its own and those of its plugins. */
export class TopicTable {
  readonly #exact = new Map<string, TopicRule>()
  readonly #prefixes: { readonly prefix: string; readonly rule: TopicRule }[] = []
  /** By pattern: who has declared it, for messages. */
  readonly #owners = new Map<string, string>()

  /**
   * @param owner - Who declares them, as messages name it: `plugin 'presence'`.
   * @throws BootError `bad_option`, or `duplicate_topic` for a pattern that is declared already.
   */
  add(rules: TopicRules, owner: string): void {
    for (const [pattern, rule] of Object.entries(rules)) {
      if (pattern === '')
        throw new BootError('bad_option', `${owner}: topics has a rule for the empty string: give the topic a name`)
      if (typeof rule?.authorize !== 'function')
        throw new BootError(
          'bad_option',
          `${owner}: topics['${pattern}'] must have a function authorize(identity, topic) that returns true or false`,
        )
      const star = pattern.indexOf('*')
      if (star !== -1 && star !== pattern.length - 1)
        throw new BootError('bad_option', `${owner}: topics['${pattern}']: a pattern may have only one '*', at its end`)
      const other = this.#owners.get(pattern)
      if (other !== undefined)
        throw new BootError('duplicate_topic', `${owner} and ${other} both declare the topic '${pattern}': rename one`)
      this.#owners.set(pattern, owner)
      if (star === -1) this.#exact.set(pattern, rule)
      else this.#prefixes.push({ prefix: pattern.slice(0, -1), rule })
    }
    this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length)
  }

  /** The rule of the exact topic, else that of the longest prefix; null if there is none. */
  find(topic: string): TopicRule | null {
    const rule = this.#exact.get(topic)
    if (rule !== undefined) return rule
    for (const { prefix, rule } of this.#prefixes) if (topic.startsWith(prefix)) return rule
    return null
  }
}
