import type { DropListener } from '../base/drop-safe.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { AnyEvent, EventData } from '../call/event.ts'
import type { Audience, Publication } from '../call/publication.ts'
import { Audiences } from './audiences.ts'
import { bootStep } from './boot-step.ts'
import type { Broker, BrokerNode, Member, MemberPage, NodeInfo, Position, Stream, StreamHistory } from './broker.ts'
import type { Connection, HubConnection } from './connection.ts'
import { toSerial } from './connection-id.ts'
import { type HubControl, NodeControl } from './control.ts'
import type { CloseReason, DisconnectTarget } from './disconnect-target.ts'
import type { Subscribed } from './entrant.ts'
import { createHubInstruments, type HubInstruments } from './hub-instruments.ts'
import type { LatestOptions } from './latest-frames.ts'
import { type PrepareOptions, preparePublication } from './prepare-publication.ts'
import { type HubPresence, type PresenceOptions, PresenceReader } from './presence.ts'
import { PresenceTable } from './presence-table.ts'
import { Publishing } from './publishing.ts'
import { endSlow, type FanOut } from './receivers.ts'
import { ownStreams, streamName } from './stream-key.ts'
import { Streams } from './streams.ts'
import { type StreamRule, Subscriptions } from './subscriptions.ts'

interface HubOptions
  extends Omit<FanOut, 'nextTopic'>,
    PrepareOptions,
    Pick<LatestOptions, 'keyOf'>,
    Pick<BrokerNode, 'clock' | 'log' | 'instruments' | 'operations'> {
  readonly broker: Broker
  readonly node: NodeInfo
  /** A promise that the broker returned has rejected. */
  readonly onLateError: (error: unknown) => void
  readonly rejections: DropListener
}

/** The connections of this process, for code outside a call, and what is done on all nodes: WebSockets, and clients of server-sent events. */
export interface Hub extends HubControl, HubPresence {
  /**
   * Publishes to a topic. Undefined once a broker that answers at once, such as `memoryBroker`, has delivered it; else a promise that rejects if
   * the broker did not take it, which may be dropped. Throws for an event or a topic that the app does not declare, and for data that does not fit.
   *
   * @example
   * await app.hub.publish('author:7', authorRenamed, { id: 7, name: 'Ann' })
   */
  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): MaybePromise<void>
  /** Publishes to all WebSockets. Results and errors as of `publish`. */
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): MaybePromise<void>
  /** Publishes to all WebSockets of one identity. Results and errors as of `publish`. */
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): MaybePromise<void>
  /** Number of admitted connections. */
  readonly size: number
  get(connectionId: string): Connection | undefined
  /** All connections of one identity. */
  ofIdentity(identityId: string): readonly Connection[]
  /** Number of connections that have joined `topic`. */
  topicSize(topic: string): number
}

/** The admitted connections of this process, by id, by identity and by topic, and the streams that this node receives for them. */
export class ConnectionHub implements Hub {
  readonly control: NodeControl
  /** Who of this node is joined to topics with presence. */
  readonly presences: PresenceTable
  readonly publishing: Publishing
  readonly #options: HubOptions
  readonly #presence: PresenceReader
  readonly #bySerial = new Map<number, HubConnection>()
  /** Of server-sent events: too few calls look for those of an identity to keep them by it. */
  readonly #readers = new Set<HubConnection>()
  readonly #audiences: Audiences
  readonly #streams: Streams
  readonly #subscriptions: Subscriptions
  readonly #counted: HubInstruments

  constructor(options: HubOptions) {
    const { broker, clock, log, maxBackpressureBytes, onError, topics: rules } = options
    this.#options = options
    this.#counted = createHubInstruments(options.instruments)
    this.control = new NodeControl(options, { find: (target) => this.#find(target) })
    this.presences = new PresenceTable({ broker, clock, log, ruleOf: (topic) => rules.find(topic) })
    this.#presence = new PresenceReader({ ...options, presences: this.presences })
    let topics = 0
    const latest = { ...options, replaced: this.#counted.replaced }
    this.#audiences = new Audiences({ ...options, nextTopic: () => String(++topics) }, this.#bySerial, latest)
    const historyOf = (stream: Stream): StreamHistory => this.#historyOf(stream)
    this.publishing = new Publishing({ ...options, historyOf, counted: this.#counted })
    this.#streams = new Streams({
      broker,
      clock,
      log,
      historyOf,
      hasConnections: (identityId) => this.#audiences.ofIdentity(identityId).size > 0,
    })
    this.#subscriptions = new Subscriptions({
      broker,
      streams: this.#streams,
      audiences: this.#audiences,
      isAdmitted: ({ serial }) => this.#bySerial.has(serial),
      maxBackpressureBytes,
      onError,
      onJoined: (connection, topic) => this.presences.joined(connection, topic),
      onLeft: (connection, topic) => this.presences.left(connection, topic),
    })
    this.#counted.subscriptions.readFrom(() => this.#streams.members)
    this.#counted.presenceMembers.readFrom(() => this.presences.size)
  }

  /** The app boots: the node receives from here on. */
  async start(): Promise<void> {
    const { broker, node: info, clock, log, instruments, operations } = this.#options
    const services = { clock, log, instruments, operations }
    await bootStep(broker, () =>
      broker.start({
        info,
        ...services,
        deliver: (publication, position) => this.#deliver(publication, position),
        gap: (stream, position) => this.#gap(stream, position),
        control: (message) => this.control.receive(message),
        presence: (change) => this.presences.changed(change),
      }),
    )
    this.publishing.isOpen = true
    await bootStep(broker, () => this.#streams.start())
    this.control.start()
  }
  /** What other nodes have to know is sent. Called before `close`, with a time limit. */
  async flush(): Promise<void> {
    await Promise.all([this.control.sender.flush(), this.presences.flush()])
  }
  /** After the drain. */
  close(): MaybePromise<void> {
    this.#streams.close()
    this.control.close()
    this.presences.close()
    return this.#options.broker.close()
  }

  get size(): number {
    return this.#bySerial.size
  }
  get(connectionId: string): Connection | undefined {
    return this.#bySerial.get(toSerial(connectionId))
  }
  ofIdentity(identityId: string): readonly Connection[] {
    return this.#find({ identity: identityId })
  }
  topicSize(topic: string): number {
    return this.#audiences.topicSize(topic) + (this.#streams.find({ kind: 'topic', topic })?.pausedMembers ?? 0)
  }

  disconnect(target: DisconnectTarget, row?: CloseReason): Promise<void> {
    return this.control.disconnect(target, row)
  }
  refresh(identityId: string): Promise<void> {
    return this.control.refresh(identityId)
  }
  nodes(): Promise<readonly NodeInfo[]> {
    return this.control.nodes()
  }
  presence(topic: string, options?: PresenceOptions): Promise<MemberPage> {
    return this.#presence.presence(topic, options)
  }
  members(topic: string): AsyncIterableIterator<Member> {
    return this.#presence.members(topic)
  }

  add(connection: HubConnection): void {
    this.#bySerial.set(connection.serial, connection)
    if (connection.wire === 'http') this.#readers.add(connection)
    else if (this.#audiences.add(connection)) this.#keepIdentity(connection.identity?.id ?? null)
  }
  /** The client has taken some of what was queued for it. */
  drained(connection: HubConnection): void {
    this.#audiences.drained(connection)
  }
  /** Idempotent. */
  remove(connection: HubConnection): void {
    if (!this.#bySerial.delete(connection.serial)) return
    for (const topic of connection.topics) this.leave(connection, topic)
    if (this.isOptedIn(connection)) for (const stream of ownStreams(connection)) this.leaveStream(connection, stream)
    const identityId = connection.identity?.id ?? null
    this.#readers.delete(connection)
    if (this.#audiences.remove(connection)) this.#unkeepIdentity(identityId)
  }
  /** The identity of a connection has been renewed. */
  moveIdentity(connection: HubConnection, from: string | null, to: string | null): void {
    if (from === to || !this.#bySerial.has(connection.serial)) return
    const { first, last } = this.#audiences.moveIdentity(connection, from, to)
    if (first) this.#keepIdentity(to)
    if (from !== null && this.#subscriptions.leave(connection, { kind: 'identity', identityId: from }))
      connection.sendControl({ type: 'unsubscribed', topic: '@me', code: 'permission_denied' })
    if (last) this.#unkeepIdentity(from)
  }

  /** Resolves when the node receives the topic. Rejects with an UnavailableError when the broker cannot promise that. */
  join(connection: HubConnection, topic: string): MaybePromise<void> {
    return this.#subscriptions.join(connection, topic)
  }
  leave(connection: HubConnection, topic: string): void {
    this.#subscriptions.leave(connection, { kind: 'topic', topic })
  }
  /**
   * The connection receives the stream, with `meta`. `answer` is called once: after the last publication up to its position, before the first one that
   * follows. It is not called when the connection has closed meanwhile.
   *
   * Rejects with an UnavailableError when the broker does not answer, and a ConflictError when the stream was left meanwhile.
   *
   * @param rule - Of its topic; null for `@me` and `@all`.
   * @param since - The last position that the client knows; null without one.
   */
  subscribe(
    connection: HubConnection,
    stream: Stream,
    rule: StreamRule | null,
    since: Position | null,
    answer: (result: Subscribed) => void,
  ): MaybePromise<void> {
    return this.#subscriptions.subscribe(connection, stream, rule, since, (result) => {
      this.#counted.answered(since, result.recovered)
      answer(result)
    })
  }
  /** The end of `subscribe`, of any stream. Publications to its identity and to all still reach the connection. */
  leaveStream(connection: HubConnection, stream: Stream): void {
    this.#subscriptions.leave(connection, stream)
  }
  /** It has sent `subscribe`. */
  isOptedIn(connection: HubConnection): boolean {
    return this.#audiences.isOptedIn(connection)
  }

  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): MaybePromise<void> {
    return this.publishing.publish('hub.publish', this.prepare({ kind: 'topic', topic }, event, data))
  }
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): MaybePromise<void> {
    return this.publishing.publish('hub.broadcast', this.prepare({ kind: 'all' }, event, data))
  }
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): MaybePromise<void> {
    return this.publishing.publish('hub.sendTo', this.prepare({ kind: 'identity', identityId }, event, data))
  }

  /** Projects the data at once: data that does not fit throws here, and later changes of it have no effect. */
  prepare(audience: Audience, event: AnyEvent, data: unknown, cause: string | null = null): Publication {
    return preparePublication(this.#options, audience, event, data, cause)
  }
  /** For a call. */
  send(publication: Publication): void {
    this.publishing.send(publication)
  }

  /** What the rule of a topic says; of other streams the broker decides. */
  #historyOf(stream: Stream): StreamHistory {
    return stream.kind === 'topic' ? this.#options.topics.find(stream.topic)?.history : undefined
  }

  #keepIdentity(identityId: string | null): void {
    if (identityId !== null && !this.#options.broker.oneProcess) this.#streams.keep({ kind: 'identity', identityId })
  }
  #unkeepIdentity(identityId: string | null): void {
    if (identityId !== null) this.#streams.unkeep({ kind: 'identity', identityId })
  }

  #find(target: DisconnectTarget): readonly HubConnection[] {
    if ('connection' in target) return [this.#bySerial.get(toSerial(target.connection)) ?? []].flat()
    if ('identity' in target)
      return [...this.#readers]
        .filter(({ identity }) => identity?.id === target.identity)
        .concat(...this.#audiences.ofIdentity(target.identity))
    return [...this.#bySerial.values()].filter(({ identity }) => identity?.sessionId === target.session)
  }

  #deliver(publication: Publication, position: Position | null): void {
    this.#counted.delivered.inc()
    const slow: HubConnection[] = []
    const node = this.#streams.advance(publication.audience, position)
    if (node !== null && position !== null) this.#subscriptions.beforeDelivery(node, { publication, position })
    try {
      this.#audiences.send(publication, position, slow)
    } catch (error) {
      this.publishing.isReported = true
      this.#options.onError(error)
      throw error
    } finally {
      if (node !== null) this.#subscriptions.afterDelivery(node)
      endSlow(slow)
    }
  }

  #gap(stream: Stream, position: Position | null): void {
    this.#counted.gaps.inc()
    const node = this.#streams.find(stream)
    node?.jump(position)
    if (node !== null) this.#subscriptions.beforeGap(node)
    const slow: HubConnection[] = []
    this.#audiences.sendText(stream, { type: 'gap', topic: streamName(stream), ...position }, slow)
    if (node !== null) this.#subscriptions.afterGap(node)
    endSlow(slow)
  }
}
