import * as v from 'valibot'
import type { Clock } from '../../base/clock.ts'
import { Instruments } from '../../base/instruments.ts'
import type { EventDefinition } from '../../call/event.ts'
import { event, type Identity } from '../../index.ts'
import type { Codec } from '../../protocol/codec.ts'
import { jsonCodec } from '../../protocol/json-codec.ts'
import { createTestLogger } from '../../testing/test-logger.ts'
import type { Broker, Position, Stream } from '../broker.ts'
import type { HubConnection } from '../connection.ts'
import { nextSerial } from '../connection-id.ts'
import { ConnectionHub } from '../hub.ts'
import { createNodeInfo } from '../node-info.ts'
import { streamKey } from '../stream-key.ts'
import { TopicTable } from '../topic.ts'
import type { Seen } from './order-checker.fixtures.ts'

interface Said {
  readonly n: number
  readonly stream: string
}

export const said: EventDefinition<Said, Said> = event({ data: v.object({ n: v.number(), stream: v.string() }) })

/** A node without an app: hub and broker. */
export class ModelNode<B extends Broker = Broker> {
  readonly broker: B
  readonly hub: ConnectionHub
  readonly connections: Set<ModelConnection> = new Set()
  readonly errors: unknown[] = []
  isAlive = true

  constructor(broker: B, clock: Clock) {
    this.broker = broker
    const topics = new TopicTable()
    topics.add({ '*': { authorize: () => true } }, 'The app')
    this.hub = new ConnectionHub({
      broker: this.#watched(broker),
      node: createNodeInfo(clock),
      clock,
      log: createTestLogger(),
      instruments: new Instruments(),
      topics,
      hasIdentities: () => true,
      findEvent: () => ({ pkgId: 1, toData: (data) => data, answer: null }),
      keyOf: () => null,
      onError: (error) => this.errors.push(error),
      onLateError: () => {},
      rejections: { dropped: (error) => this.errors.push(error) },
      transport: { publish: () => 0, acceptedBytes: 0 },
      // So small that each connection is sent to by itself: there is no transport.
      maxBackpressureBytes: 40 * 1024,
      onPublished: () => {},
    })
  }

  start(): Promise<void> {
    return this.hub.start()
  }

  /** Its broker, which tells the connections of a gap before the hub learns of it. */
  #watched(broker: Broker): Broker {
    return {
      name: broker.name,
      oneProcess: false,
      start: (node) =>
        broker.start({
          ...node,
          gap: (stream, position) => {
            for (const connection of this.connections)
              connection.note({ kind: 'node-gap', stream: streamKey(stream), optedIn: connection.isOptedIn })
            node.gap(stream, position)
          },
        }),
      close: () => broker.close(),
      publish: (...args) => broker.publish(...args),
      subscribe: (...args) => broker.subscribe(...args),
      unsubscribe: (stream) => broker.unsubscribe(stream),
      history: (...args) => broker.history(...args),
      join: (...args) => broker.join(...args),
      leave: (...args) => broker.leave(...args),
      presence: (...args) => broker.presence(...args),
      control: (...args) => broker.control(...args),
      nodes: () => broker.nodes(),
    }
  }
}

/** A connection without a socket, and all that happened to it. */
export class ModelConnection implements HubConnection {
  readonly codec: Codec = jsonCodec
  readonly serial: number = nextSerial()
  readonly id: string = `c${this.serial}`
  readonly identity: Identity
  readonly traceparent = null
  readonly wire = 'ws'
  readonly socket = null
  readonly joined: Set<string> = new Set()
  readonly address = ''
  readonly headers = {}
  readonly query = {}
  readonly connectedAt = 0
  readonly maxMessageBytes = 0
  readonly inFlight = 0
  readonly bufferedBytes = 0
  readonly seen: Seen[] = []
  admitted = true
  readonly #node: ModelNode
  readonly #head: (stream: string) => Position | null

  constructor(node: ModelNode, identityId: string, head: (stream: string) => Position | null) {
    this.#node = node
    this.#head = head
    this.identity = { id: identityId, name: identityId }
  }

  get isOptedIn(): boolean {
    return this.#node.hub.isOptedIn(this)
  }
  get topics(): readonly string[] {
    return [...this.joined]
  }

  note(seen: Seen): void {
    this.seen.push(seen)
  }

  keyOf(name: string): string {
    if (name === '@me') return streamKey({ kind: 'identity', identityId: this.identity.id })
    return name === '@all' ? '*' : streamKey({ kind: 'topic', topic: name })
  }

  deliver(data: Uint8Array): boolean {
    const frame = JSON.parse(Buffer.from(data).toString())
    const { type, topic, epoch, offset, meta } = frame
    const position = (from: { epoch?: string; offset?: number }): Position | null =>
      from.epoch === undefined || from.offset === undefined ? null : { epoch: from.epoch, offset: from.offset }
    if (type === 'gap') {
      const stream = this.keyOf(topic)
      this.note({ kind: 'gap', stream, position: position({ epoch, offset }), head: this.#head(stream) })
      return true
    }
    const { n, stream } = frame.data
    if ((meta !== undefined) !== this.isOptedIn) throw new Error(`meta ${meta} of one that opted in: ${this.isOptedIn}`)
    if (meta !== undefined && this.keyOf(meta.topic) !== stream) throw new Error(`${stream} came as ${meta.topic}`)
    this.note({ kind: 'event', stream, n, meta: meta === undefined ? null : position(meta) })
    return true
  }

  sendControl(): void {}
  join(): Promise<void> {
    return Promise.reject(new Error('only routes call it'))
  }
  ask(): Promise<never> {
    return Promise.reject(new Error('only routes call it'))
  }
  leave(): void {}
  reauthorize(): void {}
  close(): void {
    this.end()
  }
  end(): void {
    this.admitted = false
    this.#node.hub.remove(this)
    this.#node.connections.delete(this)
  }
}

export function streamOf(key: string): Stream {
  if (key === '*') return { kind: 'all' }
  return key.startsWith('@') ? { kind: 'identity', identityId: key.slice(1) } : { kind: 'topic', topic: key.slice(1) }
}
