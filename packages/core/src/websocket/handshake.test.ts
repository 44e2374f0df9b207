import { afterEach, describe, expect, it } from 'vitest'
import { type Connection, Disconnect, disconnects, route } from '../index.ts'
import type { DisconnectOutcome } from '../plugin.ts'
import { auth, deferred, nextJson, packet, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const options = {
  pkgIds: { WHO: 1 },
  routes: { WHO: route({ handler: (_input, call) => call.identity?.id ?? null }) },
} as const

/** What onConnect and onDisconnect were told. */
function probe(onConnect: (connection: Connection) => void | Promise<void> = () => {}) {
  const connects: Connection[] = []
  const ends: DisconnectOutcome[] = []
  const hooks = plugin((host) => {
    host.onConnect((connection) => {
      connects.push(connection)
      return onConnect(connection)
    })
    host.onDisconnect((_connection, outcome) => void ends.push(outcome))
  })
  return { connects, ends, hooks }
}

describe('the handshake', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('admits with auth_ok, after which calls have the identity', async () => {
      const { connects, ends, hooks } = probe()
      const { connect, app } = await start({ ...options, plugins: [testAuth(), hooks] })
      const socket = await connect()
      socket.send(auth('ann'))
      expect((await socket.next()).data).toBe('{"type":"auth_ok"}')
      expect(app.hub.ofIdentity('ann')).toHaveLength(1)
      socket.send(packet(1))
      expect((await nextJson(socket)).data).toBe('ann')
      socket.close(1000)
      await until(() => ends.length === 1)
      expect(ends).toEqual([{ code: 1000, reason: '', admitted: true }])
      expect(connects).toHaveLength(1)
      expect(app.hub.size).toBe(0)
    })

    const bad: readonly [string, string | Uint8Array][] = [
      ['nothing', ''],
      ['no JSON', 'auth'],
      ['half a frame', '{"type":"auth"'],
      ['an array', '[]'],
      ['an array with the fields', '[{"type":"auth","token":"ann"}]'],
      ['a number', '7'],
      ['a string', '"auth"'],
      ['null', 'null'],
      ['true', 'true'],
      ['no type', '{"token":"ann"}'],
      ['another type', '{"type":"hello","token":"ann"}'],
      ['a type that is not a string', '{"type":["auth"],"token":"ann"}'],
      ['a package', packet(1)],
      ['no token', '{"type":"auth"}'],
      ['a token that is not a string', '{"type":"auth","token":{"a":1}}'],
      ['a token that is null', '{"type":"auth","token":null}'],
      ['a bad token', auth('bad')],
      ['a binary frame', new TextEncoder().encode(auth('ann'))],
      ['more than 256 KiB', auth('x'.repeat(256 * 1024))],
      ['a nesting without end', '['.repeat(100_000)],
    ]
    it.each(bad)('ends with 4001 when the first frame is %s [defect 12]', async (_name, frame) => {
      const { connects, ends, hooks } = probe()
      const { connect, app, logs } = await start({ ...options, plugins: [testAuth(), hooks] })
      const socket = await connect()
      socket.send(frame)
      expect(await socket.closed).toEqual({ code: 4001, reason: 'Unauthorized' })
      await until(() => ends.length === 1)
      expect(ends).toEqual([{ code: 4001, reason: 'Unauthorized', admitted: false }])
      expect(connects).toEqual([])
      expect(socket.frames).toEqual([])
      expect(app.hub.size).toBe(0)
      expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
      const rejected = app.instruments.families().find(({ name }) => name === 'ws_connections_total')
      const count = rejected?.cells.find(({ labels }) => labels.status === 'rejected_auth')
      expect(count?.cell).toMatchObject({ value: 1 })
    })

    it('ends with 4002 when no frame came for 5 s', async () => {
      const clock = createVirtualClock()
      const { ends, hooks } = probe()
      const { connect, app } = await start({ ...options, clock, plugins: [testAuth(), hooks] })
      const socket = await connect()
      await clock.advance(4999)
      expect(ends).toEqual([])
      await clock.advance(1)
      expect(await socket.closed).toEqual({ code: 4002, reason: 'Authentication timeout' })
      expect(ends).toEqual([{ code: 4002, reason: 'Authentication timeout', admitted: false }])
      const rejected = app.instruments.families().find(({ name }) => name === 'ws_connections_total')
      expect(rejected?.cells.find(({ labels }) => labels.status === 'rejected_auth_timeout')?.cell).toMatchObject({
        value: 1,
      })
    })

    it('does not time out clients that were in time', async () => {
      const clock = createVirtualClock()
      const { client } = await start({ ...options, clock, plugins: [testAuth()] })
      const one = await client({ handshake: { type: 'auth', token: 'ann' } })
      await clock.advance(10_000)
      expect(await one.call('WHO')).toBe('ann')
    })

    it('holds what comes while the token is verified, and runs it in order behind auth_ok', async () => {
      const verified = deferred()
      const { connect, app } = await start({ ...options, plugins: [testAuth({ verify: () => verified.promise })] })
      const socket = await connect()
      socket.send(auth('ann'))
      const ids = Array.from({ length: 5 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`)
      for (const id of ids) socket.send(packet(1, {}, id))
      const received = app.instruments.families().find(({ name }) => name === 'ws_messages_received_total')
      await until(
        () => received?.cells[0]?.cell instanceof Object && (received.cells[0].cell as { value: number }).value === 6,
      )
      expect(app.hub.size).toBe(0)
      verified.resolve()
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok' })
      for (const id of ids) expect(await nextJson(socket)).toMatchObject({ req_id: id, data: 'ann' })
    })

    it.each([
      ['65 frames', Array.from({ length: 65 }, () => packet(1))],
      ['more than 256 KiB', Array.from({ length: 3 }, () => packet(1, { a: 'x'.repeat(100 * 1024) }))],
    ])('ends with 1008 when %s have to be held', async (_name, frames) => {
      const { ends, hooks } = probe()
      const { connect } = await start({
        ...options,
        plugins: [testAuth({ verify: () => new Promise(() => {}) }), hooks],
      })
      const socket = await connect()
      socket.send(auth('ann'))
      for (const frame of frames) socket.send(frame)
      expect(await socket.closed).toEqual({ code: 1008, reason: 'Too many held frames' })
      await until(() => ends.length === 1)
      expect(ends[0]?.admitted).toBe(false)
      expect(socket.frames).toEqual([])
    })

    it('holds 64 frames', async () => {
      const verified = deferred()
      const { connect } = await start({ ...options, plugins: [testAuth({ verify: () => verified.promise })] })
      const socket = await connect()
      socket.send(auth('ann'))
      for (let i = 0; i < 64; i++) socket.send(packet(1))
      verified.resolve()
      for (let i = 0; i < 65; i++) await socket.next()
    })

    it.each(['throws a Disconnect', 'closes'])('lets onConnect end it before auth_ok (%s)', async (how) => {
      const row = disconnects.tooManyConnections
      const sawHub: number[] = []
      const { ends, hooks } = probe(async (connection) => {
        sawHub.push(size())
        if (how === 'closes') connection.close(row)
        else throw new Disconnect(row)
      })
      const later = probe()
      const { connect, app } = await start({
        ...options,
        plugins: [testAuth(), hooks, { ...later.hooks, name: 'later' }],
      })
      const size = () => app.hub.size
      const socket = await connect()
      socket.send(auth('ann'))
      expect(await socket.closed).toEqual({ code: 1008, reason: 'Maximum concurrent connections exceeded' })
      await until(() => ends.length === 1)
      expect(ends).toEqual([{ code: 1008, reason: row.reason, admitted: false }])
      expect(socket.frames).toEqual([])
      expect(sawHub).toEqual([0])
      expect(later.connects).toEqual([])
    })

    it('asks no further onConnect when the client has left during one', async () => {
      const first = deferred()
      const waiting = probe(() => first.promise)
      const later = probe()
      const { connect } = await start({
        ...options,
        plugins: [testAuth(), waiting.hooks, { ...later.hooks, name: 'later' }],
      })
      const socket = await connect()
      socket.send(auth('ann'))
      await until(() => waiting.connects.length === 1)
      socket.terminate()
      await until(() => waiting.ends.length === 1)
      first.resolve()
      await new Promise((resolve) => setImmediate(resolve))
      expect(later.connects).toEqual([])
      expect(later.ends).toMatchObject([{ code: 1006, admitted: false }])
    })

    it('ends with 1011 when it fails for no fault of the client, and logs why', async () => {
      const { ends, hooks } = probe()
      const failing = testAuth({ verify: () => Promise.reject(new Error('the issuer does not answer')) })
      const { connect, logs } = await start({ ...options, plugins: [failing, hooks] })
      const socket = await connect()
      socket.send(auth('ann'))
      expect(await socket.closed).toEqual({ code: 1011, reason: 'Internal error' })
      await until(() => ends.length === 1)
      expect(ends[0]?.admitted).toBe(false)
      expect(logs.filter(({ level }) => level === 'error')).toMatchObject([
        { fields: { err: { message: 'the issuer does not answer' } } },
      ])
    })

    it('keeps a socket out of hub, topics and broadcasts until it is admitted', async () => {
      const admitted = deferred()
      const joined: string[] = []
      const { connects, hooks } = probe(async (connection) => {
        await connection.join('news').then(
          () => joined.push('joined'),
          () => joined.push('refused'),
        )
        await admitted.promise
      })
      const { connect, app } = await start({
        ...options,
        topics: { news: { authorize: () => true } },
        plugins: [testAuth(), hooks],
      })
      const socket = await connect()
      socket.send(auth('ann'))
      await until(() => joined.length === 1)
      expect([app.hub.size, app.hub.topicSize('news'), app.hub.ofIdentity('ann').length]).toEqual([0, 0, 0])
      expect(connects[0]?.admitted).toBe(false)
      admitted.resolve()
      await socket.next()
      expect([app.hub.size, app.hub.ofIdentity('ann').length]).toEqual([1, 1])
      expect(connects[0]?.admitted).toBe(true)
    })
  })
})
