import { BootError } from '../base/boot-error.ts'
import { checkSteps } from '../route/route-definition.ts'
import { type CompiledTopic, Topic } from './compiled-topic.ts'
import type { AnyTopicRule, GuardedTopic, TopicsOf } from './topic-builder.ts'
import type { TopicCalls } from './topic-calls.ts'
import { comparePatterns, overlap, parsePattern } from './topic-pattern.ts'
import { resolveTopicOptions } from './topic-rule.ts'

/**
 * By pattern: a name, `news`; with parameters, `ticket:{id}`, each of which is one segment between colons; or a prefix, `author:*`. Of several
 * that fit a topic, a name rules before parameters, and those before a prefix; otherwise the one with more literal characters.
 */
export type TopicRules = Readonly<Record<string, AnyTopicRule>>

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
export function defineTopics<Table>(rules: TopicsOf<Table>): TopicsOf<Table> {
  new TopicTable().add(rules, 'defineTopics()')
  return rules
}

/** The topic rules of an app: its own and those of its plugins. */
export class TopicTable {
  readonly #exact = new Map<string, Topic>()
  /** Those with parameters or `*`, the first that fits rules. */
  readonly #others: Topic[] = []

  get all(): readonly Topic[] {
    return [...this.#exact.values(), ...this.#others]
  }

  /** All patterns, those that rule first at the front. */
  get patterns(): readonly string[] {
    return [...this.#exact.keys(), ...this.#others.map(({ pattern }) => pattern)]
  }

  /**
   * @param owner - Who declares them, as messages name it: `plugin 'presence'`.
   * @throws BootError `bad_option`, `unknown_option`, or `duplicate_topic` for a pattern that is declared already, or fits the topics of another
   * one equally well.
   */
  add(rules: TopicRules, owner: string): void {
    for (const [pattern, rule] of Object.entries(rules)) {
      const topic = compileTopic(pattern, rule, owner)
      this.#checkUnique(topic)
      if (topic.parsed.parameters.length === 0 && !pattern.endsWith('*')) this.#exact.set(pattern, topic)
      else this.#others.push(topic)
    }
    this.#others.sort((a, b) => comparePatterns(a.parsed, b.parsed))
  }

  /** Binds the rules that have guards to the plugins of an app. */
  bind(calls: TopicCalls): void {
    for (const topic of this.all) if (topic.guarded !== null) topic.bind(calls.compile(topic.parsed, topic.guarded))
  }

  /** The rule of the topic; null if there is none. */
  find(topic: string): CompiledTopic | null {
    const exact = this.#exact.get(topic)
    if (exact !== undefined) return exact
    for (const other of this.#others) if (other.parsed.matches(topic)) return other
    return null
  }

  #checkUnique({ pattern, parsed, owner }: Topic): void {
    const same = this.#exact.get(pattern) ?? this.#others.find((other) => other.pattern === pattern)
    if (same !== undefined)
      throw new BootError(
        'duplicate_topic',
        `${owner} and ${same.owner} both declare the topic '${pattern}': rename one`,
      )
    const equal = this.#others.find(
      (other) => comparePatterns(other.parsed, parsed) === 0 && overlap(other.parsed, parsed),
    )
    if (equal !== undefined)
      throw new BootError(
        'duplicate_topic',
        `${owner}: topics['${pattern}'] and '${equal.pattern}' of ${equal.owner} fit the same topics equally well, so that neither can rule them: change one of the patterns`,
      )
  }
}

function compileTopic(pattern: string, rule: AnyTopicRule, owner: string): Topic {
  if (pattern === '')
    throw new BootError('bad_option', `${owner}: topics has a rule for the empty string: give the topic a name`)
  const path = `topics['${pattern}']`
  if (rule !== undefined && 'kind' in rule) return compileGuarded(pattern, rule, owner)
  if (typeof rule?.authorize !== 'function')
    throw new BootError(
      'bad_option',
      `${owner}: ${path} must have a function authorize(identity, topic) that returns true or false`,
    )
  const parsed = parsePattern(pattern, `${owner}: ${path}`)
  return new Topic({
    ...resolveTopicOptions(owner, path, rule, ['authorize']),
    pattern: parsed,
    owner,
    authorize: ({ identity }, topic) => rule.authorize(identity, topic),
    guarded: null,
  })
}

function compileGuarded(pattern: string, { options, use, run }: GuardedTopic, owner: string): Topic {
  const path = `topics['${pattern}']`
  const subject = `${owner}: ${path}`
  if (typeof run !== 'function')
    throw new BootError('bad_option', `${subject}: topic() must have a function authorize that returns true or false`)
  if (!Array.isArray(use)) throw new BootError('bad_option', `${subject}.use must be a list of guards`)
  checkSteps(use, subject)
  const other = use.find(({ kind }) => kind !== 'guard')
  if (other !== undefined)
    throw new BootError(
      'bad_option',
      `${subject}: the ${other.kind} '${other.name}' cannot be used for a topic, which has neither input nor handler: use guards, and check the rest in authorize`,
    )
  return new Topic({
    ...resolveTopicOptions(owner, path, options, []),
    pattern: parsePattern(pattern, subject),
    owner,
    authorize: () => {
      throw new Error('The app has not started: await app.ready() before connections join topics')
    },
    guarded: { use, run },
  })
}
