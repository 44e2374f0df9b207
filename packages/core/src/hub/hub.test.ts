import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { Publication } from '../call/publication.ts'
import { event, type Identity, route } from '../index.ts'
import { nextJson, testAuth, until } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'
import type { BrokerNode } from '../transport.ts'
import { brokerOf } from './broker.fixtures.ts'

const zero = '00000000-0000-0000-0000-000000000000'
const said = event({ data: v.object({ text: v.string(), at: v.optional(v.date()) }) })
const stranger = event({ data: v.object({}) })
const topic = v.object({ topic: v.string() })
const options = {
  pkgIds: { JOIN: 1, LEAVE: 2, SAY: 3, SHOUT: 4, TELL: 5, STRANGE: 6, SAID: 100 },
  routes: {
    JOIN: route({
      input: topic,
      handler: async (input, call) => {
        await call.connection?.join(input.topic)
        return null
      },
    }),
    LEAVE: route({ input: topic, handler: (input, call) => call.connection?.leave(input.topic) }),
    SAY: route({
      http: 'POST /say',
      access: 'public',
      input: topic,
      handler: (input, call) => call.publish(input.topic, said, { text: 'topic' }),
    }),
    SHOUT: route({ handler: (_input, call) => call.broadcast(said, { text: 'all' }) }),
    TELL: route({
      input: v.object({ id: v.string() }),
      handler: ({ id }, call) => call.sendTo(id, said, { text: 'you' }),
    }),
    STRANGE: route({ handler: (_input, call) => call.broadcast(stranger, {}) }),
  },
  events: { SAID: said },
  topics: {
    'chat:*': { authorize: () => true },
    'chat:secret': { authorize: async (identity: Identity | null) => identity?.id === 'ann' },
    'own:*': { authorize: (identity: Identity | null, name: string) => name === `own:${identity?.id}` },
    broken: {
      authorize: () => {
        throw new Error('no database')
      },
    },
  },
} as const
const as = (token: string) => ({ handshake: { type: 'auth', token } })

describe('the hub', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('carries an event to the sockets of a topic, with the zero req_id and no status [defect 32]', async () => {
      const { connect, client, app, request } = await start(options)
      const raw = await connect()
      raw.send(JSON.stringify({ pkg_id: 1, req_id: zero, data: { topic: 'chat:1' } }))
      await raw.next()
      const other = await client()
      await other.call('JOIN', { topic: 'chat:2' })
      expect((await request('POST /say', { json: { topic: 'chat:1' } })).status).toBe(204)
      expect((await raw.next()).data).toBe(`{"pkg_id":100,"req_id":"${zero}","data":{"text":"topic"}}`)
      void app.hub.publish('chat:2', said, { text: 'from outside', at: new Date(0) })
      expect(await other.nextEvent('SAID')).toEqual({ text: 'from outside', at: '1970-01-01T00:00:00.000Z' })
      expect([app.hub.topicSize('chat:1'), app.hub.topicSize('chat:2'), app.hub.topicSize('chat:3')]).toEqual([1, 1, 0])
    })

    it('projects what is sent on the schema of the event', async () => {
      const { connect, app } = await start(options)
      const socket = await connect()
      await until(() => app.hub.size === 1)
      void app.hub.broadcast(said, Object.assign({ text: 'x' }, { password: 'secret' }))
      expect((await nextJson(socket)).data).toEqual({ text: 'x' })
      expect(() => app.hub.broadcast(said, { text: 1 as unknown as string })).toThrow('text')
    })

    it('stops at a leave, and leaving twice or what was never joined is fine', async () => {
      const { client, app } = await start(options)
      const [one, other] = [await client(), await client()]
      await one.call('JOIN', { topic: 'chat:1' })
      await one.call('JOIN', { topic: 'chat:1' })
      await other.call('JOIN', { topic: 'chat:1' })
      expect(app.hub.topicSize('chat:1')).toBe(2)
      await one.call('LEAVE', { topic: 'chat:1' })
      await one.call('LEAVE', { topic: 'chat:1' })
      await one.call('LEAVE', { topic: 'never' })
      await other.call('SAY', { topic: 'chat:1' })
      await other.nextEvent('SAID')
      await one.call('SHOUT')
      expect(await one.nextEvent('SAID')).toEqual({ text: 'all' })
    })

    it('admits no connection without a rule, against its rule, or when the rule fails', async () => {
      const { client, app, logs } = await start({ ...options, plugins: [testAuth()] })
      const ann = await client(as('ann'))
      const bob = await client(as('bob'))
      await ann.call('JOIN', { topic: 'chat:secret' })
      await ann.call('JOIN', { topic: 'own:ann' })
      for (const name of ['chat:secret', 'own:ann', 'nowhere', 'chat', '']) {
        await expect(bob.call('JOIN', { topic: name })).rejects.toMatchObject({ code: 'permission_denied', rspCode: 3 })
      }
      await expect(bob.call('JOIN', { topic: 'broken' })).rejects.toMatchObject({ code: 'internal_error' })
      expect(logs.some(({ fields }) => (fields.err as Error | undefined)?.message === 'no database')).toBe(true)
      expect([app.hub.topicSize('chat:secret'), app.hub.topicSize('own:ann')]).toEqual([1, 1])
    })

    it('reaches every socket of one identity and no others; one that closes leaves the other [defect 31]', async () => {
      const { client, app } = await start({ ...options, plugins: [testAuth()] })
      const [phone, desk, bob] = [await client(as('ann')), await client(as('ann')), await client(as('bob'))]
      await phone.call('JOIN', { topic: 'chat:1' })
      await desk.call('JOIN', { topic: 'chat:1' })
      await bob.call('TELL', { id: 'ann' })
      expect(await phone.nextEvent('SAID')).toEqual({ text: 'you' })
      expect(await desk.nextEvent('SAID')).toEqual({ text: 'you' })
      phone.close()
      await until(() => app.hub.size === 2)
      expect([app.hub.ofIdentity('ann').length, app.hub.topicSize('chat:1')]).toEqual([1, 1])
      await bob.call('TELL', { id: 'ann' })
      expect(await desk.nextEvent('SAID')).toEqual({ text: 'you' })
      await bob.call('TELL', { id: 'unknown' })
      await bob.call('SHOUT')
      expect(await bob.nextEvent('SAID')).toEqual({ text: 'all' })
      desk.terminate()
      await until(() => app.hub.size === 1)
      expect([app.hub.ofIdentity('ann').length, app.hub.topicSize('chat:1')]).toEqual([0, 0])
    })

    it('finds a connection by its id, and ends it when asked', async () => {
      const { client, app } = await start({ ...options, plugins: [testAuth()] })
      const ann = await client(as('ann'))
      const [connection] = app.hub.ofIdentity('ann')
      if (connection === undefined) throw new Error('not there')
      expect(app.hub.get(connection.id)).toBe(connection)
      expect(connection).toMatchObject({ address: '127.0.0.1', admitted: true, topics: [], inFlight: 0 })
      connection.close({ code: 4004, reason: 'Session revoked' })
      expect(await ann.closed).toEqual({ code: 4004, reason: 'Session revoked' })
      expect(app.hub.get(connection.id)).toBeUndefined()
      connection.close()
    })

    it('publishes to no topic that the app does not declare, on both wires and from outside of calls', async () => {
      const { client, app, request, logs } = await start(options)
      const message =
        "The topic 'rooom:1' has no rule, so no connection can join it: add a rule to createApp({ topics })"
      await expect((await client()).call('SAY', { topic: 'rooom:1' })).rejects.toMatchObject({ code: 'internal_error' })
      expect((await request('POST /say', { json: { topic: 'rooom:1' } })).status).toBe(500)
      const errors = logs.filter(({ level }) => level === 'error').map(({ fields }) => fields.err)
      expect(errors).toEqual([expect.objectContaining({ message }), expect.objectContaining({ message })])
      expect(() => app.hub.publish('rooom:1', said, { text: 'x' })).toThrow(message)
      // A declared topic may be empty.
      expect(() => app.hub.publish('chat:empty', said, { text: 'x' })).not.toThrow()
      expect(() => app.hub.publish('broken', said, { text: 'x' })).not.toThrow()
    })

    it('sends to no identity where no connection can have one', async () => {
      const { client, app } = await start(options)
      const message = /^sendTo needs connections with an identity, and no plugin provides identities/
      await expect((await client()).call('TELL', { id: 'ann' })).rejects.toMatchObject({ code: 'internal_error' })
      expect(() => app.hub.sendTo('ann', said, { text: 'x' })).toThrow(message)
      const owned = await start({ ...options, plugins: [testAuth()] })
      expect(() => owned.app.hub.sendTo('unknown', said, { text: 'x' })).not.toThrow()
    })

    it('admits a connection for `true` alone, and keeps it for `true` alone', async () => {
      // What JavaScript may answer.
      const authorize = () => 'yes' as unknown as boolean
      const { client, app } = await start({ ...options, topics: { 'chat:*': { authorize } } })
      await expect((await client()).call('JOIN', { topic: 'chat:1' })).rejects.toMatchObject({
        code: 'permission_denied',
      })
      expect(app.hub.topicSize('chat:1')).toBe(0)
    })

    it('fails a call that sends an event which the app does not list', async () => {
      const { client, app, logs } = await start(options)
      await expect((await client()).call('STRANGE')).rejects.toMatchObject({ code: 'internal_error' })
      const message =
        'This event is not an event of the app: add it to createApp({ events }), or in a plugin with host.event(…)'
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ message })
      expect(() => app.hub.broadcast(stranger, {})).toThrow(message)
      expect(() => app.hub.publish('chat:1', stranger, {})).toThrow(message)
      expect(() => app.hub.sendTo('ann', stranger, {})).toThrow(message)
      const named = event({ summary: 'It rains', data: v.object({}) })
      expect(() => app.hub.broadcast(named, {})).toThrow("The event 'It rains' is not an event of the app")
      // @ts-expect-error a route is not an event
      expect(() => app.hub.broadcast(options.routes.SHOUT, {})).toThrow('The published event was not made by event(…)')
    })

    it('keeps the order of what is published', async () => {
      const { client, app } = await start(options)
      const one = await client()
      await one.call('JOIN', { topic: 'chat:1' })
      for (let i = 0; i < 200; i++) void app.hub.publish('chat:1', said, { text: String(i) })
      for (let i = 0; i < 200; i++) expect(await one.nextEvent('SAID')).toEqual({ text: String(i) })
    })

    it('hands publications to the broker of the app, and takes them from it', async () => {
      const carried: Publication[] = []
      let deliver: BrokerNode['deliver'] = () => {}
      const broker = brokerOf({
        start: (node) => {
          deliver = node.deliver
        },
        publish: (publication) => {
          carried.push(publication)
          return null
        },
      })
      const { client, app } = await start({ ...options, broker })
      const one = await client()
      void app.hub.broadcast(said, { text: 'carried' })
      expect(carried).toEqual([{ audience: { kind: 'all' }, pkgId: 100, data: { text: 'carried' }, cause: null }])
      for (const publication of carried) deliver(publication, null)
      expect(await one.nextEvent('SAID')).toEqual({ text: 'carried' })
    })

    it('logs and counts what a broker fails to carry later: a client can not end the process by it', async () => {
      const broker = brokerOf({ publish: async () => Promise.reject(new Error('no Redis')) })
      const { client, app, logs } = await start({ ...options, broker })
      await (await client()).call('SHOUT')
      await until(() => logs.some(({ level }) => level === 'error'))
      expect(logs.filter(({ level }) => level === 'error')).toMatchObject([
        { fields: { err: { message: 'no Redis' } } },
      ])
      const family = app.instruments.families().find(({ name }) => name === 'ws_broadcast_errors_total')
      expect(family?.cells[0]?.cell).toMatchObject({ value: 1 })
    })

    it('reaches 500 sockets with one event', async () => {
      const { client, app } = await start(options)
      const clients = await Promise.all(Array.from({ length: 500 }, () => client()))
      await until(() => app.hub.size === 500)
      void app.hub.broadcast(said, { text: 'all of you' })
      const heard = await Promise.all(clients.map((one) => one.nextEvent('SAID')))
      expect(new Set(heard.map(({ text }) => text))).toEqual(new Set(['all of you']))
    }, 30_000)
  })
})
