import type { Clock } from '../base/clock.ts'
import type { DoctorHost } from '../base/doctor.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Operations } from '../base/operations.ts'
import type { Audience, Publication } from '../call/publication.ts'

/** The ordered publications of one audience; two of equal content are the same stream. */
export type Stream = Audience

/** A place in a stream. */
export interface Position {
  /** Changes whenever the past of the stream may have been lost. */
  readonly epoch: string
  /** Of the last publication before this place: they count from 1 without holes; 0 before the first. */
  readonly offset: number
}

/** How much of a stream is kept, so that a connection that comes back gets what it missed. */
export interface HistoryLimits {
  /** Publications; at least 1. */
  readonly size: number
  /** Milliseconds since the last publication of the stream; at least 1. */
  readonly ttlMs: number
}

/** What is kept of a stream: what its topic's rule says. False: no history and no positions. Undefined: the broker's default. */
export type StreamHistory = HistoryLimits | false | undefined

/** A publication with its place. */
export interface Entry {
  readonly publication: Publication
  readonly position: Position
}

/** Part of a stream. */
export interface HistoryPage {
  /** Those after `since`, in order. Empty if they are not all there. */
  readonly entries: readonly Entry[]
  /** Of the last publication of the stream. */
  readonly position: Position
  /** `entries` are all publications between `since` and `position`. False for a `since` of another epoch, from the future, or trimmed. */
  readonly complete: boolean
}

/** A connection that has joined a topic with presence. */
export interface Member {
  /** The id of the connection. */
  readonly connection: string
  /** The id of its identity; null without one. */
  readonly identity: string | null
  /** JSON: what the topic's rule says about it; null if it says nothing. */
  readonly info: unknown
}

export interface MemberPage {
  readonly members: readonly Member[]
  /** For the next page; null on the last one. */
  readonly cursor: string | null
}

export interface PresenceChange {
  readonly topic: string
  readonly kind: 'joined' | 'left'
  readonly member: Member
}

/** What nodes say to one another. */
export interface ControlMessage {
  /** Of core: `disconnect`, `refresh`. Of a plugin: `plugin:<name>`. */
  readonly type: string
  /** JSON. */
  readonly data: unknown
}

/** One process of an app. */
export interface NodeInfo {
  /** Another one for each start. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly hostname: string
  readonly pid: number
}

/** What a broker gets from the app at its start: who it works for, and where it delivers. No method throws except `deliver`. */
export interface BrokerNode {
  readonly info: NodeInfo
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  /** Where a broker reports what it sends to a server: see `host.operations`. Left out: nothing is traced. */
  readonly operations?: Operations | undefined
  /**
   * A script or job that only publishes: of `start`, `publish` and `close` alone. It receives nothing, is not among `nodes`, and gets
   * no lease. Default false.
   */
  readonly publishesOnly?: boolean
  /**
   * The next publication of a stream that the node subscribes to: in order, without a hole, none twice. `position` is null for a stream
   * without history. An error that it throws must not keep the broker from delivering what follows; a broker that delivers inside of
   * `publish` throws it on.
   */
  deliver(publication: Publication, position: Position | null): void
  /** Publications of a stream that the node subscribes to may have been lost. It goes on after `position`; null without history. */
  gap(stream: Stream, position: Position | null): void
  /** A message of another node, or of this one. */
  control(message: ControlMessage): void
  /** A member has joined or left a topic that the node subscribes to, on any node. */
  presence(change: PresenceChange): void
}

/**
 * Connects the processes of an app. One that answers at once, without a promise, keeps what is synchronous synchronous. A custom broker must
 * pass `brokerSuite` of `@twinwire/core/testing`.
 */
export interface Broker {
  /** `memory`, `redis`: for logs and the doctor. */
  readonly name: string
  /**
   * It reaches this process alone, and delivers what is published whether the stream was subscribed to or not. In production it is refused in a worker
   * of a cluster.
   */
  readonly oneProcess: boolean
  /**
   * Called once, by `app.ready()`. Resolves when the node receives; until then it has opened nothing. Rejects with one sentence that says what to
   * change, and fails the boot.
   */
  start(node: BrokerNode): MaybePromise<void>
  /** After the drain. What was accepted is sent first. Idempotent. */
  close(): MaybePromise<void>
  /**
   * The position, or null for a stream without history. Rejects or throws when the broker did not take it. In each stream the publications of one
   * process are in the order of its calls.
   *
   * @param key - Of this publication alone: a broker that gets a key again does not publish again. Null: the broker makes one.
   */
  publish(publication: Publication, history: StreamHistory, key: string | null): MaybePromise<Position | null>
  /**
   * Throws what `publish` would fail with whenever it is called, because the publication is larger than the broker takes: for one that is stored now and
   * published later. Must not wait for anything. Left out: it takes all.
   */
  check?(publication: Publication, history: StreamHistory): void
  /**
   * From now on the node receives the stream. Resolves with the position after which `deliver` goes on; null for a stream without history.
   * The hub calls it once until it has called `unsubscribe`. Rejects when that cannot be promised now; the node then does not subscribe.
   */
  subscribe(stream: Stream, history: StreamHistory): MaybePromise<Position | null>
  /** Also while `subscribe` is pending. Never throws. */
  unsubscribe(stream: Stream): void
  /**
   * At most `limit` publications after `since`; with more the page is not complete. Without `since`, the position alone. Null for a stream
   * without history.
   */
  history(
    stream: Stream,
    history: StreamHistory,
    since: Position | null,
    limit: number,
  ): MaybePromise<HistoryPage | null>
  /**
   * The member belongs to this node: it ends with `leave`, or when the node has ended. Replaces that of the same connection. Must settle: until it
   * does, this node's first pages of the topic wait.
   */
  join(topic: string, member: Member): MaybePromise<void>
  leave(topic: string, member: Member): MaybePromise<void>
  /** Over all nodes that live. `cursor` of the page before; null for the first. A cursor that it did not make is the first page. */
  presence(topic: string, cursor: string | null, limit: number): MaybePromise<MemberPage>
  /**
   * To every node, this one included. With `keepMs`, also to those that are cut off now, and to those that start within that time; each gets it
   * at least once. Rejects when the broker did not take it.
   */
  control(message: ControlMessage, keepMs: number): MaybePromise<void>
  /** The nodes that live, this one included. */
  nodes(): MaybePromise<readonly NodeInfo[]>
  /**
   * Takes or renews for this node what only one node of the app may hold; resolves with whether this node holds it, for `ttlMs` from then on. Two nodes
   * never hold it at once, unless the broker has lost its data. For tasks with `onOneNode`; left out: the broker has no such leases.
   */
  lease?(name: string, ttlMs: number): MaybePromise<boolean>
  /** Gives up what this node holds; does nothing otherwise. */
  release?(name: string): MaybePromise<void>
  /** For `GET /health/ready`: resolves while the node receives; throws or rejects with the reason otherwise. Left out: always. */
  health?(): MaybePromise<void>
  /** Adds checks to `app.doctor()`, as `doctor` of a plugin does. Runs in any state of the app, and must not connect to anything. */
  doctor?(host: DoctorHost): void
}
