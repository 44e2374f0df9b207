import { randomUUID } from 'node:crypto'
import type { Broker, HistoryPage, Position, Stream, StreamHistory } from '../../../hub/broker.ts'
import { type BrokerTests, dataOf, kept, newTopic, offsetsOf, publicationTo } from './processes.ts'

/** Positions of streams, and what is kept of them. */
export function historyTests({ runner, subject, start, expectCount }: BrokerTests): void {
  const { describe, it, expect } = runner

  /** Publishes the numbers from 1 on, and returns the position of the last one. */
  async function publishTo(broker: Broker, stream: Stream, count: number, history: StreamHistory): Promise<Position> {
    let position: Position | null = null
    for (let i = 1; i <= count; i++) position = await broker.publish(publicationTo(stream, i), history, null)
    return existing(position)
  }
  const dataOfPage = (page: HistoryPage | null): readonly unknown[] | undefined =>
    page?.entries.map(({ publication }) => publication.data)

  describe('positions', () => {
    it('count from 1 in one epoch, and are those that were delivered', async () => {
      const process = await start()
      const topic = newTopic()
      await process.broker.subscribe(topic, kept)
      const positions: (Position | null)[] = []
      for (const data of ['a', 'b', 'c'])
        positions.push(await process.broker.publish(publicationTo(topic, data), kept, null))
      await expectCount(process, 3)
      const epoch = existing(positions[0]).epoch
      expect(epoch.length).toBeGreaterThan(0)
      expect(epoch.length).toBeLessThanOrEqual(64)
      expect(positions).toEqual([1, 2, 3].map((offset) => ({ epoch, offset })))
      expect(process.delivered.map(({ position }) => position)).toEqual(positions)
    })

    it('of a subscription: delivery goes on after it', async () => {
      const process = await start()
      const topic = newTopic()
      const published = await publishTo(process.broker, topic, 2, kept)
      expect(await process.broker.subscribe(topic, kept)).toEqual(published)
      const before = process.delivered.length
      await publishTo(process.broker, topic, 1, kept)
      await expectCount(process, before + 1)
      expect(process.delivered.at(-1)?.position).toEqual({ epoch: published.epoch, offset: 3 })
      expect(process.gaps).toEqual([])
    })

    it('are those of each stream', async () => {
      const { broker } = await start()
      const [one, other] = [newTopic(), newTopic()]
      expect((await publishTo(broker, one, 2, kept)).offset).toBe(2)
      expect((await publishTo(broker, other, 1, kept)).offset).toBe(1)
      expect((await publishTo(broker, { kind: 'identity', identityId: one.topic }, 1, kept)).offset).toBe(1)
    })

    it('are not given to a stream without history', async () => {
      const process = await start()
      const topic = newTopic()
      expect(await process.broker.subscribe(topic, false)).toBe(null)
      expect(await process.broker.publish(publicationTo(topic, 1), false, null)).toBe(null)
      await expectCount(process, 1)
      expect(process.delivered[0]?.position).toBe(null)
      expect(await process.broker.history(topic, false, null, 10)).toBe(null)
      expect(await process.broker.history(topic, false, { epoch: 'x', offset: 1 }, 10)).toBe(null)
    })

    it('are not taken twice by publications of one key', async () => {
      const process = await start()
      const topic = newTopic()
      await process.broker.subscribe(topic, kept)
      const [key, otherKey] = [randomUUID(), randomUUID()]
      const first = await process.broker.publish(publicationTo(topic, 'once'), kept, key)
      expect(await process.broker.publish(publicationTo(topic, 'once'), kept, key)).toEqual(first)
      await process.broker.publish(publicationTo(topic, 'other'), kept, otherKey)
      await expectCount(process, 2)
      expect(dataOf(process)).toEqual(['once', 'other'])
      expect(offsetsOf(process, topic)).toEqual([1, 2])
    })
  })

  describe('history', () => {
    it('has what came after a position', async () => {
      const { broker } = await start()
      const topic = newTopic()
      const position = await publishTo(broker, topic, 5, kept)
      const { epoch } = position
      const page = await broker.history(topic, kept, { epoch, offset: 3 }, 10)
      expect(page).toEqual({
        entries: [4, 5].map((offset) => ({ publication: publicationTo(topic, offset), position: { epoch, offset } })),
        position,
        complete: true,
      })
      expect(dataOfPage(await broker.history(topic, kept, { epoch, offset: 0 }, 5))).toEqual([1, 2, 3, 4, 5])
      expect(await broker.history(topic, kept, position, 10)).toEqual({ entries: [], position, complete: true })
      expect(await broker.history(topic, kept, null, 10)).toEqual({ entries: [], position, complete: true })
    })

    it('is not complete for a position that was trimmed, from the future, of another epoch, or too long ago for the page', async () => {
      const { broker } = await start()
      const topic = newTopic()
      const small = { size: 3, ttlMs: 60_000 }
      const position = await publishTo(broker, topic, 5, small)
      const { epoch } = position
      const incomplete = { entries: [], position, complete: false }
      expect(await broker.history(topic, small, { epoch, offset: 1 }, 10)).toEqual(incomplete)
      expect(await broker.history(topic, small, { epoch, offset: 6 }, 10)).toEqual(incomplete)
      expect(await broker.history(topic, small, { epoch: 'another', offset: 3 }, 10)).toEqual(incomplete)
      expect(await broker.history(topic, small, { epoch, offset: 2 }, 2)).toEqual(incomplete)
      expect(dataOfPage(await broker.history(topic, small, { epoch, offset: 2 }, 3))).toEqual([3, 4, 5])
    })

    it('of a stream that was never published to is empty, in an epoch that stays', async () => {
      const { broker } = await start()
      const topic = newTopic()
      const { epoch, offset } = existing((await broker.history(topic, kept, null, 10))?.position)
      expect(offset).toBe(0)
      expect(await publishTo(broker, topic, 1, kept)).toEqual({ epoch, offset: 1 })
      expect(dataOfPage(await broker.history(topic, kept, { epoch, offset: 0 }, 10))).toEqual([1])
    })

    it('is kept without subscriptions too', async () => {
      const { broker } = await start()
      const topic = newTopic()
      const subscribed = existing(await broker.subscribe(topic, kept))
      broker.unsubscribe(topic)
      await publishTo(broker, topic, 2, kept)
      expect(dataOfPage(await broker.history(topic, kept, subscribed, 10))).toEqual([1, 2])
      expect((await broker.subscribe(topic, kept))?.offset).toBe(2)
    })

    it('ends with its time, and its positions do not begin again', async () => {
      const { broker } = await start()
      const topic = newTopic()
      const short = { size: 10, ttlMs: 50 }
      const before = await publishTo(broker, topic, 2, short)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await broker.history(topic, short, { ...before, offset: 1 }, 10)).toMatchObject({ complete: false })
      const after = await publishTo(broker, topic, 1, short)
      expect(after).toEqual({ epoch: before.epoch, offset: 3 })
    })

    it('of the default is kept for what is subscribed to', async () => {
      const { broker } = await start()
      const topic = newTopic()
      const subscribed = await broker.subscribe(topic, undefined)
      await broker.publish(publicationTo(topic, 'a'), undefined, null)
      // A broker may have no history without a declared one.
      if (subscribed === null) return
      expect(dataOfPage(await broker.history(topic, undefined, subscribed, 10))).toEqual(['a'])
    })
  })

  if (subject.oneProcess === true) return

  describe('positions of several processes', () => {
    it('are the same, without a hole', async () => {
      const processes = [await start(), await start()]
      const topic = newTopic()
      for (const { broker } of processes) await broker.subscribe(topic, kept)
      await Promise.all(
        Array.from({ length: 60 }, async (_, i) =>
          processes[i % 2]?.broker.publish(publicationTo(topic, i), kept, null),
        ),
      )
      for (const process of processes) {
        await expectCount(process, 60)
        expect(offsetsOf(process, topic)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
        expect(process.delivered).toEqual(processes[0]?.delivered)
      }
    })

    it('go on where a process subscribes while another publishes', async () => {
      const [publisher, late] = [await start(), await start()]
      const topic = newTopic()
      let count = 0
      let isDone = false
      const publishing = (async () => {
        while (!isDone) {
          await publisher.broker.publish(publicationTo(topic, ++count), kept, null)
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      const { epoch, offset } = existing(await late.broker.subscribe(topic, kept))
      await new Promise((resolve) => setTimeout(resolve, 50))
      isDone = true
      await publishing
      await expectCount(late, count - offset)
      expect(offsetsOf(late, topic)).toEqual(Array.from({ length: count - offset }, (_, i) => offset + i + 1))
      expect(dataOfPage(await late.broker.history(topic, kept, { epoch, offset: count - 1 }, 10))).toEqual([count])
    })
  })

  function existing(position: Position | null | undefined): Position {
    if (position === null || position === undefined) throw new Error('A stream with history must have a position')
    return position
  }
}
