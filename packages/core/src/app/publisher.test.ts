import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { event } from '../call/event.ts'
import type { Publication } from '../call/publication.ts'
import { brokerOf } from '../hub/broker.fixtures.ts'
import type { Broker, BrokerNode, StreamHistory } from '../hub/broker.ts'
import { memoryBroker } from '../hub/memory-broker.ts'
import { route } from '../route/route.ts'
import { deferred } from '../testing/suite.fixtures.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { createPublisher } from './publisher.ts'
import type { BasePublisherOptions } from './publisher-options.ts'

const pkgIds = { GET_TICKET: 1, TICKET_SOLD: 100, CLOSED: 101 } as const
const sold = event({ data: v.object({ id: v.number() }) })
const closing = event({ summary: 'The shop closes', data: v.object({}) })
const topics = { 'ticket:*': { authorize: () => true, history: { size: 500, ttl: '10m' } } } as const

/** What a broker was told, in order. */
function createRecorder(parts: Partial<Broker> = {}) {
  const steps: string[] = []
  const published: { readonly publication: Publication; readonly history: StreamHistory }[] = []
  const nodes: BrokerNode[] = []
  const broker = brokerOf({
    name: 'remote',
    async start(node) {
      nodes.push(node)
      steps.push('start')
    },
    async publish(publication, history) {
      published.push({ publication, history })
      steps.push(`publish ${JSON.stringify(publication.data)}`)
      return null
    },
    async close() {
      steps.push('close')
    },
    ...parts,
  })
  return { broker, steps, published, nodes }
}

function create(broker: Broker, options: Partial<BasePublisherOptions> = {}) {
  const log = createTestLogger()
  const events = { TICKET_SOLD: sold, CLOSED: closing }
  return { log, publisher: createPublisher({ broker, pkgIds, events, topics, log, ...options }) }
}

describe('a publisher', () => {
  it('opens nothing before its first use, and sends in the order of the calls', async () => {
    const { broker, steps, published, nodes } = createRecorder()
    const { publisher } = create(broker)
    expect(steps).toEqual([])
    const data = { id: 1 }
    const first = publisher.publish('ticket:1', sold, data)
    data.id = 9
    const others = [publisher.sendTo('7', sold, { id: 2 }), publisher.broadcast(closing, {})]
    expect(await first).toBeUndefined()
    await Promise.all([...others, publisher.publish('ticket:1', sold, { id: 3 })])
    expect(steps).toEqual(['start', 'publish {"id":1}', 'publish {"id":2}', 'publish {}', 'publish {"id":3}'])
    expect(published.map(({ publication }) => publication)).toEqual([
      { audience: { kind: 'topic', topic: 'ticket:1' }, pkgId: 100, data: { id: 1 }, cause: null },
      { audience: { kind: 'identity', identityId: '7' }, pkgId: 100, data: { id: 2 }, cause: null },
      { audience: { kind: 'all' }, pkgId: 101, data: {}, cause: null },
      { audience: { kind: 'topic', topic: 'ticket:1' }, pkgId: 100, data: { id: 3 }, cause: null },
    ])
    const ofTicket = { size: 500, ttlMs: 600_000 }
    expect(published.map(({ history }) => history)).toEqual([ofTicket, undefined, undefined, ofTicket])
    expect(nodes).toEqual([expect.objectContaining({ publishesOnly: true })])
  })

  it('opens by ready, once', async () => {
    const { broker, steps } = createRecorder()
    const { publisher } = create(broker)
    await Promise.all([publisher.ready(), publisher.ready()])
    await publisher.publish('ticket:1', sold, { id: 1 })
    expect(steps).toEqual(['start', 'publish {"id":1}'])
  })

  it('rejects what the broker did not take, and what an app would refuse', async () => {
    const failure = new Error('Redis did not answer')
    const { broker, steps } = createRecorder({ publish: () => Promise.reject(failure) })
    const { publisher } = create(broker)
    await expect(publisher.publish('ticket:1', sold, { id: 1 })).rejects.toBe(failure)
    await expect(publisher.publish('news', sold, { id: 1 })).rejects.toThrow(
      "The topic 'news' has no rule, so no connection can join it: add the rule of the app to createPublisher({ topics })",
    )
    const other = event({ summary: 'Another', data: v.object({ id: v.number() }) })
    await expect(publisher.broadcast(other, { id: 1 })).rejects.toThrow(
      "The event 'Another' is not an event of the publisher: add it to createPublisher({ events })",
    )
    // What JavaScript can pass.
    await expect(publisher.broadcast(sold, JSON.parse('{}'))).rejects.toThrow()
    await expect(publisher.broadcast(JSON.parse('{}'), JSON.parse('{}'))).rejects.toThrow('not made by event(…)')
    expect(steps).toEqual(['start'])
  })

  it('that cannot be opened says so at each use, and closes what was opened', async () => {
    const failure = new Error('Redis at 127.0.0.1:9 refuses connections: start it')
    const { broker, steps } = createRecorder({ start: () => Promise.reject(failure) })
    const { publisher } = create(broker)
    await expect(publisher.publish('ticket:1', sold, { id: 1 })).rejects.toBe(failure)
    await expect(publisher.ready()).rejects.toBe(failure)
    await publisher.close()
    expect(steps).toEqual(['close'])
  })

  it('logs a failure that nothing awaits', async () => {
    const { broker } = createRecorder({ publish: () => Promise.reject(new Error('gone')) })
    const { publisher, log } = create(broker)
    void publisher.broadcast(closing, {})
    await expect
      .poll(() => log.lines)
      .toEqual([
        expect.objectContaining({
          level: 'error',
          fields: { err: expect.objectContaining({ message: 'gone' }), promise: 'publisher.broadcast' },
        }),
      ])
  })

  it('closes once what it has accepted was sent', async () => {
    const gate = deferred()
    const { broker, steps } = createRecorder()
    const { publisher } = create({ ...broker, start: () => gate.promise })
    const sent = [publisher.broadcast(sold, { id: 1 }), publisher.broadcast(sold, { id: 2 })]
    const closed = publisher.close()
    expect(publisher.close()).toBe(closed)
    await expect(publisher.broadcast(sold, { id: 3 })).rejects.toMatchObject({
      code: 'wrong_state',
      message: 'The publisher is closed: create a new one',
    })
    expect(steps).toEqual([])
    gate.resolve()
    await Promise.all([...sent, closed])
    expect(steps).toEqual(['publish {"id":1}', 'publish {"id":2}', 'close'])
  })

  it('closes without having opened anything', async () => {
    const { broker, steps } = createRecorder()
    const { publisher } = create(broker)
    await publisher.close()
    await expect(publisher.ready()).rejects.toThrow('The publisher is closed')
    expect(steps).toEqual([])
  })

  it('does not wait forever, and closes the broker all the same', async () => {
    const clock = createVirtualClock()
    const { broker, steps } = createRecorder({ publish: () => new Promise(() => {}) })
    const { publisher } = create(broker, { clock, closeTimeoutMs: 300 })
    await publisher.ready()
    void publisher.broadcast(sold, { id: 1 })
    const closed = publisher.close()
    const failed = expect(closed).rejects.toThrow('What was published took longer than 300 ms')
    await Promise.resolve()
    await clock.advance(300)
    await failed
    expect(steps).toEqual(['start', 'close'])
  })

  it.each<[string, object, string, string]>([
    [
      'no broker',
      { broker: undefined },
      'bad_option',
      'createPublisher(): broker is required: pass the broker of the app',
    ],
    [
      'a broker of one process',
      { broker: memoryBroker() },
      'bad_option',
      'createPublisher(): broker is memory, which reaches this process only, and the connections of the app are in others: use redisBroker() of @twinwire/broker-redis here and in the app',
    ],
    [
      'an event without PkgID',
      { events: { SOLD: sold } },
      'unknown_route',
      'SOLD is not declared in pkgIds: add it, or remove the entry',
    ],
    [
      'a route among the events',
      { events: { GET_TICKET: route({ handler: () => '' }) } },
      'bad_route',
      'events.GET_TICKET was not made by event(…)',
    ],
    [
      'one event twice',
      { events: { TICKET_SOLD: sold, CLOSED: sold } },
      'duplicate_route',
      'Events TICKET_SOLD and CLOSED are the same definition: declare each with its own event(…)',
    ],
    [
      'an unknown option',
      { topic: {} },
      'unknown_option',
      "createPublisher(): topic is not an option. Did you mean 'topics'? Known options: broker, pkgIds, events, topics, environment, validateOutput, log, clock, closeTimeoutMs",
    ],
    ['a level that is none', { log: 'loud' }, 'bad_option', 'createPublisher(): log.level must be one of'],
  ])('is not created with %s', (_name, options, code, message) => {
    const { broker } = createRecorder()
    // What JavaScript can pass.
    const given = { broker, pkgIds, events: { TICKET_SOLD: sold }, ...options } as Parameters<typeof createPublisher>[0]
    try {
      createPublisher(given)
    } catch (error) {
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) })
      return
    }
    expect.fail('It was created')
  })
})
