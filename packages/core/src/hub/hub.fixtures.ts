import { Instruments } from '../base/instruments.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Identity } from '../call/identity.ts'
import type { Publication } from '../call/publication.ts'
import type { Codec } from '../protocol/codec.ts'
import { jsonCodec } from '../protocol/json-codec.ts'
import { createTestLogger, type TestLogger } from '../testing/test-logger.ts'
import { createVirtualClock, type VirtualClock } from '../testing/virtual-clock.ts'
import type { Broker, Position, Stream } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { nextSerial } from './connection-id.ts'
import type { Subscribed } from './entrant.ts'
import { ConnectionHub } from './hub.ts'
import { createNodeInfo } from './node-info.ts'
import type { StreamRule } from './subscriptions.ts'
import { TopicTable } from './topic.ts'

export interface TestHub {
  readonly hub: ConnectionHub
  readonly clock: VirtualClock
  readonly log: TestLogger
  readonly errors: unknown[]
}

/** A hub without an app. */
export async function startHub(broker: Broker, maxBackpressureBytes: number = 40_000): Promise<TestHub> {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const errors: unknown[] = []
  const topics = new TopicTable()
  topics.add({ '*': { authorize: () => true } }, 'The test')
  const hub = new ConnectionHub({
    broker,
    node: createNodeInfo(clock),
    clock,
    log,
    instruments: new Instruments(),
    topics,
    hasIdentities: () => true,
    findEvent: () => ({ pkgId: 1, toData: (data) => data, answer: null }),
    onError: (error) => errors.push(error),
    onLateError: (error) => errors.push(error),
    rejections: { dropped: (error) => errors.push(error) },
    transport: { publish: () => {}, acceptedBytes: 0 },
    maxBackpressureBytes,
    onPublished: () => {},
    keyOf: () => null,
  })
  await hub.start()
  return { hub, clock, log, errors }
}

export const onTopic: Stream = { kind: 'topic', topic: 'a' }
export const resumable: StreamRule = { history: undefined, resume: true }

export function publicationOf(data: unknown, audience: Stream = onTopic): Publication {
  return { audience, pkgId: 1, data, cause: null }
}

/** An admitted connection without a socket. `got` has the data of events, the answers of subscriptions, and control frames. */
export class TestConnection implements HubConnection {
  readonly codec: Codec = jsonCodec
  readonly serial: number = nextSerial()
  readonly id: string = String(this.serial)
  readonly wire = 'ws'
  readonly socket = null
  readonly joined: Set<string> = new Set()
  readonly address = ''
  readonly headers = {}
  readonly traceparent = null
  readonly query = {}
  readonly connectedAt = 0
  readonly maxMessageBytes = 0
  readonly inFlight = 0
  readonly bufferedBytes = 0
  /** As sent. */
  readonly frames: string[] = []
  readonly got: unknown[] = []
  identity: Identity | null
  admitted = true
  /** So many frames are accepted. */
  accepts: number = Number.POSITIVE_INFINITY
  readonly #hub: ConnectionHub

  constructor(hub: ConnectionHub, identityId: string | null = null) {
    this.#hub = hub
    this.identity = identityId === null ? null : { id: identityId, name: identityId }
    hub.add(this)
  }

  get isOptedIn(): boolean {
    return this.#hub.isOptedIn(this)
  }
  get topics(): readonly string[] {
    return [...this.joined]
  }

  subscribe(
    since: Position | null = null,
    stream: Stream = onTopic,
    rule: StreamRule | null = resumable,
  ): MaybePromise<void> {
    return this.#hub.subscribe(this, stream, rule, since, (result: Subscribed) => this.got.push(result))
  }

  deliver(data: Uint8Array): boolean {
    if (this.frames.length >= this.accepts) {
      this.admitted = false
      this.#hub.remove(this)
      return false
    }
    const text = Buffer.from(data).toString()
    this.frames.push(text)
    const frame = JSON.parse(text)
    this.got.push('type' in frame ? frame : frame.data)
    return true
  }
  sendControl(frame: object): void {
    this.deliver(Buffer.from(JSON.stringify(frame)))
  }
  join(topic: string): Promise<void> {
    return Promise.resolve(this.#hub.join(this, topic))
  }
  leave(topic: string): void {
    this.#hub.leave(this, topic)
  }
  ask(): Promise<never> {
    return Promise.reject(new Error('only routes call it'))
  }
  reauthorize(): void {}
  close(): void {
    this.admitted = false
    this.#hub.remove(this)
  }
  end(): void {
    this.close()
  }
}
