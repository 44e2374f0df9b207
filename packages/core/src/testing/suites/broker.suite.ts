import { randomUUID } from 'node:crypto'
import type { MaybePromise } from '../../base/maybe-promise.ts'
import type { Publication } from '../../call/publication.ts'
import type { Broker } from '../../hub/broker.ts'
import type { TestRunner } from '../test-runner.ts'
import { eventually } from './helpers.ts'

/** The broker that a suite tests. */
export interface BrokerSubject {
  /**
   * A new broker, as one process has it. Those of one test belong to one app: what one publishes, each delivers. A publication of an
   * earlier test must not reach them.
   */
  createBroker(): MaybePromise<Broker>
  /** Closes a broker after its test. */
  closeBroker?(broker: Broker): MaybePromise<void>
  /** The broker serves an app of one process, as `memoryBroker` does: tests with two are left out. Default false. */
  readonly oneProcess?: boolean
}

/** One process of an app: its broker, and what was delivered to it. */
interface Process {
  readonly broker: Broker
  readonly delivered: Publication[]
}

/**
 * Tests that every broker must pass: delivery to the own process and to others, each publication once and in the order of its topic, also
 * after a delivery that failed.
 *
 * @example
 * import * as vitest from 'vitest'
 * brokerSuite(vitest, { createBroker: memoryBroker, oneProcess: true })
 */
export function brokerSuite({ describe, it, expect, afterEach }: TestRunner, subject: BrokerSubject): void {
  const running: Broker[] = []

  afterEach(async () => {
    for (const broker of running.splice(0)) await subject.closeBroker?.(broker)
  })

  async function start(deliver: (publication: Publication) => void = () => {}): Promise<Process> {
    const broker = await subject.createBroker()
    running.push(broker)
    const delivered: Publication[] = []
    broker.start((publication) => {
      delivered.push(publication)
      deliver(publication)
    })
    return { broker, delivered }
  }

  const onTopic = (topic: string, data: unknown): Publication => ({
    audience: { kind: 'topic', topic },
    pkgId: 100,
    data,
  })

  /** Waits for that many publications, and long enough to see one too many. */
  async function expectCount({ delivered }: Process, count: number): Promise<void> {
    await eventually(() => expect(delivered.length).toBeGreaterThanOrEqual(count))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(delivered).toHaveLength(count)
  }

  describe('delivery', () => {
    it('is to every audience, with the publication as it was', async () => {
      const process = await start()
      const publications: Publication[] = [
        onTopic(`news:${randomUUID()}`, { text: 'grüße 😀', list: [1, null, { deep: true }] }),
        { audience: { kind: 'identity', identityId: randomUUID() }, pkgId: 1, data: null },
        { audience: { kind: 'all' }, pkgId: 2 ** 31 - 1, data: 'a string' },
      ]
      for (const publication of publications) await process.broker.publish(publication)
      await expectCount(process, publications.length)
      expect(process.delivered).toEqual(publications)
    })

    it('is of 256 KiB too', async () => {
      const process = await start()
      const publication = onTopic(randomUUID(), { text: 'x'.repeat(256 * 1024) })
      await process.broker.publish(publication)
      await expectCount(process, 1)
      expect(process.delivered).toEqual([publication])
    })

    it('keeps the order of each topic, and is once', async () => {
      const process = await start()
      const topics = [randomUUID(), randomUUID()]
      for (let i = 0; i < 100; i++) for (const topic of topics) void process.broker.publish(onTopic(topic, i))
      await expectCount(process, 200)
      expectOrder(process, topics)
    })

    it('keeps the order of what a delivery publishes', async () => {
      const topic = randomUUID()
      const process = await start(({ data }) => {
        if (typeof data === 'number' && data < 5) void process.broker.publish(onTopic(topic, data + 1))
      })
      void process.broker.publish(onTopic(topic, 1))
      await expectCount(process, 5)
      expect(process.delivered.map(({ data }) => data)).toEqual([1, 2, 3, 4, 5])
    })

    it('goes on after one that throws', async () => {
      const topic = randomUUID()
      const process = await start(({ data }) => {
        if (data === 'bad') throw new Error('in deliver')
      })
      for (const data of ['good', 'bad', 'good again']) await tryToPublish(process.broker, onTopic(topic, data))
      await expectCount(process, 3)
      expect(process.delivered.map(({ data }) => data)).toEqual(['good', 'bad', 'good again'])
    })
  })

  if (subject.oneProcess === true) return

  describe('delivery to processes', () => {
    it('is to each, the own included, in order and once', async () => {
      const processes = [await start(), await start(), await start()]
      const [first, second] = processes
      const topics = [randomUUID(), randomUUID()] as const
      for (let i = 0; i < 100; i++) {
        void first?.broker.publish(onTopic(topics[0], i))
        void second?.broker.publish(onTopic(topics[1], i))
      }
      for (const process of processes) {
        await expectCount(process, 200)
        expectOrder(process, topics)
      }
    })

    it('is to the others when it throws in one', async () => {
      const topic = randomUUID()
      const broken = await start(() => {
        throw new Error('in deliver')
      })
      const other = await start()
      await tryToPublish(broken.broker, onTopic(topic, 1))
      await tryToPublish(other.broker, onTopic(topic, 2))
      await expectCount(broken, 2)
      await expectCount(other, 2)
    })
  })

  function expectOrder({ delivered }: Process, topics: readonly string[]): void {
    for (const topic of topics) {
      const own = delivered.filter(({ audience }) => audience.kind === 'topic' && audience.topic === topic)
      expect(own.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    }
  }
}

/** A broker that delivers at once may throw what `deliver` throws: the hub expects it. */
async function tryToPublish(broker: Broker, publication: Publication): Promise<void> {
  try {
    await broker.publish(publication)
  } catch (error) {
    if (!(error instanceof Error) || error.message !== 'in deliver') throw error
  }
}
