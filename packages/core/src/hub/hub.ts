import { isPromise } from '../base/maybe-promise.ts'
import type { Publisher } from '../call/call.ts'
import type { AnyEvent, EventData } from '../call/event.ts'
import type { Audience, Publication } from '../call/publication.ts'
import { deliverTo } from './broadcast.ts'
import type { Broker } from './broker.ts'
import type { Connection } from './connection.ts'
import type { Member } from './member.ts'
import type { TopicRule } from './topic.ts'

/** An event as it was compiled: its number, and what turns data into what leaves. */
export interface CompiledEvent {
  readonly pkgId: number
  /** Throws for data that the event's schema refuses. */
  readonly toData: (data: unknown) => unknown
}

interface HubOptions {
  readonly broker: Broker
  /** The rule of a topic; null for one that the app does not declare, which no connection can have joined. */
  readonly findTopicRule: (topic: string) => TopicRule | null
  /** Can a connection have an identity? Not without a plugin that says who calls. */
  readonly hasIdentities: () => boolean
  /** The compiled form of an event; undefined for one that the app does not list. */
  readonly findEvent: (event: AnyEvent) => CompiledEvent | undefined
  readonly onError: (error: unknown) => void
  /** A broker answered by a promise, which failed: whoever published has gone on. */
  readonly onLateError: (error: unknown) => void
}

const nobody: ReadonlySet<Member> = new Set()

/** The connections of this process, for code outside a call. */
export interface Hub extends Publisher {
  /** Admitted connections. */
  readonly size: number
  get(connectionId: string): Connection | undefined
  /** Every connection of one identity. */
  ofIdentity(identityId: string): readonly Connection[]
  /** How many connections have joined `topic`. */
  topicSize(topic: string): number
}

/** The admitted connections of this process, by id, by identity and by topic. */
export class ConnectionHub implements Hub {
  readonly #options: HubOptions
  readonly #byId = new Map<string, Member>()
  readonly #byIdentity = new Map<string, Set<Member>>()
  readonly #byTopic = new Map<string, Set<Member>>()
  /** The delivery within this `send` has failed and was told of: the error comes back through a broker that delivers at once. */
  #told = false

  constructor(options: HubOptions) {
    this.#options = options
    options.broker.start((publication) => this.#deliver(publication))
  }

  get size(): number {
    return this.#byId.size
  }
  get(connectionId: string): Connection | undefined {
    return this.#byId.get(connectionId)
  }
  ofIdentity(identityId: string): readonly Connection[] {
    return [...(this.#byIdentity.get(identityId) ?? nobody)]
  }
  topicSize(topic: string): number {
    return this.#byTopic.get(topic)?.size ?? 0
  }
  members(): IterableIterator<Member> {
    return this.#byId.values()
  }

  add(member: Member): void {
    this.#byId.set(member.id, member)
    if (member.identity !== null) put(this.#byIdentity, member.identity.id, member)
  }
  /** Out of everything, at once. Idempotent. */
  remove(member: Member): void {
    if (!this.#byId.delete(member.id)) return
    if (member.identity !== null) take(this.#byIdentity, member.identity.id, member)
    for (const topic of member.joined) take(this.#byTopic, topic, member)
    member.joined.clear()
  }
  /** Its identity has been renewed: called between taking the old one and setting the new one. */
  moveIdentity(member: Member, from: string | null, to: string | null): void {
    if (from === to || !this.#byId.has(member.id)) return
    if (from !== null) take(this.#byIdentity, from, member)
    if (to !== null) put(this.#byIdentity, to, member)
  }
  join(member: Member, topic: string): void {
    if (!this.#byId.has(member.id)) return
    member.joined.add(topic)
    put(this.#byTopic, topic, member)
  }
  leave(member: Member, topic: string): void {
    if (member.joined.delete(topic)) take(this.#byTopic, topic, member)
  }

  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): void {
    this.send(this.prepare({ kind: 'topic', topic }, event, data))
  }
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): void {
    this.send(this.prepare({ kind: 'all' }, event, data))
  }
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): void {
    this.send(this.prepare({ kind: 'identity', identityId }, event, data))
  }

  /** Makes what will leave, now: data that does not fit fails here, and a later change of it is not seen. */
  prepare(audience: Audience, event: AnyEvent, data: unknown): Publication {
    const { findEvent, findTopicRule, hasIdentities } = this.#options
    const compiled = findEvent(event)
    if (compiled === undefined) throw unknownEvent(event)
    if (audience.kind === 'topic' && findTopicRule(audience.topic) === null)
      throw new Error(
        `No rule of the app names the topic '${audience.topic}', so no connection can have joined it: add one to createApp({ topics })`,
      )
    if (audience.kind === 'identity' && !hasIdentities())
      throw new Error(
        'No plugin says who calls, so no connection has an identity that an event could be sent to: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does',
      )
    try {
      return { audience, pkgId: compiled.pkgId, data: compiled.toData(data) }
    } catch (error) {
      this.#options.onError(error)
      throw error
    }
  }
  send(publication: Publication): void {
    this.#told = false
    try {
      const result: unknown = this.#options.broker.publish(publication)
      if (isPromise(result)) result.then(undefined, this.#options.onLateError)
    } catch (error) {
      if (!this.#told) this.#options.onError(error)
      throw error
    }
  }

  #deliver(publication: Publication): void {
    const { audience } = publication
    const members =
      audience.kind === 'topic'
        ? this.#byTopic.get(audience.topic)
        : audience.kind === 'identity'
          ? this.#byIdentity.get(audience.identityId)
          : this.#byId.values()
    if (members === undefined) return
    try {
      deliverTo(members, publication)
    } catch (error) {
      this.#told = true
      this.#options.onError(error)
      throw error
    }
  }
}

function unknownEvent(event: AnyEvent): Error {
  if (event?.kind !== 'event') return new Error('What is published was not made by event(…)')
  const name = event.summary === '' ? 'This event' : `The event '${event.summary}'`
  return new Error(`${name} is not in the app's events: add it to createApp({ events }) under its PkgID`)
}

function put(sets: Map<string, Set<Member>>, key: string, member: Member): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([member]))
  else set.add(member)
}

function take(sets: Map<string, Set<Member>>, key: string, member: Member): void {
  const set = sets.get(key)
  if (set?.delete(member) && set.size === 0) sets.delete(key)
}
