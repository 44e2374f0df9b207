import { randomUUID } from 'node:crypto'
import { systemClock } from '../../../base/clock.ts'
import { Instruments } from '../../../base/instruments.ts'
import type { MaybePromise } from '../../../base/maybe-promise.ts'
import type { Publication } from '../../../call/publication.ts'
import type {
  Broker,
  BrokerNode,
  ControlMessage,
  NodeInfo,
  Position,
  PresenceChange,
  Stream,
  StreamHistory,
} from '../../../hub/broker.ts'
import { createNodeInfo } from '../../../hub/node-info.ts'
import { createTestLogger } from '../../test-logger.ts'
import type { TestRunner } from '../../test-runner.ts'
import { eventually } from '../helpers.ts'

/** The broker that a suite tests. */
export interface BrokerSubject {
  /**
   * A new broker, as one process has it. Those of one test belong to one app: what one publishes, each delivers. A publication of an
   * earlier test must not reach them.
   */
  createBroker(): MaybePromise<Broker>
  /** After a test, once the suite has closed the broker. */
  closeBroker?(broker: Broker): MaybePromise<void>
  /** The broker serves an app of one process, as `memoryBroker` does: tests with two are left out. Default false. */
  readonly oneProcess?: boolean
}

/** A publication with its place, as a process delivered it. */
export interface Delivery {
  readonly publication: Publication
  readonly position: Position | null
}

/** One process of an app: its broker, and what the broker gave to it. */
export interface Process {
  readonly broker: Broker
  readonly info: NodeInfo
  readonly delivered: Delivery[]
  readonly gaps: { readonly stream: Stream; readonly position: Position | null }[]
  readonly messages: ControlMessage[]
  readonly changes: PresenceChange[]
}

/** What the tests of a suite share. */
export interface BrokerTests {
  readonly runner: TestRunner
  readonly subject: BrokerSubject
  start(deliver?: (publication: Publication) => void): Promise<Process>
  /** Waits for that many publications, and long enough to see one too many. */
  expectCount(process: Process, count: number): Promise<void>
}

/** Kept as long as a test needs it. */
export const kept: StreamHistory = { size: 100, ttlMs: 60_000 }

export function newTopic(name: string = ''): Stream & { readonly kind: 'topic' } {
  return { kind: 'topic', topic: `${name}${randomUUID()}` }
}

export function publicationTo(audience: Stream, data: unknown): Publication {
  return { audience, pkgId: 100, data, cause: null }
}

export const dataOf = ({ delivered }: Process): readonly unknown[] =>
  delivered.map(({ publication }) => publication.data)

/** Of one stream, whatever else was delivered. */
export function offsetsOf({ delivered }: Process, { topic }: { readonly topic: string }): readonly (number | null)[] {
  return delivered
    .filter(({ publication: { audience } }) => audience.kind === 'topic' && audience.topic === topic)
    .map(({ position }) => position?.offset ?? null)
}

export function createBrokerTests(runner: TestRunner, subject: BrokerSubject): BrokerTests {
  const running: Broker[] = []

  runner.afterEach(async () => {
    for (const broker of running.splice(0)) {
      await broker.close()
      await subject.closeBroker?.(broker)
    }
  })

  return {
    runner,
    subject,
    async start(deliver = () => {}) {
      const broker = await subject.createBroker()
      running.push(broker)
      const info = createNodeInfo(systemClock)
      const process: Process = { broker, info, delivered: [], gaps: [], messages: [], changes: [] }
      const node: BrokerNode = {
        info,
        clock: systemClock,
        log: createTestLogger(),
        instruments: new Instruments(),
        deliver(publication, position) {
          process.delivered.push({ publication, position })
          deliver(publication)
        },
        gap: (stream, position) => void process.gaps.push({ stream, position }),
        control: (message) => void process.messages.push(message),
        presence: (change) => void process.changes.push(change),
      }
      await broker.start(node)
      return process
    },
    async expectCount({ delivered }, count) {
      await eventually(() => runner.expect(delivered.length).toBeGreaterThanOrEqual(count))
      await new Promise((resolve) => setTimeout(resolve, 20))
      runner.expect(delivered).toHaveLength(count)
    },
  }
}
