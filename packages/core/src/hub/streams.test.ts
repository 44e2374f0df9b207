import { describe, expect, it } from 'vitest'
import { deferred } from '../testing/suites/helpers.ts'
import { brokerOf } from './broker.fixtures.ts'
import type { Broker, Position, Stream } from './broker.ts'
import { onTopic, startHub, TestConnection } from './hub.fixtures.ts'
import { memoryBroker } from './memory-broker.ts'
import { streamName } from './stream-key.ts'

/** A broker that writes down its calls, and answers as `answer` says. */
function recording(answer: (stream: Stream) => Promise<Position | null> | null = () => null) {
  const asked: string[] = []
  const broker: Broker = brokerOf({
    subscribe(stream) {
      asked.push(`+${streamName(stream)}`)
      return answer(stream)
    },
    unsubscribe: (stream) => void asked.push(`-${streamName(stream)}`),
  })
  return { broker, asked }
}

const unavailable = { code: 'unavailable', message: 'The topic cannot be joined now: the broker does not answer' }

describe('the streams of a node', () => {
  it('are subscribed to once for all members, and left a second after the last one', async () => {
    const { broker, asked } = recording()
    const { hub, clock } = await startHub(broker)
    expect(asked.splice(0)).toEqual(['+@all'])
    const [one, other] = [new TestConnection(hub), new TestConnection(hub)]
    await one.join('a')
    await other.join('a')
    await other.join('a')
    expect(asked).toEqual(['+a'])
    one.leave('a')
    await clock.advance(5000)
    other.leave('a')
    await clock.advance(999)
    expect(asked).toEqual(['+a'])
    await clock.advance(1)
    expect(asked).toEqual(['+a', '-a'])
    await one.join('a')
    one.close()
    await clock.advance(1000)
    expect(asked).toEqual(['+a', '-a', '+a', '-a'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('are not left when a member comes back within the second', async () => {
    const { broker, asked } = recording()
    const { hub, clock } = await startHub(broker)
    const connection = new TestConnection(hub)
    await connection.join('a')
    connection.leave('a')
    await clock.advance(900)
    await connection.join('a')
    await clock.advance(5000)
    expect(asked).toEqual(['+@all', '+a'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('reject all that wait when the broker refuses, and are tried again by the next', async () => {
    const second = deferred<Position | null>()
    let refuse: (error: Error) => void = () => {}
    const refused = new Promise<never>((_resolve, reject) => {
      refuse = reject
    })
    const { broker, asked } = recording((stream) =>
      stream.kind === 'all' ? null : asked.length === 2 ? refused : second.promise,
    )
    const { hub } = await startHub(broker)
    const connections = [new TestConnection(hub), new TestConnection(hub)]
    const joins = connections.map((connection) => connection.join('a'))
    refuse(new Error('no Redis'))
    for (const join of joins)
      await expect(join).rejects.toMatchObject({ ...unavailable, cause: { message: 'no Redis' } })
    expect(connections.map(({ topics }) => topics)).toEqual([[], []])
    const again = connections[0]?.join('a')
    second.resolve({ epoch: 'e', offset: 1 })
    await again
    expect(asked).toEqual(['+@all', '+a', '+a'])
    expect(hub.topicSize('a')).toBe(1)
  })

  it('do not overlap: one that is left while it is subscribed to is left after it', async () => {
    const answer = deferred<Position | null>()
    const { broker, asked } = recording((stream) => (stream.kind === 'all' ? null : answer.promise))
    const { hub, clock } = await startHub(broker)
    const connection = new TestConnection(hub)
    const join = connection.join('a')
    connection.leave('a')
    await clock.advance(5000)
    expect(asked).toEqual(['+@all', '+a'])
    answer.resolve(null)
    await join
    expect(connection.topics).toEqual([])
    await clock.advance(1000)
    expect(asked).toEqual(['+@all', '+a', '-a'])
  })

  it('of identities are received while one of its connections is open', async () => {
    const { broker, asked } = recording()
    const { hub, clock } = await startHub(broker)
    const [phone, desk] = [new TestConnection(hub, 'ann'), new TestConnection(hub, 'ann')]
    expect(asked).toEqual(['+@all', '+@me'])
    phone.close()
    desk.close()
    await clock.advance(1000)
    expect(asked).toEqual(['+@all', '+@me', '-@me'])
  })

  it('of identities are tried again with growing pauses; that is logged once', async () => {
    let works = false
    const { broker, asked } = recording((stream) =>
      stream.kind === 'all' || works ? null : Promise.reject(new Error('no Redis')),
    )
    const { hub, clock, log } = await startHub(broker)
    new TestConnection(hub, 'ann')
    new TestConnection(hub, 'bob')
    await clock.advance(0)
    expect(asked.splice(0)).toEqual(['+@all', '+@me', '+@me'])
    await clock.advance(1000)
    expect(asked.splice(0)).toEqual(['+@me', '+@me'])
    await clock.advance(1999)
    expect(asked).toEqual([])
    works = true
    await clock.advance(1)
    expect(asked).toEqual(['+@me', '+@me'])
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'The broker does not deliver the publications of some identities: the app tries again'],
      ['info', 'The broker delivers the publications of all identities again'],
    ])
    expect(clock.pendingTimers).toBe(0)
  })

  it('wait in subscribe @me for what is tried again', async () => {
    let works = false
    const { broker } = recording((stream) =>
      stream.kind === 'all' ? null : works ? Promise.resolve(null) : Promise.reject(new Error('no Redis')),
    )
    const { hub } = await startHub(broker)
    const ann = new TestConnection(hub, 'ann')
    const me: Stream = { kind: 'identity', identityId: 'ann' }
    await expect(ann.subscribe(null, me, null)).rejects.toMatchObject(unavailable)
    works = true
    await ann.subscribe(null, me, null)
    expect(ann.got).toEqual([{ position: null, recovered: false }])
  })

  it('of a broker of one process are none until a client asks for a position', async () => {
    const asked: Stream[] = []
    const memory = memoryBroker()
    const broker: Broker = {
      ...brokerOf({}),
      oneProcess: true,
      start: (node) => memory.start(node),
      publish: (...args) => memory.publish(...args),
      subscribe(stream, history) {
        asked.push(stream)
        return memory.subscribe(stream, history)
      },
    }
    const { hub, clock } = await startHub(broker)
    const connection = new TestConnection(hub, 'ann')
    await connection.join('a')
    connection.close()
    expect(asked).toEqual([])
    expect(clock.pendingTimers).toBe(0)
    void new TestConnection(hub).subscribe()
    expect(asked).toEqual([onTopic])
  })
})
