import { describe, expect, it } from 'vitest'
import { Instruments } from '../base/instruments.ts'
import { thrownBy } from '../testing/boot.fixtures.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { Broker, Position, Stream, StreamHistory } from './broker.ts'
import { type MemoryBrokerOptions, memoryBroker } from './memory-broker.ts'
import { createNodeInfo } from './node-info.ts'

const topic: Stream = { kind: 'topic', topic: 'a' }
const declared = { size: 3, ttlMs: 1000 }
const day = 24 * 60 * 60 * 1000

async function start(options: MemoryBrokerOptions = {}) {
  const clock = createVirtualClock()
  const broker = memoryBroker(options)
  await broker.start({
    info: createNodeInfo(clock),
    clock,
    log: createTestLogger(),
    instruments: new Instruments(),
    deliver: () => {},
    gap: () => {},
    control: () => {},
    presence: () => {},
  })
  return { clock, broker }
}

async function publish(broker: Broker, history: StreamHistory, data: unknown = null): Promise<Position | null> {
  return broker.publish({ audience: topic, pkgId: 1, data, cause: null }, history, null)
}
async function isComplete(broker: Broker, history: StreamHistory, since: Position | null): Promise<unknown> {
  const page = await broker.history(topic, history, since, 100)
  return page?.complete
}

describe('memoryBroker', () => {
  it('keeps nothing of a stream that declares nothing until it is subscribed to', async () => {
    const { broker } = await start()
    expect(await publish(broker, undefined)).toBe(null)
    const position = await broker.subscribe(topic, undefined)
    expect(position).toMatchObject({ offset: 0 })
    expect(await publish(broker, undefined)).toMatchObject({ offset: 1 })
    expect(await isComplete(broker, undefined, position)).toBe(true)
  })

  it('keeps what is declared from the first publication on', async () => {
    const { broker } = await start()
    const first = await publish(broker, declared)
    expect(first).toMatchObject({ offset: 1 })
    expect(await isComplete(broker, declared, { epoch: first?.epoch ?? '', offset: 0 })).toBe(true)
  })

  it('drops entries after their time, and knows the position for a day longer', async () => {
    const { broker, clock } = await start()
    const first = await publish(broker, declared)
    await clock.advance(999)
    expect(await isComplete(broker, declared, { epoch: first?.epoch ?? '', offset: 0 })).toBe(true)
    const second = await publish(broker, declared)
    await clock.advance(1000)
    expect(await isComplete(broker, declared, first)).toBe(false)
    await clock.advance(day - 2000)
    expect(await isComplete(broker, declared, second)).toBe(true)
    expect(await publish(broker, declared)).toEqual({ epoch: first?.epoch, offset: 3 })
    await clock.advance(day + 2000)
    expect((await publish(broker, declared))?.offset).toBe(1)
    expect((await publish(broker, declared))?.epoch).not.toBe(first?.epoch)
  })

  it('counts what no client came back for, without keeping it', async () => {
    const { broker, clock } = await start({ history: { size: 5, ttlMs: 1000 } })
    const position = await broker.subscribe(topic, undefined)
    broker.unsubscribe(topic)
    await clock.advance(500)
    await publish(broker, undefined)
    expect(await isComplete(broker, undefined, position)).toBe(true)
    await clock.advance(2000)
    expect(await publish(broker, undefined)).toEqual({ epoch: position?.epoch, offset: 2 })
    expect(await isComplete(broker, undefined, { epoch: position?.epoch ?? '', offset: 1 })).toBe(false)
  })

  it('does not remember streams forever', async () => {
    const { broker, clock } = await start()
    for (let i = 0; i < 1000; i++)
      await broker.history({ kind: 'topic', topic: String(i) }, { size: 1, ttlMs: 1 }, null, 1)
    const before = await broker.history({ kind: 'topic', topic: '999' }, declared, null, 1)
    await clock.advance(day + 2000)
    // What has expired is dropped by publications of other streams.
    for (let i = 0; i < 1000; i++) await publish(broker, declared)
    const after = await broker.history({ kind: 'topic', topic: '999' }, declared, null, 1)
    expect(after?.position.epoch).not.toBe(before?.position.epoch)
  })

  it('refuses a publication that a history may not hold, and loses nothing else by it', async () => {
    const { broker } = await start({ maxEntryBytes: 100 })
    const first = await publish(broker, declared, 'x')
    await expect(publish(broker, declared, 'x'.repeat(99))).rejects.toThrow(
      'The data of a publication has more than 100 bytes, the most that the history of its stream may hold: publish less at once, or set history: false for its topic',
    )
    expect(await publish(broker, declared, 'x'.repeat(98))).toEqual({ epoch: first?.epoch, offset: 2 })
    expect(await publish(broker, false, 'x'.repeat(1000))).toBe(null)
  })

  it.each([
    [
      { history: { size: 0, ttlMs: 1 } },
      'memoryBroker(): history.size must be an integer from 1 to 100000, received 0',
    ],
    [
      { history: { size: 1, ttlMs: 0 } },
      'memoryBroker(): history.ttlMs must be an integer from 1 to 86400000 (milliseconds), received 0',
    ],
    [{ history: { size: 1, ttlMs: 1, ttl: 1 } }, 'memoryBroker(): history.ttl'],
    [{ maxEntryBytes: 0 }, 'memoryBroker(): maxEntryBytes must be an integer of at least 1 (bytes), received 0'],
    [{ size: 1 }, 'memoryBroker(): size'],
  ])('checks its options: %j', (options, message) => {
    expect(thrownBy(() => Reflect.apply(memoryBroker, null, [options])).message).toContain(message)
  })
})
