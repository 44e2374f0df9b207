import { BootError } from '../base/boot-error.ts'
import { type Clock, systemClock, withTimeout } from '../base/clock.ts'
import { dropSafe } from '../base/drop-safe.ts'
import { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { AnyEvent, EventData } from '../call/event.ts'
import type { Audience, Publication } from '../call/publication.ts'
import { Rejections } from '../call/rejections.ts'
import type { Broker, StreamHistory } from '../hub/broker.ts'
import { createNodeInfo } from '../hub/node-info.ts'
import { TopicTable } from '../hub/topic.ts'
import { AppEvents } from './app-events.ts'
import type { EventTable, PkgIds } from './app-options.ts'
import { type PublisherOptions, type ResolvedPublisherOptions, resolvePublisherOptions } from './publisher-options.ts'

/** Publishes to the connections of an app, from a process that serves none. */
export interface EventPublisher<in Event extends AnyEvent = AnyEvent> {
  /**
   * Opens the broker, once; the first publication does it too. Rejects with one sentence that says what to change. A publisher that could not be
   * opened stays so: create a new one, with a new broker.
   */
  ready(): Promise<void>
  /**
   * To every connection that joined `topic`, on all nodes. Resolves when the broker took it. Rejects when it did not, for a topic that no rule
   * matches, and for data that does not fit the event. Publications of one process are sent in the order of the calls.
   */
  publish<E extends Event>(topic: string, event: E, data: EventData<E>): Promise<void>
  /** To every admitted connection. Resolves and rejects as `publish` does. */
  broadcast<E extends Event>(event: E, data: EventData<E>): Promise<void>
  /** To every connection of one identity. Resolves and rejects as `publish` does. */
  sendTo<E extends Event>(identityId: string, event: E, data: EventData<E>): Promise<void>
  /**
   * Sends what was accepted, then closes the broker: without it the connections of the broker may keep the process alive. Rejects when that takes
   * longer than `closeTimeoutMs`. Idempotent; later publications reject.
   */
  close(): Promise<void>
}

/**
 * For a script or a job that only publishes: checks and history are those of an app with the same `events` and `topics`, and no server is
 * started. It is not among the nodes of the app. An event without PkgID is a type error, and a BootError besides.
 *
 * @example
 * const publisher = createPublisher({
 *   broker: redisBroker({ url: 'redis://127.0.0.1:6379' }),
 *   pkgIds: PkgID,
 *   events: { AUTHOR_CREATED: authorCreated },
 *   topics: authorTopics,
 * })
 * await publisher.publish('authors', authorCreated, { id: 7, name: 'Ursula K. Le Guin' })
 * await publisher.close()
 */
export function createPublisher<const Ids extends PkgIds, Events extends EventTable>(
  options: PublisherOptions<Ids, Events>,
): EventPublisher<Events[keyof Events]> {
  return new BrokerPublisher(resolvePublisherOptions(options))
}

class BrokerPublisher implements EventPublisher {
  readonly #broker: Broker
  readonly #clock: Clock
  readonly #log: Logger
  readonly #closeTimeoutMs: number
  readonly #instruments = new Instruments()
  readonly #rejections: Rejections
  readonly #events: AppEvents
  readonly #topics = new TopicTable()
  readonly #pending = new Set<Promise<unknown>>()
  #opened: Promise<void> | null = null
  #closed: Promise<void> | null = null

  constructor({
    broker,
    pkgIds,
    events,
    topics,
    validateOutput,
    log,
    clock,
    closeTimeoutMs,
  }: ResolvedPublisherOptions) {
    this.#broker = broker
    this.#clock = clock ?? systemClock
    this.#log = log
    this.#closeTimeoutMs = closeTimeoutMs
    this.#rejections = new Rejections(this.#instruments, log)
    this.#events = new AppEvents(events, pkgIds, validateOutput)
    this.#topics.add(topics, 'createPublisher()')
  }

  ready(): Promise<void> {
    return dropSafe(this.#open(), 'publisher.ready', this.#rejections)
  }
  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): Promise<void> {
    return dropSafe(this.#send({ kind: 'topic', topic }, event, data), 'publisher.publish', this.#rejections)
  }
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): Promise<void> {
    return dropSafe(this.#send({ kind: 'all' }, event, data), 'publisher.broadcast', this.#rejections)
  }
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): Promise<void> {
    return dropSafe(this.#send({ kind: 'identity', identityId }, event, data), 'publisher.sendTo', this.#rejections)
  }
  close(): Promise<void> {
    this.#closed ??= dropSafe(this.#close(), 'publisher.close', this.#rejections)
    return this.#closed
  }

  #open(): Promise<void> {
    if (this.#closed !== null)
      return Promise.reject(new BootError('wrong_state', 'The publisher is closed: create a new one'))
    this.#opened ??= this.#start()
    return this.#opened
  }

  async #start(): Promise<void> {
    const none = (): void => {}
    await this.#broker.start({
      info: createNodeInfo(this.#clock),
      clock: this.#clock,
      log: this.#log,
      instruments: this.#instruments,
      publishesOnly: true,
      deliver: none,
      gap: none,
      control: none,
      presence: none,
    })
  }

  async #send(audience: Audience, event: AnyEvent, data: unknown): Promise<void> {
    const history = this.#historyOf(audience)
    const publication = this.#prepare(audience, event, data)
    // One chain from one promise: what is published first is sent first, also while the broker opens.
    const sent = this.#open().then(() => this.#broker.publish(publication, history, null))
    this.#pending.add(sent)
    try {
      await sent
    } finally {
      this.#pending.delete(sent)
    }
  }

  #prepare(audience: Audience, event: AnyEvent, data: unknown): Publication {
    const compiled = this.#events.find(event)
    if (compiled === undefined) throw unknownEvent(event)
    // Projected at once: later changes of the data have no effect.
    return { audience, pkgId: compiled.pkgId, data: compiled.toData(data), cause: null }
  }

  #historyOf(audience: Audience): StreamHistory {
    if (audience.kind !== 'topic') return undefined
    const rule = this.#topics.find(audience.topic)
    if (rule === null)
      throw new Error(
        `The topic '${audience.topic}' has no rule, so no connection can join it: add the rule of the app to createPublisher({ topics })`,
      )
    return rule.history
  }

  async #close(): Promise<void> {
    if (this.#opened === null) return
    // Core's timers do not keep the process alive; while the publisher closes, it must stay alive.
    const keepAlive = setInterval(() => {}, 60_000)
    try {
      await this.#within('What was published', () => Promise.allSettled([this.#opened, ...this.#pending]))
    } finally {
      await this.#within('The close of the broker', () => this.#broker.close()).finally(() => clearInterval(keepAlive))
    }
  }

  #within(what: string, work: () => unknown): Promise<unknown> {
    return withTimeout(this.#clock, this.#closeTimeoutMs, what, work)
  }
}

function unknownEvent(event: AnyEvent): Error {
  if (event?.kind !== 'event') return new Error('The published event was not made by event(…)')
  const name = event.summary === '' ? 'This event' : `The event '${event.summary}'`
  return new Error(`${name} is not an event of the publisher: add it to createPublisher({ events })`)
}
