import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Use } from '../route/use.ts'
import type { StreamHistory } from './broker.ts'
import type { HubConnection } from './connection.ts'
import type { TopicPattern } from './topic-pattern.ts'
import type { ResolvedTopicOptions } from './topic-rule.ts'

/** Asks a rule. Anything but true is a refusal. */
export type Authorize = (connection: HubConnection, topic: string) => MaybePromise<unknown>

/** A topic rule as the app uses it. */
export interface CompiledTopic {
  readonly pattern: string
  /** May clients ask for it? */
  readonly subscribe: boolean
  readonly history: StreamHistory
  /** May clients name a position that they have, and get what they missed? */
  readonly resume: boolean
  readonly presence: boolean
  readonly slow: 'disconnect' | 'latest'
  /** JSON; null without a function for it. */
  memberInfo(connection: Pick<HubConnection, 'identity'>, topic: string): unknown
  /** Anything but true is a refusal. Throws or rejects where the rule does. */
  authorize(connection: HubConnection, topic: string): MaybePromise<unknown>
}

/** What `topic()` was given. */
export interface GuardedRun {
  readonly use: Use
  readonly run: (call: never) => MaybePromise<boolean>
}

interface TopicParts extends ResolvedTopicOptions {
  readonly pattern: TopicPattern
  /** Who declares it, for messages: `createApp()`. */
  readonly owner: string
  readonly authorize: Authorize
  /** Guards of the rule, and what runs after them; null without guards. Bound when the app boots. */
  readonly guarded: GuardedRun | null
}

/** One entry of the table of topics. */
export class Topic implements CompiledTopic {
  readonly pattern: string
  readonly owner: string
  readonly parsed: TopicPattern
  readonly subscribe: boolean
  readonly history: StreamHistory
  readonly resume: boolean
  readonly presence: boolean
  readonly slow: 'disconnect' | 'latest'
  readonly #toInfo: ResolvedTopicOptions['toInfo']
  readonly guarded: GuardedRun | null
  #authorize: Authorize

  constructor(parts: TopicParts) {
    const { pattern, owner, subscribe, history, resume, presence, toInfo, slow, authorize, guarded } = parts
    this.pattern = pattern.text
    this.parsed = pattern
    this.owner = owner
    this.subscribe = subscribe
    this.history = history
    this.resume = resume
    this.presence = presence
    this.slow = slow
    this.#toInfo = toInfo
    this.guarded = guarded
    this.#authorize = authorize
  }

  /** The guards are bound to the plugins of an app. */
  bind(authorize: Authorize): void {
    this.#authorize = authorize
  }

  memberInfo({ identity }: Pick<HubConnection, 'identity'>, topic: string): unknown {
    return this.#toInfo === null ? null : this.#toInfo(identity, topic)
  }
  authorize(connection: HubConnection, topic: string): MaybePromise<unknown> {
    return this.#authorize(connection, topic)
  }
}
