import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { CallServices } from '../call/call-services.ts'
import { AppError, ConflictError, PermissionDeniedError } from '../errors/app-error.ts'
import type { CompiledTopic } from './compiled-topic.ts'
import type { HubConnection } from './connection.ts'
import type { ConnectionHub } from './hub.ts'
import type { TopicTable } from './topic.ts'

/** A connection whose right to a topic is being found out. */
interface Pending {
  readonly topic: string
  /** The rule has to be asked again: what it says may have changed since it was. */
  isStale: boolean
}

/** A client may ask for topics without a rule as often as it likes. */
const reportEveryMs = 10_000
const maxReportedPatterns = 20

interface TopicJoinsOptions {
  readonly services: Pick<CallServices, 'log' | 'clock'>
  readonly hub: Pick<ConnectionHub, 'join'>
  readonly topics: TopicTable
  /** That one connection may have joined at a time. */
  readonly maxTopics: number
}

/** How the connections of an app join topics, and lose them. */
export class TopicJoins {
  readonly #options: TopicJoinsOptions
  readonly #pending = new Map<HubConnection, Set<Pending>>()
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(options: TopicJoinsOptions) {
    this.#options = options
  }

  /** For code of the app. `wasAdmitted`: at the time of the call; the connection may have closed since. */
  async join(connection: HubConnection, topic: string, wasAdmitted: boolean): Promise<void> {
    if (!wasAdmitted) throw new Error('A connection can join topics once it is admitted, not in onConnect')
    const rule = this.#find(topic)
    await this.#enter(connection, topic, rule, () => this.#options.hub.join(connection, topic))
  }

  /** For a client. `enter` runs when its rule allows it. */
  async subscribe(
    connection: HubConnection,
    topic: string,
    enter: (rule: CompiledTopic) => MaybePromise<void>,
  ): Promise<void> {
    const rule = this.#find(topic)
    if (!rule.subscribe) {
      this.#report(
        `A client asked for the topic '${topic}', but its rule '${rule.pattern}' does not have subscribe: true`,
      )
      throw refused()
    }
    await this.#enter(connection, topic, rule, () => enter(rule))
  }

  /** For a reader of server-sent events, whose topic the code of the app has chosen. `enter` runs when its rule allows it. */
  async read(
    connection: HubConnection,
    topic: string,
    enter: (rule: CompiledTopic) => MaybePromise<void>,
  ): Promise<void> {
    const rule = this.#find(topic)
    await this.#enter(connection, topic, rule, () => enter(rule))
  }

  /** Asks the rule, and enters nothing. Rejects with its refusal. */
  async ask(connection: HubConnection, topic: string): Promise<void> {
    const rule = this.#find(topic)
    if ((await rule.authorize(connection, topic)) !== true) throw refused()
  }

  /**
   * Asks the rule of every joined topic again, with the present identity. Leaves topics whose rule refuses or fails. Returns a promise only
   * if a rule does.
   */
  reauthorize(connection: HubConnection): Promise<void> | undefined {
    for (const each of this.#pending.get(connection) ?? []) each.isStale = true
    const asked = connection.topics.flatMap((topic) => this.#ask(connection, topic) ?? [])
    return asked.length === 0 ? undefined : Promise.all(asked).then(() => undefined)
  }

  #ask(connection: HubConnection, topic: string): Promise<void> | undefined {
    const { identity } = connection
    const keep = (allowed: unknown): void => {
      // Another identity is asked about by its own renewal.
      if (allowed !== true && connection.identity === identity) takeAway(connection, topic)
    }
    const failed = (error: unknown): void => {
      // An AppError without a cause is a refusal, or has been logged with its call.
      if (!AppError.is(error) || error.cause !== undefined)
        this.#options.services.log.error({ err: error, topic }, 'A topic rule failed')
      keep(false)
    }
    try {
      const allowed = this.#options.topics.find(topic)?.authorize(connection, topic)
      if (isPromise(allowed)) return allowed.then(keep, failed)
      keep(allowed)
    } catch (error) {
      failed(error)
    }
    return undefined
  }

  async #enter(
    connection: HubConnection,
    topic: string,
    rule: CompiledTopic,
    enter: () => MaybePromise<void>,
  ): Promise<void> {
    const pending = this.#begin(connection, topic)
    try {
      await this.#authorize(connection, pending, rule)
      if (!connection.admitted) return
      await enter()
      // The broker took its time, and the identity was refreshed meanwhile.
      if (pending.isStale && connection.admitted) await this.#ask(connection, topic)
    } finally {
      this.#end(connection, pending)
    }
  }

  async #authorize(connection: HubConnection, pending: Pending, rule: CompiledTopic): Promise<void> {
    const { topic } = pending
    let { identity } = connection
    do {
      // The identity may be renewed meanwhile, which asks only about the topics that are joined already.
      identity = connection.identity
      pending.isStale = false
      if ((await rule.authorize(connection, topic)) === true) continue
      if (pending.isStale || identity !== connection.identity) continue
      if (connection.topics.includes(topic)) connection.leave(topic)
      throw refused()
    } while (pending.isStale || identity !== connection.identity)
  }

  /** @throws ConflictError for a connection that has joined as many topics as it may */
  #begin(connection: HubConnection, topic: string): Pending {
    const { maxTopics } = this.#options
    const running = this.#pending.get(connection) ?? new Set()
    const topics = new Set(connection.topics)
    for (const each of running) topics.add(each.topic)
    if (!topics.has(topic) && topics.size >= maxTopics)
      throw new ConflictError(
        `This connection has joined ${maxTopics} topics, which is the most that it may (websocket.maxTopics): leave one first`,
      )
    const pending = { topic, isStale: false }
    running.add(pending)
    this.#pending.set(connection, running)
    return pending
  }

  #end(connection: HubConnection, pending: Pending): void {
    const running = this.#pending.get(connection)
    running?.delete(pending)
    if (running?.size === 0) this.#pending.delete(connection)
  }

  #find(topic: string): CompiledTopic {
    const { topics } = this.#options
    const rule = topics.find(topic)
    if (rule !== null) return rule
    const { patterns } = topics
    const more = patterns.length > maxReportedPatterns ? `, and ${patterns.length - maxReportedPatterns} more` : ''
    const known = patterns.length === 0 ? 'none' : `${patterns.slice(0, maxReportedPatterns).join(', ')}${more}`
    this.#report(`No rule names the topic '${topic}': add one to createApp({ topics }). Rules: ${known}`)
    throw refused()
  }

  #report(message: string): void {
    const { log, clock } = this.#options.services
    const now = clock.monotonic()
    if (now - this.#reportedAt < reportEveryMs) return
    this.#reportedAt = now
    log.warn(message)
  }
}

function takeAway(connection: HubConnection, topic: string): void {
  if (!connection.topics.includes(topic)) return
  connection.leave(topic)
  if (connection.isOptedIn) connection.sendControl({ type: 'unsubscribed', topic, code: 'permission_denied' })
}

function refused(): PermissionDeniedError {
  return new PermissionDeniedError('Not allowed to join this topic')
}
