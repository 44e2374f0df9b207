import { randomUUID } from 'node:crypto'
import process from 'node:process'
import type { Logger } from '@twinwire/core'
import { Instruments, type Operations, systemClock } from '@twinwire/core/plugin'
import { createTestLogger } from '@twinwire/core/testing'
import type {
  Broker,
  BrokerNode,
  ControlMessage,
  Position,
  PresenceChange,
  Publication,
  Stream,
  StreamHistory,
} from '@twinwire/core/transport'

/** What a node was told, in order. */
export type NodeEvent =
  | { readonly kind: 'delivered'; readonly publication: Publication; readonly position: Position | null }
  | { readonly kind: 'gap'; readonly stream: Stream; readonly position: Position | null }

/** A broker that runs, and what it told its node. */
export interface TestNode {
  readonly broker: Broker
  readonly id: string
  readonly events: NodeEvent[]
  readonly control: ControlMessage[]
  readonly presence: PresenceChange[]
  /** `data` of the publications of a topic, in order. */
  received(topic: string): unknown[]
  gaps(): number
  /** Of a counter or a gauge. */
  counted(name: string, result?: string): number | undefined
  publish(topic: string, data: unknown, history?: StreamHistory, key?: string | null): Promise<Position | null>
  subscribe(topic: string, history?: StreamHistory): Promise<Position | null>
}

export const onTopic = (topic: string): Stream => ({ kind: 'topic', topic })

export async function startNode(
  broker: Broker,
  options: {
    publishesOnly?: boolean
    deliver?: (publication: Publication) => void
    log?: Logger
    operations?: Operations
  } = {},
): Promise<TestNode> {
  const events: NodeEvent[] = []
  const control: ControlMessage[] = []
  const presence: PresenceChange[] = []
  const instruments = new Instruments()
  const id = randomUUID()
  const node: BrokerNode = {
    info: { id, startedAt: Date.now(), hostname: 'test', pid: process.pid },
    clock: systemClock,
    log: options.log ?? createTestLogger(),
    instruments,
    operations: options.operations,
    publishesOnly: options.publishesOnly ?? false,
    deliver(publication, position) {
      events.push({ kind: 'delivered', publication, position })
      options.deliver?.(publication)
    },
    gap: (stream, position) => void events.push({ kind: 'gap', stream, position }),
    control: (message) => void control.push(message),
    presence: (change) => void presence.push(change),
  }
  await broker.start(node)
  return {
    broker,
    id,
    events,
    control,
    presence,
    received: (topic) =>
      events.flatMap((each) =>
        each.kind === 'delivered' &&
        each.publication.audience.kind === 'topic' &&
        each.publication.audience.topic === topic
          ? [each.publication.data]
          : [],
      ),
    gaps: () => events.filter(({ kind }) => kind === 'gap').length,
    counted(name, result) {
      const family = instruments.families().find((each) => each.name === name)
      const cell = family?.cells.find(({ labels }) => labels.result === result)?.cell
      return cell !== undefined && 'value' in cell ? cell.value : undefined
    },
    publish: async (topic, data, history, key = null) =>
      await broker.publish({ audience: { kind: 'topic', topic }, pkgId: 100, data, cause: null }, history, key),
    subscribe: async (topic, history) => await broker.subscribe(onTopic(topic), history),
  }
}
