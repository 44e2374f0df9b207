import { randomUUID } from 'node:crypto'
import type { Publication } from '../../../call/publication.ts'
import type { Broker, Stream } from '../../../hub/broker.ts'
import { type BrokerTests, dataOf, newTopic, type Process, publicationTo } from './processes.ts'

/** Each publication once, in the order of its stream, on all processes that subscribe to it. */
export function deliveryTests({ runner, subject, start, expectCount }: BrokerTests): void {
  const { describe, it, expect } = runner

  describe('delivery', () => {
    it('is to every audience, with the publication as it was', async () => {
      const process = await start()
      const publications: Publication[] = [
        publicationTo(newTopic('news:'), { text: 'grüße 😀', list: [1, null, { deep: true }] }),
        { audience: { kind: 'identity', identityId: randomUUID() }, pkgId: 1, data: null, cause: randomUUID() },
        { audience: { kind: 'all' }, pkgId: 2 ** 31 - 1, data: 'a string', cause: null },
      ]
      for (const { audience } of publications) await process.broker.subscribe(audience, undefined)
      for (const publication of publications) await process.broker.publish(publication, undefined, null)
      await expectCount(process, publications.length)
      // An order between streams is not promised.
      const byPkgId = (a: Publication, b: Publication): number => a.pkgId - b.pkgId
      expect(process.delivered.map(({ publication }) => publication).sort(byPkgId)).toEqual(publications.sort(byPkgId))
    })

    it('tells streams apart whose names look alike', async () => {
      const process = await start()
      const id = randomUUID()
      const names = [
        id,
        `@${id}`,
        `:${id}`,
        `{${id}}`,
        `{${id}`,
        `${id}}`,
        `${id}*`,
        `${id} ü 😀`,
        `${id}%7B`,
        `${id}\\`,
      ]
      const streams: Stream[] = [
        ...names.map((topic) => ({ kind: 'topic' as const, topic })),
        ...names.map((identityId) => ({ kind: 'identity' as const, identityId })),
      ]
      for (const stream of streams) await process.broker.subscribe(stream, undefined)
      for (const [i, stream] of streams.entries())
        await process.broker.publish(publicationTo(stream, i), undefined, null)
      await expectCount(process, streams.length)
      for (const { publication } of process.delivered)
        expect(publication.audience).toEqual(streams[Number(publication.data)])
      expect([...dataOf(process)].sort((a, b) => Number(a) - Number(b))).toEqual(streams.map((_stream, i) => i))
    })

    it('is of 256 KiB too', async () => {
      const process = await start()
      const topic = newTopic()
      const publication = publicationTo(topic, { text: 'x'.repeat(256 * 1024) })
      await process.broker.subscribe(topic, undefined)
      await process.broker.publish(publication, undefined, null)
      await expectCount(process, 1)
      expect(process.delivered[0]?.publication).toEqual(publication)
    })

    it('keeps the order of each topic, and is once', async () => {
      const process = await start()
      const topics = [newTopic(), newTopic()]
      for (const topic of topics) await process.broker.subscribe(topic, undefined)
      const results: unknown[] = []
      for (let i = 0; i < 100; i++)
        for (const topic of topics) results.push(process.broker.publish(publicationTo(topic, i), undefined, null))
      await Promise.all(results)
      await expectCount(process, 200)
      expectOrder(process, topics)
    })

    it('keeps the order of what a delivery publishes', async () => {
      const topic = newTopic()
      const process = await start(({ data }) => {
        if (typeof data === 'number' && data < 5)
          void process.broker.publish(publicationTo(topic, data + 1), undefined, null)
      })
      await process.broker.subscribe(topic, undefined)
      void process.broker.publish(publicationTo(topic, 1), undefined, null)
      await expectCount(process, 5)
      expect(dataOf(process)).toEqual([1, 2, 3, 4, 5])
    })

    it('goes on after one that throws', async () => {
      const topic = newTopic()
      const process = await start(({ data }) => {
        if (data === 'bad') throw new Error('in deliver')
      })
      await process.broker.subscribe(topic, undefined)
      for (const data of ['good', 'bad', 'good again']) await tryToPublish(process.broker, publicationTo(topic, data))
      await expectCount(process, 3)
      expect(dataOf(process)).toEqual(['good', 'bad', 'good again'])
    })
  })

  if (subject.oneProcess === true) return

  describe('delivery to processes', () => {
    it('is to each, the own included, in order and once', async () => {
      const processes = [await start(), await start(), await start()]
      const [first, second] = processes
      const topics = [newTopic(), newTopic()] as const
      for (const { broker } of processes) for (const topic of topics) await broker.subscribe(topic, undefined)
      for (let i = 0; i < 100; i++) {
        void first?.broker.publish(publicationTo(topics[0], i), undefined, null)
        void second?.broker.publish(publicationTo(topics[1], i), undefined, null)
      }
      for (const process of processes) {
        await expectCount(process, 200)
        expectOrder(process, topics)
      }
    })

    it('is only of streams that a process subscribes to, until it unsubscribes', async () => {
      const [one, other] = [await start(), await start()]
      const topics = [newTopic(), newTopic()] as const
      await one.broker.subscribe(topics[0], undefined)
      for (const topic of topics) await other.broker.subscribe(topic, undefined)
      for (const topic of topics) await one.broker.publish(publicationTo(topic, 'first'), undefined, null)
      await expectCount(other, 2)
      await expectCount(one, 1)
      other.broker.unsubscribe(topics[0])
      for (const topic of topics) await one.broker.publish(publicationTo(topic, 'second'), undefined, null)
      await expectCount(other, 3)
      await expectCount(one, 2)
      await other.broker.subscribe(topics[0], undefined)
      await one.broker.publish(publicationTo(topics[0], 'third'), undefined, null)
      await expectCount(other, 4)
    })

    it('is to the others when it throws in one', async () => {
      const topic = newTopic()
      const broken = await start(() => {
        throw new Error('in deliver')
      })
      const other = await start()
      for (const { broker } of [broken, other]) await broker.subscribe(topic, undefined)
      await tryToPublish(broken.broker, publicationTo(topic, 1))
      await tryToPublish(other.broker, publicationTo(topic, 2))
      await expectCount(broken, 2)
      await expectCount(other, 2)
    })
  })

  function expectOrder({ delivered }: Process, topics: readonly (Stream & { kind: 'topic' })[]): void {
    for (const { topic } of topics) {
      const own = delivered.filter(
        ({ publication: { audience } }) => audience.kind === 'topic' && audience.topic === topic,
      )
      expect(own.map(({ publication }) => publication.data)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    }
  }
}

/** A broker that delivers at once may throw what `deliver` throws: the hub expects it. */
async function tryToPublish(broker: Broker, publication: Publication): Promise<void> {
  try {
    await broker.publish(publication, undefined, null)
  } catch (error) {
    if (!(error instanceof Error) || error.message !== 'in deliver') throw error
  }
}
