import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { CallServices } from '../call/call-services.ts'
import { AppError, ConflictError, PermissionDeniedError } from '../errors/app-error.ts'
import type { CompiledTopic } from '../hub/compiled-topic.ts'
import type { WireConnection } from './wire.ts'

/** A connection whose right to a topic is being found out. */
interface Pending {
  readonly topic: string
  /** The rule has to be asked again: what it says may have changed since it was. */
  isStale: boolean
}

/** A client may ask for topics without a rule as often as it likes. */
const reportEveryMs = 10_000
const maxReportedPatterns = 20

/** How the connections of an app join topics, and lose them. */
export class TopicJoins {
  readonly #services: Pick<CallServices, 'log' | 'clock'>
  readonly #pending = new Map<WireConnection, Set<Pending>>()
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(services: Pick<CallServices, 'log' | 'clock'>) {
    this.#services = services
  }

  /** For code of the app. `wasAdmitted`: at the time of the call; the connection may have closed since. */
  async join(connection: WireConnection, topic: string, wasAdmitted: boolean): Promise<void> {
    if (!wasAdmitted) throw new Error('A connection can join topics once it is admitted, not in onConnect')
    const rule = this.#find(connection, topic)
    await this.#enter(connection, topic, rule, () => connection.shared.hub.join(connection, topic))
  }

  /** For a client. `enter` runs when its rule allows it. */
  async subscribe(
    connection: WireConnection,
    topic: string,
    enter: (rule: CompiledTopic) => MaybePromise<void>,
  ): Promise<void> {
    const rule = this.#find(connection, topic)
    if (!rule.subscribe) {
      this.#report(
        `A client asked for the topic '${topic}', but its rule '${rule.pattern}' does not have subscribe: true`,
      )
      throw refused()
    }
    await this.#enter(connection, topic, rule, () => enter(rule))
  }

  /**
   * Asks the rule of every joined topic again, with the present identity. Leaves topics whose rule refuses or fails. Returns a promise only
   * if a rule does.
   */
  reauthorize(connection: WireConnection): Promise<void> | undefined {
    for (const each of this.#pending.get(connection) ?? []) each.isStale = true
    const asked = connection.topics.flatMap((topic) => this.#ask(connection, topic) ?? [])
    return asked.length === 0 ? undefined : Promise.all(asked).then(() => undefined)
  }

  #ask(connection: WireConnection, topic: string): Promise<void> | undefined {
    const { identity } = connection
    const keep = (allowed: unknown): void => {
      // Another identity is asked about by its own renewal.
      if (allowed !== true && connection.identity === identity) takeAway(connection, topic)
    }
    const failed = (error: unknown): void => {
      // An AppError without a cause is a refusal, or has been logged with its call.
      if (!AppError.is(error) || error.cause !== undefined)
        this.#services.log.error({ err: error, topic }, 'A topic rule failed')
      keep(false)
    }
    try {
      const allowed = connection.shared.topics.find(topic)?.authorize(connection, topic)
      if (isPromise(allowed)) return allowed.then(keep, failed)
      keep(allowed)
    } catch (error) {
      failed(error)
    }
    return undefined
  }

  async #enter(
    connection: WireConnection,
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

  async #authorize(connection: WireConnection, pending: Pending, rule: CompiledTopic): Promise<void> {
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
  #begin(connection: WireConnection, topic: string): Pending {
    const { maxTopics } = connection.shared.options
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

  #end(connection: WireConnection, pending: Pending): void {
    const running = this.#pending.get(connection)
    running?.delete(pending)
    if (running?.size === 0) this.#pending.delete(connection)
  }

  #find({ shared }: WireConnection, topic: string): CompiledTopic {
    const rule = shared.topics.find(topic)
    if (rule !== null) return rule
    const { patterns } = shared.topics
    const more = patterns.length > maxReportedPatterns ? `, and ${patterns.length - maxReportedPatterns} more` : ''
    const known = patterns.length === 0 ? 'none' : `${patterns.slice(0, maxReportedPatterns).join(', ')}${more}`
    this.#report(`No rule names the topic '${topic}': add one to createApp({ topics }). Rules: ${known}`)
    throw refused()
  }

  #report(message: string): void {
    const { log, clock } = this.#services
    const now = clock.monotonic()
    if (now - this.#reportedAt < reportEveryMs) return
    this.#reportedAt = now
    log.warn(message)
  }
}

function takeAway(connection: WireConnection, topic: string): void {
  if (!connection.topics.includes(topic)) return
  connection.leave(topic)
  if (connection.isOptedIn) connection.sendControl({ type: 'unsubscribed', topic, code: 'permission_denied' })
}

function refused(): PermissionDeniedError {
  return new PermissionDeniedError('Not allowed to join this topic')
}
