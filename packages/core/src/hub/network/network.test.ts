import { describe, expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { Instruments } from '../../base/instruments.ts'
import { createTestLogger } from '../../testing/test-logger.ts'
import type { Stream } from '../broker.ts'
import { createNodeInfo } from '../node-info.ts'
import { type BrokerNetwork, createBrokerNetwork } from './network.fixtures.ts'

const stream: Stream = { kind: 'topic', topic: 'news' }

function startNode(network: BrokerNetwork) {
  const broker = network.createBroker()
  const seen: string[] = []
  const info = createNodeInfo(systemClock)
  broker.start({
    info,
    clock: systemClock,
    log: createTestLogger(),
    instruments: new Instruments(),
    deliver: ({ data }, position) => void seen.push(`${data} ${position?.epoch}:${position?.offset}`),
    gap: (_, position) => void seen.push(`gap ${position?.epoch}:${position?.offset}`),
    control: ({ type }) => void seen.push(type),
    presence: ({ kind, member }) => void seen.push(`${kind} ${member.connection}`),
  })
  const say = (data: string) => broker.publish({ audience: stream, pkgId: 1, data, cause: null }, undefined, null)
  return { broker, seen, say, info }
}

describe('a network of brokers', () => {
  it('delivers to each node that subscribes, its own included, and fills what a cut node has missed', async () => {
    const network = createBrokerNetwork()
    const [a, b] = [startNode(network), startNode(network)]
    expect(await a.broker.subscribe(stream, undefined)).toEqual({ epoch: 'e1', offset: 0 })
    await b.broker.subscribe(stream, undefined)
    expect(await a.say('x')).toEqual({ epoch: 'e1', offset: 1 })
    await network.settle()
    b.broker.cut()
    await expect(b.say('never')).rejects.toThrow('cannot be reached')
    await a.say('y')
    b.broker.restore()
    await network.settle()
    expect([a.seen, b.seen]).toEqual([
      ['x e1:1', 'y e1:2'],
      ['x e1:1', 'y e1:2'],
    ])
  })

  it('tells of what is lost by a gap: trimmed, or with the server', async () => {
    const network = createBrokerNetwork()
    const [a, b] = [startNode(network), startNode(network)]
    await a.broker.subscribe(stream, undefined)
    await b.broker.subscribe(stream, undefined)
    b.broker.cut()
    await a.say('x')
    network.trim(stream, 0)
    b.broker.restore()
    await network.settle()
    expect(b.seen).toEqual(['gap e1:1'])
    network.empty()
    await network.settle()
    await a.say('y')
    await network.settle()
    expect(a.seen).toEqual(['x e1:1', 'gap e2:0', 'y e2:1'])
    expect(b.seen).toEqual(['gap e1:1', 'gap e2:0', 'y e2:1'])
  })

  it('keeps members until the lease of their node is over, and messages for those that are cut off', async () => {
    const network = createBrokerNetwork()
    const [a, b] = [startNode(network), startNode(network)]
    await a.broker.subscribe(stream, undefined)
    b.broker.cut()
    await a.broker.control({ type: 'revoke', data: 1 }, 1000)
    b.broker.restore()
    await b.broker.join('news', { connection: '1', identity: null, info: null })
    await network.settle()
    b.broker.kill()
    expect((await a.broker.presence('news', null, 10)).members).toHaveLength(1)
    network.expire(b.info.id)
    expect((await a.broker.presence('news', null, 10)).members).toHaveLength(0)
    await network.settle()
    expect(a.seen).toEqual(['revoke', 'joined 1', 'left 1'])
    expect(b.seen).toEqual(['revoke'])
    expect(await a.broker.nodes()).toEqual([a.info])
  })

  it('lets a test choose each step', async () => {
    const network = createBrokerNetwork({ manual: true })
    const a = startNode(network)
    void a.broker.subscribe(stream, undefined)
    void a.say('x')
    expect(network.steps().map(({ what }) => what)).toEqual([
      'node 0: execute subscribe :news',
      'node 0: execute publish :news',
    ])
    await network.settle(() => 0)
    expect(a.seen).toEqual(['x e1:1'])
    expect(network.server.log).toHaveLength(1)
  })
})
