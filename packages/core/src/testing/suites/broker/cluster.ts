import { randomUUID } from 'node:crypto'
import type { Member } from '../../../hub/broker.ts'
import { eventually } from '../helpers.ts'
import { type BrokerTests, newTopic, type Process } from './processes.ts'

/** Presence, control messages, and the nodes of an app. */
export function clusterTests({ runner, subject, start }: BrokerTests): void {
  const { describe, it, expect } = runner
  const memberOf = (identity: string | null, info: unknown = null): Member => ({
    connection: randomUUID(),
    identity,
    info,
  })
  const byConnection = (a: Member, b: Member): number => (a.connection < b.connection ? -1 : 1)

  async function membersOf({ broker }: Process, topic: string): Promise<readonly Member[]> {
    const { members, cursor } = await broker.presence(topic, null, 100)
    expect(cursor).toBe(null)
    return [...members].sort(byConnection)
  }

  describe('presence', () => {
    it('has who joined, until they leave', async () => {
      const process = await start()
      const { topic } = newTopic('{presence}:')
      const [ann, bob] = [memberOf('ann', { name: 'Ann ü' }), memberOf(null)]
      expect(await membersOf(process, topic)).toEqual([])
      await process.broker.join(topic, ann)
      await process.broker.join(topic, bob)
      expect(await membersOf(process, topic)).toEqual([ann, bob].sort(byConnection))
      await process.broker.join(topic, { ...ann, info: 'changed' })
      expect(await membersOf(process, topic)).toEqual([{ ...ann, info: 'changed' }, bob].sort(byConnection))
      await process.broker.leave(topic, ann)
      await process.broker.leave(topic, ann)
      await process.broker.leave(topic, memberOf('stranger'))
      expect(await membersOf(process, topic)).toEqual([bob])
      expect(await membersOf(process, newTopic().topic)).toEqual([])
    })

    it('sends changes to those who subscribe to the topic', async () => {
      const process = await start()
      const topic = newTopic()
      await process.broker.subscribe(topic, undefined)
      const ann = memberOf('ann')
      await process.broker.join(topic.topic, ann)
      await process.broker.leave(topic.topic, ann)
      await eventually(() => expect(process.changes).toHaveLength(2))
      expect(process.changes).toEqual([
        { topic: topic.topic, kind: 'joined', member: ann },
        { topic: topic.topic, kind: 'left', member: ann },
      ])
    })

    it('comes in pages, each member once', async () => {
      const { broker } = await start()
      const { topic } = newTopic()
      const all = Array.from({ length: 25 }, (_, i) => memberOf(`user ${i}`))
      for (const member of all) await broker.join(topic, member)
      const found: Member[] = []
      let cursor: string | null = null
      let pages = 0
      do {
        const page: { members: readonly Member[]; cursor: string | null } = await broker.presence(topic, cursor, 10)
        expect(page.members.length).toBeLessThanOrEqual(10)
        found.push(...page.members)
        cursor = page.cursor
        pages++
      } while (cursor !== null && pages < 100)
      expect(found.sort(byConnection)).toEqual(all.sort(byConnection))
      const first = await broker.presence(topic, null, 10)
      expect(await broker.presence(topic, 'not a cursor 😀', 10)).toEqual(first)
    })
  })

  describe('control', () => {
    it('is to the own process too', async () => {
      const process = await start()
      const message = { type: 'disconnect', data: { identity: 'ü', list: [1, null] } }
      await process.broker.control(message, 0)
      await eventually(() => expect(process.messages).toHaveLength(1))
      const kept = { type: 'plugin:auth', data: randomUUID() }
      await process.broker.control(kept, 60_000)
      await eventually(() => expect(process.messages.length).toBeGreaterThanOrEqual(2))
      expect(process.messages.slice(0, 2)).toEqual([message, kept])
    })
  })

  describe('nodes', () => {
    it('are those that live', async () => {
      const process = await start()
      expect((await process.broker.nodes()).map(({ id }) => id)).toContain(process.info.id)
      const own = (await process.broker.nodes()).find(({ id }) => id === process.info.id)
      expect(own).toEqual(process.info)
    })
  })

  describe('leases', () => {
    it('are taken, renewed and given up, where the broker has them', async () => {
      const { broker } = await start()
      if (broker.lease === undefined || broker.release === undefined) return
      const name = randomUUID()
      for (let i = 0; i < 2; i++) expect(await broker.lease(name, 60_000)).toBe(true)
      await broker.release(name)
      await broker.release(name)
      expect(await broker.lease(name, 60_000)).toBe(true)
    })
  })

  describe('close', () => {
    it('may be called twice, and before start', async () => {
      const { broker } = await start()
      await broker.close()
      await broker.close()
      const unused = await subject.createBroker()
      await unused.close()
      await subject.closeBroker?.(unused)
    })

    it('a broker that receives is healthy', async () => {
      const { broker } = await start()
      await broker.health?.()
    })
  })

  if (subject.oneProcess === true) return

  describe('several processes', () => {
    it('see who joined on each, and no longer those of one that has closed', async () => {
      const [one, other] = [await start(), await start()]
      const topic = newTopic()
      await one.broker.subscribe(topic, undefined)
      const [ann, bob] = [memberOf('ann'), memberOf('bob')]
      await one.broker.join(topic.topic, ann)
      await other.broker.join(topic.topic, bob)
      for (const process of [one, other])
        expect(await membersOf(process, topic.topic)).toEqual([ann, bob].sort(byConnection))
      await eventually(() => expect(one.changes).toHaveLength(2))
      expect(other.changes).toEqual([])
      await other.broker.close()
      await eventually(async () => expect(await membersOf(one, topic.topic)).toEqual([ann]))
    })

    it('get control messages, and those that are kept when they start later', async () => {
      const [one, other] = [await start(), await start()]
      const message = { type: 'refresh', data: randomUUID() }
      await one.broker.control(message, 0)
      for (const { messages } of [one, other]) await eventually(() => expect(messages).toEqual([message]))
      const kept = { type: 'disconnect', data: randomUUID() }
      await other.broker.control(kept, 60_000)
      const late = await start()
      for (const { messages } of [one, other, late])
        await eventually(() => expect(messages.map(({ data }) => data)).toContain(kept.data))
    })

    it('hold a lease one at a time, where the broker has them', async () => {
      const brokers = [(await start()).broker, (await start()).broker, (await start()).broker]
      const name = randomUUID()
      const ask = (ttlMs: number) => Promise.all(brokers.map(async (broker) => broker.lease?.(name, ttlMs)))
      const first = await ask(60_000)
      if (first.every((answer) => answer === undefined)) return
      expect(first.filter((held) => held === true)).toHaveLength(1)
      expect(await ask(60_000)).toEqual(first)
      const holder = brokers[first.indexOf(true)]
      const others = brokers.filter((broker) => broker !== holder)
      await others[0]?.release?.(name)
      expect(await ask(60_000)).toEqual(first)
      await holder?.release?.(name)
      expect(await others[0]?.lease?.(name, 200)).toBe(true)
      // It ends by itself.
      await eventually(async () => expect(await others[1]?.lease?.(name, 60_000)).toBe(true))
    })

    it('know one another, until one closes', async () => {
      const [one, other] = [await start(), await start()]
      const idsOf = async ({ broker }: Process): Promise<readonly string[]> =>
        (await broker.nodes()).map(({ id }) => id)
      for (const process of [one, other])
        await eventually(async () => {
          const ids = await idsOf(process)
          expect(ids).toContain(one.info.id)
          expect(ids).toContain(other.info.id)
        })
      await other.broker.close()
      await eventually(async () => expect(await idsOf(one)).not.toContain(other.info.id))
    })
  })
}
