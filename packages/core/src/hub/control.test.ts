import { afterEach, describe, expect, it } from 'vitest'
import { disconnects, type Identity, type Plugin, route } from '../index.ts'
import type { PluginControl } from '../plugin/plugin-control.ts'
import { plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createTestApp, createVirtualClock, onTransports } from '../testing.ts'
import { brokerOf } from './broker.fixtures.ts'
import { memoryBroker } from './memory-broker.ts'
import { createBrokerNetwork } from './network/network.fixtures.ts'

/** Ids of users that may not see the team any more. */
const removed = new Set<string>()
afterEach(() => removed.clear())

const options = {
  pkgIds: { JOIN: 1 },
  routes: {
    JOIN: route({
      handler: async (_input, call) => {
        await call.connection?.join('team:1')
        return call.connection?.id ?? null
      },
    }),
  },
  topics: {
    'team:*': { authorize: (identity: Identity | null) => identity !== null && !removed.has(identity.id) },
  },
} as const
const as = (token: string) => ({ handshake: { type: 'auth', token } })

/** A plugin that gets messages, and its sender once it is set up. */
function listening(name = 'probe') {
  const received: unknown[] = []
  let control: PluginControl | null = null
  const created: Plugin = plugin((host) => {
    control = host.onControl((data) => {
      received.push(data)
      if (data === 'throw') throw new Error('a handler failed')
      if (data === 'reject') return Promise.reject(new Error('a handler failed later'))
    })
  }, name)
  const send: PluginControl['send'] = (data, how) => {
    if (control === null) throw new Error('not set up')
    return control.send(data, how)
  }
  return { plugin: created, received, send }
}

describe('control', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    /** Two nodes of one app. */
    async function startTwo(plugins: readonly (readonly Plugin[])[] = [[], []]) {
      const network = createBrokerNetwork()
      const startNode = async (own: readonly Plugin[]) => {
        const broker = network.createBroker()
        return { broker, ...(await start({ ...options, broker, plugins: [testAuth(), ...own] })) }
      }
      const [one, other] = [await startNode(plugins[0] ?? []), await startNode(plugins[1] ?? [])]
      return { network, one, other, startNode }
    }

    it('disconnects an identity on all nodes, here at once', async () => {
      const { one, other } = await startTwo()
      const [here, there, bob] = [
        await one.client(as('ann')),
        await other.client(as('ann')),
        await other.client(as('bob')),
      ]
      const done = one.app.hub.disconnect({ identity: 'ann' }, { code: 4100, reason: 'Account closed' })
      expect(one.app.hub.ofIdentity('ann')).toEqual([])
      await done
      expect(await here.closed).toEqual({ code: 4100, reason: 'Account closed' })
      expect(await there.closed).toEqual({ code: 4100, reason: 'Account closed' })
      await bob.call('JOIN')
    })

    it('disconnects one connection or one session on whichever node it is, by default with 1000', async () => {
      const sessions: Plugin = plugin((host) => {
        host.identify(() => null)
        host.controlFrame(
          'auth',
          ({ token }) => ({ identity: { id: 'ann', name: 'ann', sessionId: String(token) }, reply: { type: 'ok' } }),
          {},
        )
      }, 'sessions')
      const network = createBrokerNetwork()
      const [one, other] = [
        await start({ ...options, broker: network.createBroker(), plugins: [sessions] }),
        await start({ ...options, broker: network.createBroker(), plugins: [sessions] }),
      ]
      const [phone, desk, tablet] = [
        await other.client(as('s-1')),
        await other.client(as('s-2')),
        await one.client(as('s-2')),
      ]
      await one.app.hub.disconnect({ connection: String(await phone.call('JOIN')) })
      expect(await phone.closed).toEqual({ code: 1000, reason: '' })
      expect(other.app.hub.size).toBe(1)
      await one.app.hub.disconnect({ session: 's-2' }, disconnects.sessionRevoked)
      expect([await desk.closed, await tablet.closed]).toMatchObject([{ code: 4004 }, { code: 4004 }])
    })

    it('reaches a node that was cut off, and there no connection that is opened later', async () => {
      const { one, other } = await startTwo()
      const early = await other.client(as('ann'))
      other.broker.cut()
      await one.app.hub.disconnect({ identity: 'ann' })
      expect(other.app.hub.size).toBe(1)
      other.broker.restore()
      expect(await early.closed).toMatchObject({ code: 1000 })
      const late = await other.client(as('ann'))
      other.broker.cut()
      other.broker.restore()
      await late.call('JOIN')
    })

    it('refresh takes topics away from an identity on all nodes', async () => {
      const { one, other } = await startTwo()
      const ann = as('ann')
      for (const client of [await one.client(ann), await other.client(ann), await other.client(as('bob'))])
        await client.call('JOIN')
      removed.add('ann').add('bob')
      await one.app.hub.refresh('ann')
      expect(one.app.hub.topicSize('team:1')).toBe(0)
      await until(() => other.app.hub.topicSize('team:1') === 1)
    })

    it('rejects what is wrong, and says what to change', async () => {
      const { one } = await startTwo()
      const { hub } = one.app
      // What JavaScript can pass.
      const wrong = [
        {},
        null,
        'ann',
        { identity: '' },
        { identity: 7 },
        { identity: 'a', session: 'b' },
        { user: 'ann' },
      ]
      for (const target of wrong) {
        const rejected = expect(hub.disconnect(target as { identity: string })).rejects
        await rejected.toThrow('hub.disconnect needs one of { identity }, { connection } or { session }, with an id')
      }
      for (const row of [
        { code: 1005, reason: '' },
        { code: 1.5, reason: '' },
        { code: 4000, reason: 'x'.repeat(124) },
      ])
        await expect(hub.disconnect({ identity: 'ann' }, row)).rejects.toThrow('the code must be 1000, 1008')
      await expect(hub.refresh('')).rejects.toThrow('hub.refresh needs the id of an identity')
      await expect(hub.presence('nowhere')).rejects.toThrow("the topic 'nowhere' has no rule")
      for (const limit of [0, 1001, 1.5]) await expect(hub.presence('team:1', { limit })).rejects.toThrow('limit')
    })

    it('lists the nodes', async () => {
      const { one, other, startNode } = await startTwo()
      expect(await one.app.hub.nodes()).toHaveLength(2)
      const third = await startNode([])
      const nodes = await other.app.hub.nodes()
      expect(new Set(nodes.map(({ id }) => id)).size).toBe(3)
      expect(nodes[0]).toMatchObject({ pid: process.pid, hostname: expect.any(String), startedAt: expect.any(Number) })
      await third.close()
      expect(await one.app.hub.nodes()).toHaveLength(2)
    })

    it('carries messages of a plugin to the other nodes, and to no other plugin', async () => {
      const [here, there, other] = [listening(), listening(), listening('other')]
      const { network } = await startTwo([[here.plugin], [there.plugin, other.plugin]])
      expect(await here.send({ n: 1 })).toBe(true)
      await network.settle()
      expect([here.received, there.received, other.received]).toEqual([[], [{ n: 1 }], []])
    })

    it('a handler that fails is logged, and harms no other message', async () => {
      const [here, there] = [listening(), listening()]
      const { other, network } = await startTwo([[here.plugin], [there.plugin]])
      for (const data of ['throw', 'reject', 'fine']) await here.send(data)
      await network.settle()
      expect(there.received).toEqual(['throw', 'reject', 'fine'])
      const failures = other.logs.filter(({ message }) => message === 'A plugin failed to handle a control message')
      expect(failures.map(({ fields }) => (fields.err as Error).message)).toEqual([
        'a handler failed',
        'a handler failed later',
      ])
    })

    it('messages that are kept reach nodes that were cut off, and nodes that start later', async () => {
      const [here, there, late, cutToo] = [listening(), listening(), listening(), listening()]
      const { other, network, startNode } = await startTwo([[here.plugin], [there.plugin]])
      other.broker.cut()
      await here.send('kept', { keepMs: 60_000 })
      await here.send('not kept')
      await startNode([late.plugin])
      other.broker.restore()
      await network.settle()
      expect([there.received, late.received]).toEqual([['kept'], ['kept']])
      other.broker.cut()
      other.broker.restore()
      await startNode([cutToo.plugin])
      await network.settle()
      expect([there.received, cutToo.received]).toEqual([['kept'], ['kept']])
    })

    it('refuses messages that are not JSON or too large', async () => {
      const { plugin, send } = listening()
      await startTwo([[plugin]])
      for (const data of [undefined, () => {}, { n: 1n }]) expect(() => send(data)).toThrow('must be JSON')
      expect(() => send('x'.repeat(64 * 1024))).toThrow('at most 65536 bytes')
      for (const keepMs of [-1, 0.5, Number.POSITIVE_INFINITY]) expect(() => send(1, { keepMs })).toThrow('keepMs')
    })
  })

  it('is synchronous with the memory broker', async () => {
    const probe = listening()
    const { app, close } = await createTestApp({ ...options, broker: memoryBroker(), plugins: [probe.plugin] })
    expect(probe.send('x')).toBe(true)
    expect(probe.received).toEqual([])
    await close()
    expect(probe.send('x', { keepMs: 1000 })).toBe(false)
    await expect(app.hub.nodes()).rejects.toMatchObject({ code: 'wrong_state' })
  })

  it('rejects when the broker does not take it, and sends it again', async () => {
    const clock = createVirtualClock()
    const messages: unknown[] = []
    let isDown = true
    const broker = brokerOf({
      control: (message) => {
        if (isDown) throw new Error('no connection')
        messages.push(message)
      },
    })
    const { app, close } = await createTestApp({ ...options, clock, broker })
    const how = { code: 'unavailable', message: expect.stringContaining('it is sent again for 60 s') }
    await expect(app.hub.disconnect({ identity: 'ann' })).rejects.toMatchObject(how)
    await expect(app.hub.refresh('ann')).rejects.toMatchObject(how)
    isDown = false
    await clock.advance(1000)
    expect(messages).toMatchObject([{ type: 'disconnect' }, { type: 'refresh' }])
    await close()
  })

  it('the close waits for messages that the broker did not take', async () => {
    const clock = createVirtualClock()
    const probe = listening()
    const messages: unknown[] = []
    let isDown = true
    const broker = brokerOf({
      control: ({ data }) => {
        if (isDown) throw new Error('no connection')
        messages.push(data)
      },
    })
    const { close } = await createTestApp({ ...options, clock, broker, plugins: [probe.plugin] })
    void probe.send('x', { keepMs: 60_000 })
    setImmediate(() => {
      isDown = false
    })
    await close()
    expect(messages).toMatchObject([{ body: { data: 'x' } }])
  })

  it('a message that arrives late spares connections that were opened after it was sent, whatever clocks say about seconds', async () => {
    const clock = createVirtualClock()
    const network = createBrokerNetwork()
    const broker = network.createBroker()
    const { app, client, close } = await createTestApp({ ...options, clock, broker, plugins: [testAuth()] })
    const [early, late] = [await client(as('ann')), await clock.advance(10_000).then(() => client(as('ann')))]
    const message = (id: string, at: number) => ({
      type: 'disconnect',
      data: { id, from: 'elsewhere', at, body: { target: { identity: 'ann' }, code: 1000, reason: '' } },
    })
    await broker.control(message('a', clock.now() - 9000), 0)
    expect(await early.closed).toMatchObject({ code: 1000 })
    expect(app.hub.size).toBe(1)
    await broker.control(message('b', clock.now() - 4000), 0)
    expect(await late.closed).toMatchObject({ code: 1000 })
    await close()
  })

  it('logs what it does not know once, and works on', async () => {
    const network = createBrokerNetwork()
    const broker = network.createBroker()
    const { app, logs, close } = await createTestApp({ ...options, broker })
    const id = () => Math.random().toString()
    const from = 'elsewhere'
    const bodies = [{}, { target: {}, code: 1000, reason: '' }, { target: { identity: 'a' }, code: 1, reason: '' }]
    const malformed = [null, 7, [], {}, { id: 1, from, at: 0, body: {} }, { id: 'a', from, at: 'x', body: {} }]
    for (const data of malformed) await broker.control({ type: 'disconnect', data }, 0)
    for (const body of bodies) await broker.control({ type: 'disconnect', data: { id: id(), from, at: 0, body } }, 0)
    for (const type of ['refresh', 'unknown', 'plugin:none', 'unknown', 'refresh'])
      await broker.control({ type, data: { id: id(), from, at: 0, body: {} } }, 0)
    await network.settle()
    const warnings = logs.filter(({ message }) => message.includes('was ignored'))
    expect(warnings.map(({ fields }) => fields.type)).toEqual(['disconnect', 'refresh', 'unknown', 'plugin:none'])
    const family = app.instruments.families().find(({ name }) => name === 'control_messages_total')
    const ignored = family?.cells.find(({ labels }) => labels.outcome === 'ignored')?.cell
    expect(ignored !== undefined && 'value' in ignored ? ignored.value : null).toBe(14)
    await close()
  })
})
