import { describe, expect, it } from 'vitest'
import { isPromise } from '../base/maybe-promise.ts'
import { brokerOf } from './broker.fixtures.ts'
import type { BrokerNode, Entry, HistoryPage, Position, Stream } from './broker.ts'
import { onTopic, publicationOf, resumable, startHub, TestConnection } from './hub.fixtures.ts'
import { memoryBroker } from './memory-broker.ts'

const at = (offset: number, epoch = 'e'): Position => ({ epoch, offset })
const entryAt = (offset: number, stream: Stream = onTopic): Entry => ({
  publication: publicationOf(offset, stream),
  position: at(offset),
})
const entries = (from: number, to: number): readonly Entry[] =>
  Array.from({ length: to - from + 1 }, (_, i) => entryAt(from + i))
const answered = (offset: number, recovered: boolean, epoch = 'e') => ({ position: at(offset, epoch), recovered })

/** A hub whose broker answers `subscribe` with `position`, and `history` when the test says so. */
async function start(position: Position | null, maxBackpressureBytes?: number) {
  let node: BrokerNode | null = null
  const reads: { readonly since: Position | null; readonly answer: (page: HistoryPage | Error) => void }[] = []
  const broker = brokerOf({
    start: (started) => {
      node = started
    },
    subscribe: () => Promise.resolve(position),
    history: (_stream, _history, since) =>
      new Promise((resolve, reject) => {
        const answer = (page: HistoryPage | Error): void => (page instanceof Error ? reject(page) : resolve(page))
        reads.push({ since, answer })
      }),
  })
  const started = await startHub(broker, maxBackpressureBytes)
  const ready = (): BrokerNode => node ?? expect.unreachable('not started')
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    ...started,
    reads,
    settled,
    deliver: (offset: number, stream?: Stream) => ready().deliver(publicationOf(offset, stream), at(offset)),
    gap: (to: Position | null, stream: Stream = onTopic) => ready().gap(stream, to),
    /** A connection that has asked for the past, which is being read. */
    async reading(since: Position) {
      const connection = new TestConnection(started.hub)
      const subscribed = Promise.resolve(connection.subscribe(since))
      await settled()
      return { connection, subscribed }
    },
  }
}

describe('a subscription', () => {
  it('without a position begins where the node is', async () => {
    const { hub, deliver } = await start(at(4))
    const connection = new TestConnection(hub)
    await connection.subscribe()
    deliver(5)
    expect(connection.got).toEqual([answered(4, false), 5])
    expect(connection.topics).toEqual(['a'])
  })

  it('reads nothing when nothing was missed, and nothing of another epoch', async () => {
    const { hub, reads } = await start(at(4))
    const [one, other] = [new TestConnection(hub), new TestConnection(hub)]
    await one.subscribe(at(4))
    await other.subscribe(at(4, 'old'))
    expect([one.got, other.got]).toEqual([[answered(4, true)], [answered(4, false)]])
    expect(reads).toEqual([])
  })

  it('puts what was missed before the answer, and what was published meanwhile after the past', async () => {
    const { reading, reads, deliver } = await start(at(4))
    const { connection, subscribed } = await reading(at(2))
    deliver(5)
    deliver(6)
    expect(connection.got).toEqual([])
    reads[0]?.answer({ entries: entries(3, 5), position: at(5), complete: true })
    await subscribed
    deliver(7)
    expect(connection.got).toEqual([3, 4, 5, 6, answered(6, true), 7])
  })

  it('does not send what the node has yet to deliver', async () => {
    const { reading, reads, deliver } = await start(at(4))
    const { connection, subscribed } = await reading(at(3))
    reads[0]?.answer({ entries: entries(4, 6), position: at(6), complete: true })
    await subscribed
    for (const offset of [5, 6, 7]) deliver(offset)
    expect(connection.got).toEqual([4, answered(4, true), 5, 6, 7])
  })

  it('skips what the client has received from another node', async () => {
    const { hub, reading, reads, deliver } = await start(at(4))
    const { connection, subscribed } = await reading(at(6))
    reads[0]?.answer({ entries: [], position: at(6), complete: true })
    await subscribed
    expect(hub.topicSize('a')).toBe(1)
    for (const offset of [5, 6, 7]) deliver(offset)
    expect(connection.got).toEqual([answered(6, true), 7])
    expect(hub.topicSize('a')).toBe(1)
  })

  it('is not recovered from the future, or when something is missing', async () => {
    const { reading, reads, deliver } = await start(at(4))
    const future = await reading(at(9))
    reads[0]?.answer({ entries: [], position: at(5), complete: false })
    await future.subscribed
    const trimmed = await reading(at(1))
    deliver(5)
    reads[1]?.answer({ entries: [], position: at(5), complete: false })
    await trimmed.subscribed
    const holed = await reading(at(1))
    reads[2]?.answer({ entries: [entryAt(2), entryAt(4), entryAt(5)], position: at(5), complete: true })
    await holed.subscribed
    deliver(6)
    expect(future.connection.got).toEqual([answered(4, false), 5, 6])
    expect(trimmed.connection.got).toEqual([answered(5, false), 6])
    expect(holed.connection.got).toEqual([answered(5, false), 6])
  })

  it('is not recovered when publications are lost meanwhile, and goes on after the gap', async () => {
    const { reading, reads, deliver, gap } = await start(at(4))
    const { connection, subscribed } = await reading(at(2))
    deliver(5)
    gap(at(0, 'new'))
    expect(connection.got).toEqual([answered(0, false, 'new')])
    reads[0]?.answer({ entries: entries(3, 5), position: at(5), complete: true })
    await subscribed
    expect(connection.got).toHaveLength(1)
  })

  it('is not recovered when what was missed is more than the back pressure allows', async () => {
    const { reading, reads } = await start(at(9), 200)
    const { connection, subscribed } = await reading(at(2))
    reads[0]?.answer({ entries: entries(3, 9), position: at(9), complete: true })
    await subscribed
    expect(connection.got).toEqual([answered(9, false)])
  })

  it('is not recovered when too much is published meanwhile', async () => {
    const { reading, deliver } = await start(at(4))
    const { connection } = await reading(at(2))
    for (let offset = 5; offset < 1006; offset++) deliver(offset)
    expect(connection.got).toEqual([answered(1005, false)])
    deliver(1006)
    expect(connection.got).toEqual([answered(1005, false), 1006])
  })

  it('of a topic without resume is never recovered', async () => {
    const { hub, reads } = await start(at(4))
    const connection = new TestConnection(hub)
    await connection.subscribe(at(4), onTopic, { ...resumable, resume: false })
    expect(connection.got).toEqual([answered(4, false)])
    expect(reads).toEqual([])
  })

  it('fails with unavailable when the past cannot be read; a member misses nothing by it', async () => {
    const { hub, reads, deliver, settled } = await start(at(4))
    const [member, other] = [new TestConnection(hub), new TestConnection(hub)]
    await member.join('a')
    const subscriptions = [member, other].map((connection) => Promise.resolve(connection.subscribe(at(2))))
    await settled()
    deliver(5)
    expect([member.got, other.got]).toEqual([[], []])
    for (const { answer } of reads) answer(new Error('no Redis'))
    for (const subscribed of subscriptions) await expect(subscribed).rejects.toMatchObject({ code: 'unavailable' })
    deliver(6)
    expect([member.got, other.got]).toEqual([[5, 6], []])
  })

  it('ends with a conflict when it is left meanwhile, and with the connection', async () => {
    const { hub, reading, reads, deliver } = await start(at(4))
    const left = await reading(at(2))
    const closed = await reading(at(2))
    hub.leave(left.connection, 'a')
    closed.connection.close()
    for (const { answer } of reads) answer({ entries: entries(3, 4), position: at(4), complete: true })
    await expect(left.subscribed).rejects.toMatchObject({ code: 'conflict' })
    await closed.subscribed
    deliver(5)
    expect([left.connection.got, closed.connection.got]).toEqual([[], []])
    expect(hub.topicSize('a')).toBe(0)
  })

  it('waits for another one of the same connection', async () => {
    const { reading, reads, deliver } = await start(at(4))
    const { connection, subscribed } = await reading(at(2))
    const again = connection.subscribe(at(4))
    const joined = connection.join('a')
    reads[0]?.answer({ entries: entries(3, 4), position: at(4), complete: true })
    await Promise.all([subscribed, again, joined])
    deliver(5)
    expect(connection.got).toEqual([3, 4, answered(4, true), answered(4, true), 5])
  })

  it('of a client that is too slow for the past ends', async () => {
    const { hub, reading, reads } = await start(at(4))
    const { connection, subscribed } = await reading(at(2))
    connection.accepts = 1
    reads[0]?.answer({ entries: entries(3, 4), position: at(4), complete: true })
    await subscribed
    expect(connection.got).toEqual([3])
    expect(hub.topicSize('a')).toBe(0)
  })

  it('of a connection that was joined replays nothing that it has received', async () => {
    const { hub, reads, deliver } = await start(at(4))
    const connection = new TestConnection(hub)
    await connection.join('a')
    deliver(5)
    deliver(6)
    // Everything since the join was delivered; before it, something newer was sent already.
    for (const since of [4, 5, 6, 3, 9]) await connection.subscribe(at(since))
    deliver(7)
    expect(connection.got).toEqual([
      5,
      6,
      answered(6, true),
      answered(6, true),
      answered(6, true),
      answered(6, false),
      answered(6, false),
      7,
    ])
    expect(reads).toEqual([])
  })

  it('of an identity that is renewed meanwhile is refused, since its rule was asked about the old one', async () => {
    const { reading, reads } = await start(at(4))
    const { connection, subscribed } = await reading(at(2))
    connection.identity = { id: 'ann', name: 'Ann' }
    reads[0]?.answer({ entries: entries(3, 4), position: at(4), complete: true })
    await expect(subscribed).rejects.toMatchObject({ code: 'unavailable' })
    expect([connection.got, connection.topics]).toEqual([[], []])
  })
})

describe('events of connections that have opted in', () => {
  it('carry meta, those of others are as before to the byte', async () => {
    const { hub, deliver } = await start(at(4))
    const [plain, optedIn] = [new TestConnection(hub, 'ann'), new TestConnection(hub, 'ann')]
    await plain.join('a')
    await optedIn.join('a')
    deliver(5)
    const old = plain.frames[0]
    expect(optedIn.frames).toEqual([old])
    await optedIn.subscribe(null, { kind: 'all' }, null)
    const me: Stream = { kind: 'identity', identityId: 'ann' }
    deliver(6)
    deliver(1, me)
    deliver(1, { kind: 'all' })
    expect(plain.frames).toEqual([old, old?.replace('5', '6'), old?.replace('5', '1'), old?.replace('5', '1')])
    const metas = optedIn.frames.slice(1).map((frame) => JSON.parse(frame).meta)
    expect(metas).toEqual([
      { topic: 'a', epoch: 'e', offset: 6, cause: null },
      { topic: '@me', epoch: 'e', offset: 1, cause: null },
      { topic: '@all', epoch: 'e', offset: 1, cause: null },
    ])
  })

  it('have a gap frame among them, in each stream of theirs', async () => {
    const { hub, gap } = await start(at(4))
    const [plain, optedIn] = [new TestConnection(hub, 'ann'), new TestConnection(hub, 'ann')]
    await plain.join('a')
    await optedIn.subscribe()
    optedIn.got.length = 0
    gap(at(7))
    gap(at(1), { kind: 'identity', identityId: 'ann' })
    gap(null, { kind: 'all' })
    gap(at(1), { kind: 'topic', topic: 'another' })
    expect(plain.got).toEqual([])
    expect(optedIn.got).toEqual([
      { type: 'gap', topic: 'a', epoch: 'e', offset: 7 },
      { type: 'gap', topic: '@me', epoch: 'e', offset: 1 },
      { type: 'gap', topic: '@all' },
    ])
  })
})

describe('@me and @all', () => {
  const me: Stream = { kind: 'identity', identityId: 'ann' }

  it.each([me, { kind: 'all' } as const])(
    'replay what a connection missed before it was there: $kind',
    async (stream) => {
      const { hub, reads, deliver, settled } = await start(at(4))
      const early = new TestConnection(hub, 'ann')
      deliver(5, stream)
      const late = new TestConnection(hub, 'ann')
      const subscriptions = [early, late].map((connection) =>
        Promise.resolve(connection.subscribe(at(3), stream, null)),
      )
      await settled()
      deliver(6, stream)
      expect(reads).toHaveLength(1)
      reads[0]?.answer({ entries: [entryAt(4, stream), entryAt(5, stream)], position: at(5), complete: true })
      await Promise.all(subscriptions)
      deliver(7, stream)
      expect(late.got).toEqual([4, 5, 6, answered(6, true), 7])
      // It has received 5, so that 4 would come too late.
      expect(early.got).toEqual([5, answered(5, false), 6, 7])
    },
  )

  it('of memory are recovered by the next connection of an identity', async () => {
    const memory = memoryBroker()
    const { hub } = await startHub(memory)
    const first = new TestConnection(hub, 'ann')
    void first.subscribe(null, me, null)
    hub.send(publicationOf(1, me))
    const page = memory.history(me, undefined, null, 1)
    const position = isPromise(page) ? null : (page?.position ?? null)
    first.close()
    hub.send(publicationOf(2, me))
    const second = new TestConnection(hub, 'ann')
    void second.subscribe(position, me, null)
    expect(second.got).toEqual([2, { position: { ...position, offset: 2 }, recovered: true }])
  })

  it('end with the identity', async () => {
    const { hub, deliver } = await start(at(4))
    const connection = new TestConnection(hub, 'ann')
    await connection.subscribe(null, me, null)
    connection.identity = { id: 'bob', name: 'Bob' }
    hub.moveIdentity(connection, 'ann', 'bob')
    deliver(5, me)
    expect(connection.got).toEqual([
      answered(4, false),
      { type: 'unsubscribed', topic: '@me', code: 'permission_denied' },
    ])
  })
})
