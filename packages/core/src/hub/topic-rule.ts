import type { MaybePromise } from '../base/maybe-promise.ts'
import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import type { Identity } from '../call/identity.ts'
import type { StreamHistory } from './broker.ts'

/** A time in words: `500ms`, `60s`, `10m`, `2h`. */
export type TopicTtl = `${number}${'ms' | 's' | 'm' | 'h'}`

/** How much of a topic is kept, so that a client that comes back gets what it missed. */
export interface TopicHistory {
  /** Publications, 1 to 100,000. Default 100. */
  readonly size?: number
  /** How long after the last publication: milliseconds or `10m`, at most 7 days. Default `60s`. */
  readonly ttl?: TopicTtl | number
}

/** What the rule of a topic says besides who may join it. */
export interface TopicOptions {
  /** May clients ask for it by `{"type":"subscribe"}`? Default false: only `call.connection.join` joins a connection. */
  readonly subscribe?: boolean
  /** False: none, and events have no position. Default: that of the broker, 100 publications and 60 s. */
  readonly history?: TopicHistory | false
  /** May a client that comes back with a position get what it missed? False: it has to load the state again. Default true. */
  readonly resume?: boolean
  /** Keeps who has joined, over all nodes. A function returns `info` of a member, as JSON. Default false. */
  readonly presence?: boolean | ((identity: Identity | null, topic: string) => unknown)
  /**
   * For a client that receives too slowly. `disconnect`: it is closed with 1013. `latest`: of events with `key`, a newer one replaces one that
   * waits; only with `history: false`. Default `disconnect`.
   */
  readonly slow?: 'disconnect' | 'latest'
}

/** Decides who may join the topics of a pattern. `topic()` makes one with the guards of routes. */
export interface TopicRule extends TopicOptions {
  /**
   * Called on every join and every `subscribe`, and again for joined topics when the identity is renewed or refreshed. Only the value true allows
   * it; an error does not.
   */
  authorize(identity: Identity | null, topic: string): MaybePromise<boolean>
}

/** `TopicOptions`, checked, with defaults. */
export interface ResolvedTopicOptions {
  readonly subscribe: boolean
  readonly history: StreamHistory
  readonly resume: boolean
  readonly presence: boolean
  /** Null: members have no `info`. */
  readonly toInfo: ((identity: Identity | null, topic: string) => unknown) | null
  readonly slow: 'disconnect' | 'latest'
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const maxTtlMs = 7 * 24 * 3_600_000

const historyRules = {
  size: option.integer({ min: 1, max: 100_000, default: 100 }),
  ttl: option.custom({
    expects: "milliseconds or a time such as '10m', from 1 ms to 7 days",
    is: (value): value is TopicTtl | number =>
      Number.isInteger(toMs(value)) && toMs(value) >= 1 && toMs(value) <= maxTtlMs,
    default: '60s',
  }),
} satisfies OptionRules<TopicHistory>

const topicRules = {
  subscribe: option.flag({ default: false }),
  history: option.unchecked<TopicHistory | false>(),
  resume: option.flag({ default: true }),
  presence: option.anyOf([option.flag(), option.callback<(identity: Identity | null, topic: string) => unknown>()], {
    default: false,
  }),
  slow: option.choice(['disconnect', 'latest'], { default: 'disconnect' }),
} satisfies OptionRules<TopicOptions>

/**
 * @param path - `topics['news']`
 * @param others - Keys that the rule may have besides.
 * @throws BootError `bad_option`, `unknown_option`
 */
export function resolveTopicOptions(
  owner: string,
  path: string,
  rule: TopicOptions,
  others: readonly string[],
): ResolvedTopicOptions {
  const known = { ...topicRules, ...Object.fromEntries(others.map((key) => [key, option.unchecked()])) }
  const { subscribe, history, resume, presence, slow } = checkOptions<typeof topicRules>(owner, rule, known, path)
  if (slow === 'latest' && history !== false)
    throw badOption(owner, `${path}.slow`, "may be 'latest' only for a topic without history: set history: false")
  return {
    subscribe,
    history: history === undefined || history === false ? history : toLimits(owner, `${path}.history`, history),
    resume,
    presence: presence !== false,
    toInfo: typeof presence === 'function' ? presence : null,
    slow,
  }
}

function toLimits(owner: string, path: string, history: TopicHistory): StreamHistory {
  const { size, ttl } = checkOptions(owner, history, historyRules, path)
  return { size, ttlMs: toMs(ttl) }
}

/** NaN for what is not a time. */
function toMs(ttl: unknown): number {
  if (typeof ttl === 'number') return ttl
  const [, count = '', unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(String(ttl)) ?? []
  return Number(count) * (unitsMs[unit] ?? Number.NaN)
}
