import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { brokerOf } from '../hub/broker.fixtures.ts'
import type { Broker } from '../hub/broker.ts'
import { event, type Identity, route, UnavailableError } from '../index.ts'
import { deferred, nextJson, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const changed = event({ data: v.record(v.string(), v.union([v.number(), v.string()])) })
const pkgIds = { JOIN: 1, LEAVE: 2, CHANGED: 10 }
const events = { CHANGED: changed }
const routes = {
  JOIN: route({ handler: (_input, call) => call.connection?.join('chat:1') }),
  LEAVE: route({ handler: (_input, call) => call.connection?.leave('chat:1') }),
}
const open = { subscribe: true, authorize: () => true }
const topics = {
  'chat:*': open,
  secret: { authorize: () => true },
  closed: { subscribe: true, authorize: () => false },
}
const app = { pkgIds, routes, events, topics }

type Frame = Readonly<Record<string, unknown>>
const subscribe = (topic: unknown, more: object = {}, id: unknown = 1) =>
  JSON.stringify({ type: 'subscribe', id, topic, ...more })
const unsubscribe = (topic: string, id: unknown = 2) => JSON.stringify({ type: 'unsubscribe', id, topic })

describe('subscribe', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is answered with the position; events that follow have it in meta, and other connections see none', async () => {
      const { connect, app: running } = await start(app)
      const [one, other] = [await connect(), await connect()]
      one.send(subscribe('chat:1', {}, 'a'))
      const { epoch, ...answer } = await nextJson<Frame>(one)
      expect(answer).toEqual({ type: 'subscribed', id: 'a', topic: 'chat:1', offset: 0, recovered: false })
      other.send(JSON.stringify({ pkg_id: 1, req_id: '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f', data: {} }))
      await nextJson(other)
      void running.hub.publish('chat:1', changed, { n: 1 })
      expect(await nextJson(one)).toMatchObject({ meta: { topic: 'chat:1', epoch, offset: 1, cause: null } })
      expect(await nextJson(other)).not.toHaveProperty('meta')
    })

    it('has events name the call that published them', async () => {
      const say = route({ handler: (_input, call) => call.publish('chat:1', changed, { n: 1 }) })
      const { connect } = await start({ ...app, pkgIds: { ...pkgIds, SAY: 3 }, routes: { ...routes, SAY: say } })
      const one = await connect()
      one.send(subscribe('chat:1'))
      await nextJson(one)
      const reqId = '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f'
      one.send(JSON.stringify({ pkg_id: 3, req_id: reqId, data: {} }))
      // With a broker on Redis the reply may come first.
      const frames = [await nextJson<Frame>(one), await nextJson<Frame>(one)]
      expect(frames.find(({ pkg_id }) => pkg_id === 10)).toMatchObject({ meta: { topic: 'chat:1', cause: reqId } })
    })

    it('with since sends what was missed before the answer, and nothing twice', async () => {
      const { client, app: running } = await start(app)
      const one = await client()
      const { position } = await one.subscribe('chat:1')
      await running.hub.publish('chat:1', changed, { n: 1 })
      await running.hub.publish('chat:1', changed, { n: 2 })
      one.terminate()
      const again = await client()
      const resumed = again.subscribe('chat:1', { since: position })
      expect(await again.nextEvent('CHANGED')).toEqual({ n: 1 })
      expect(await again.nextEvent('CHANGED')).toEqual({ n: 2 })
      expect(await resumed).toEqual({ position: { ...position, offset: 2 }, recovered: true })
    })

    it.each([
      ['of another epoch', { epoch: 'other', offset: 0 }],
      ['from the future', { epoch: null, offset: 99 }],
    ])('with a position %s is answered with recovered: false', async (_which, wrong) => {
      const { client } = await start(app)
      const one = await client()
      const { position } = await one.subscribe('chat:1')
      const other = await client()
      expect(position).not.toBeNull()
      const since = { epoch: wrong.epoch ?? position?.epoch ?? '', offset: wrong.offset }
      expect(await other.subscribe('chat:1', { since })).toEqual({ position, recovered: false })
    })

    it.each([
      ['topic', subscribe(undefined)],
      ['topic', subscribe('')],
      ['topic', subscribe(7)],
      ['topic', subscribe('ä'.repeat(129))],
      ['topic', subscribe('a\nb')],
      ['topic', subscribe('\ud800')],
      ['topic', unsubscribe('x'.repeat(257))],
      ['presence', subscribe('chat:1', { presence: 1 })],
      ['since', subscribe('chat:1', { since: 'x' })],
      ['since', subscribe('chat:1', { since: [] })],
      ['since.epoch', subscribe('chat:1', { since: { offset: 1 } })],
      ['since.epoch', subscribe('chat:1', { since: { epoch: '', offset: 1 } })],
      ['since.epoch', subscribe('chat:1', { since: { epoch: 'e'.repeat(65), offset: 1 } })],
      ['since.offset', subscribe('chat:1', { since: { epoch: 'e' } })],
      ['since.offset', subscribe('chat:1', { since: { epoch: 'e', offset: -1 } })],
      ['since.offset', subscribe('chat:1', { since: { epoch: 'e', offset: 1.5 } })],
      ['since.offset', subscribe('chat:1', { since: { epoch: 'e', offset: '1' } })],
    ])('with a wrong %s is a validation_error that names it, and the connection stays: %s', async (path, frame) => {
      const { connect } = await start(app)
      const socket = await connect()
      socket.send(frame)
      expect(await nextJson<Frame>(socket)).toMatchObject({
        type: 'error',
        code: 'validation_error',
        details: [{ path }],
      })
      socket.send(subscribe('chat:1'))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'subscribed' })
    })

    it.each(['secret', 'closed', 'nothing', '@me', '@other'])('to %s is permission_denied', async (topic) => {
      const { connect } = await start(app)
      const socket = await connect()
      socket.send(subscribe(topic))
      expect(await nextJson<Frame>(socket)).toMatchObject({
        type: 'error',
        id: 1,
        code: 'permission_denied',
        details: null,
      })
    })

    it('with presence is told who joins and leaves; refused for a topic without presence', async () => {
      const team = { ...open, presence: true }
      const { connect, client } = await start({ ...app, topics: { ...topics, team } })
      const one = await connect()
      one.send(subscribe('chat:1', { presence: true }))
      expect(await nextJson<Frame>(one)).toMatchObject({ type: 'error', code: 'permission_denied' })
      one.send(subscribe('team', { presence: true }))
      expect(await nextJson<Frame>(one)).toMatchObject({ type: 'subscribed' })
      const other = await client()
      await other.subscribe('team')
      expect(await nextJson<Frame>(one)).toMatchObject({ type: 'joined', topic: 'team' })
      other.terminate()
      expect(await nextJson<Frame>(one)).toMatchObject({ type: 'left', topic: 'team' })
    })

    it('keeps a history as its rule says', async () => {
      const long = { ...open, history: { size: 2, ttl: '10m' } } as const
      const { client, app: running } = await start({
        ...app,
        topics: { long, none: { ...open, history: false }, mute: { ...open, resume: false } },
      })
      const one = await client()
      const positions = { long: (await one.subscribe('long')).position, mute: (await one.subscribe('mute')).position }
      expect((await one.subscribe('none')).position).toBeNull()
      for (let n = 1; n <= 3; n++)
        for (const topic of ['long', 'none', 'mute']) await running.hub.publish(topic, changed, { n })
      const other = await client()
      const { long: since, mute } = positions
      expect(await other.subscribe('long', { since })).toMatchObject({ recovered: false })
      expect(await other.subscribe('mute', { since: mute })).toMatchObject({
        position: { offset: 3 },
        recovered: false,
      })
      const third = await client()
      const later = since === null ? null : { ...since, offset: 1 }
      expect(await third.subscribe('long', { since: later })).toMatchObject({ recovered: true })
    })

    it('to @me is by the identity of the connection, and to @all by anyone', async () => {
      const { client, app: running } = await start({ ...app, plugins: [testAuth()] })
      const one = await client({ handshake: { type: 'auth', token: 'ann' } })
      await one.subscribe('@me')
      await one.subscribe('@all')
      await running.hub.sendTo('ann', changed, { to: 'me' })
      await running.hub.broadcast(changed, { to: 'all' })
      expect(await one.nextEvent('CHANGED')).toEqual({ to: 'me' })
      expect(await one.nextEvent('CHANGED')).toEqual({ to: 'all' })
    })

    it('and unsubscribe at once end without a subscription, also while the rule is asked', async () => {
      const asked = deferred()
      const slow = { subscribe: true, authorize: () => asked.promise.then(() => true) }
      const { connect, app: running } = await start({ ...app, topics: { ...topics, slow } })
      const socket = await connect()
      socket.send(subscribe('slow'))
      socket.send(unsubscribe('slow'))
      socket.send(subscribe('chat:1', {}, 3))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'subscribed', id: 3 })
      asked.resolve()
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'subscribed', id: 1 })
      expect(await nextJson<Frame>(socket)).toEqual({ type: 'unsubscribed', id: 2, topic: 'slow' })
      expect(running.hub.topicSize('slow')).toBe(0)
    })

    it('does not hold packages back, and is bounded by maxInFlight', async () => {
      const asked = deferred()
      const slow = { subscribe: true, authorize: () => asked.promise.then(() => true) }
      const { connect } = await start({ ...app, topics: { 'slow:*': slow }, websocket: { maxInFlight: 2 } })
      const socket = await connect()
      socket.send(subscribe('slow:1', {}, 1))
      socket.send(JSON.stringify({ pkg_id: 2, req_id: '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f', data: {} }))
      expect(await nextJson(socket)).toMatchObject({ status_code: 0 })
      socket.send(subscribe('slow:2', {}, 2))
      socket.send(subscribe('slow:3', {}, 3))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'error', id: 3, code: 'too_many_in_flight' })
      asked.resolve()
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'subscribed', id: 1 })
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'subscribed', id: 2 })
    })

    it('that takes longer than 10 s is deadline_exceeded, and does not join later', async () => {
      const clock = createVirtualClock()
      const entered = deferred<null>()
      const broker: Broker = brokerOf({ subscribe: ({ kind }) => (kind === 'topic' ? entered.promise : null) })
      const { connect, app: running } = await start({ ...app, clock, broker })
      const socket = await connect()
      socket.send(subscribe('chat:1'))
      socket.send(JSON.stringify({ type: 'ping', id: 2 }))
      expect(await nextJson<Frame>(socket)).toEqual({ type: 'pong', id: 2 })
      await clock.advance(10_001)
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'error', id: 1, code: 'deadline_exceeded' })
      entered.resolve(null)
      socket.send(JSON.stringify({ type: 'ping', id: 3 }))
      expect(await nextJson<Frame>(socket)).toEqual({ type: 'pong', id: 3 })
      expect(running.hub.topicSize('chat:1')).toBe(0)
    })

    it('is unavailable when the broker refuses, and the connection stays', async () => {
      const refuse = (): never => {
        throw new UnavailableError('The broker does not answer')
      }
      const broker = brokerOf({ subscribe: ({ kind }) => (kind === 'topic' ? refuse() : null) })
      const { connect } = await start({ ...app, broker })
      const socket = await connect()
      socket.send(subscribe('chat:1'))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'error', id: 1, code: 'unavailable' })
      socket.send(unsubscribe('chat:1'))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'unsubscribed', id: 2 })
    })

    it('is one membership with join of a route', async () => {
      const { client, app: running } = await start(app)
      const one = await client()
      await one.call('JOIN')
      void running.hub.publish('chat:1', changed, { n: 1 })
      await one.subscribe('chat:1')
      void running.hub.publish('chat:1', changed, { n: 2 })
      expect(await one.nextEvent('CHANGED')).toEqual({ n: 1 })
      expect(await one.nextEvent('CHANGED')).toEqual({ n: 2 })
      await one.call('LEAVE')
      expect(running.hub.topicSize('chat:1')).toBe(0)
    })

    it('is limited by maxTopics: of 10,000 the rest is refused, and join counts too', async () => {
      const limits = { maxTopics: 128, maxInFlight: 20_000 }
      const { connect, app: running } = await start({ ...app, websocket: limits })
      const socket = await connect()
      const answers: Frame[] = []
      // In parts, because a client that does not read would be disconnected.
      for (let i = 0; i < 10_000; i++) {
        socket.send(subscribe(`chat:many:${i}`, {}, i))
        while (i % 100 === 99 && answers.length <= i) answers.push(await nextJson<Frame>(socket))
      }
      expect(answers.filter(({ type }) => type === 'subscribed')).toHaveLength(128)
      const [refused] = answers.filter(({ type }) => type === 'error')
      expect(refused).toMatchObject({
        code: 'conflict',
        msg: 'This connection has joined 128 topics, which is the most that it may (websocket.maxTopics): leave one first',
      })
      const reqId = '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f'
      socket.send(JSON.stringify({ pkg_id: 1, req_id: reqId, data: {} }))
      expect(await nextJson(socket)).toMatchObject({ data: { code: 'conflict' } })
      socket.send(unsubscribe('chat:many:0'))
      await nextJson(socket)
      socket.send(JSON.stringify({ pkg_id: 1, req_id: reqId, data: {} }))
      expect(await nextJson(socket)).toMatchObject({ status_code: 0 })
      expect(running.hub.topicSize('chat:1')).toBe(1)
    })

    it('is told when a renewal or a refresh takes the right away, with a code', async () => {
      let allowed = true
      const rule = {
        subscribe: true,
        authorize: async (identity: Identity | null) => identity?.id === 'ann' && allowed,
      }
      const { client, app: running } = await start({ ...app, topics: { chat: rule }, plugins: [testAuth()] })
      const handshake = { type: 'auth', token: 'ann' }
      const one = await client({ handshake })
      await one.subscribe('chat')
      one.send(handshake)
      expect(await one.nextControl()).toMatchObject({ type: 'auth_ok' })
      expect(running.hub.topicSize('chat')).toBe(1)
      allowed = false
      await running.hub.refresh('ann')
      expect(await one.nextControl()).toEqual({ type: 'unsubscribed', topic: 'chat', code: 'permission_denied' })
      expect(running.hub.topicSize('chat')).toBe(0)
      await expect(one.subscribe('chat')).rejects.toMatchObject({ code: 'permission_denied' })
    })

    it('whose right is refreshed while the rule is asked asks it again', async () => {
      const first = deferred()
      let asked = 0
      const authorize = async () => {
        asked++
        if (asked > 1) return false
        await first.promise
        return true
      }
      const { client, app: running } = await start({
        ...app,
        topics: { chat: { subscribe: true, authorize } },
        plugins: [testAuth()],
      })
      const one = await client({ handshake: { type: 'auth', token: 'ann' } })
      const answer = one.subscribe('chat')
      answer.catch(() => {})
      await until(() => asked === 1)
      await running.hub.refresh('ann')
      first.resolve()
      await expect(answer).rejects.toMatchObject({ code: 'permission_denied' })
      expect(asked).toBe(2)
      expect(running.hub.topicSize('chat')).toBe(0)
    })

    it('without a rule says in the log which rules there are, at most once in a while', async () => {
      const lines: string[] = []
      const clock = createVirtualClock()
      const log = recordingLogger(lines)
      const { client } = await start({ ...app, clock, log: { logger: log, access: false } })
      const one = await client()
      for (const name of ['nothing', 'neither'])
        await expect(one.subscribe(name)).rejects.toMatchObject({ code: 'permission_denied' })
      expect(lines).toEqual([
        "No rule names the topic 'nothing': add one to createApp({ topics }). Rules: secret, closed, chat:*",
      ])
    })

    it('during a drain is unavailable, and ping is answered', async () => {
      const slow = deferred()
      const { connect, app: running } = await start({
        ...app,
        pkgIds: { ...pkgIds, SLOW: 3 },
        routes: { ...routes, SLOW: route({ handler: () => slow.promise }) },
      })
      const socket = await connect()
      socket.send(JSON.stringify({ pkg_id: 3, req_id: '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f', data: {} }))
      socket.send(JSON.stringify({ type: 'ping', id: 0 }))
      await nextJson(socket)
      const closing = running.close()
      socket.send(subscribe('chat:1'))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'error', id: 1, code: 'unavailable' })
      socket.send(JSON.stringify({ type: 'ping', id: 1 }))
      expect(await nextJson<Frame>(socket)).toMatchObject({ type: 'pong' })
      slow.resolve()
      await closing
    })

    it('is refused by a guard of a plugin for all routes', async () => {
      const { guard, PermissionDeniedError } = await import('../index.ts')
      const refusing = plugin((host) => {
        const step = guard({
          name: 'refusing',
          run: (call) => {
            if (call.route.name === 'subscribe') throw new PermissionDeniedError('Not now')
          },
        })
        host.guard(step)
      })
      const { client } = await start({ ...app, plugins: [refusing] })
      const one = await client()
      await expect(one.subscribe('chat:1')).rejects.toMatchObject({ code: 'permission_denied', msg: 'Not now' })
    })
  })
})

function recordingLogger(lines: string[]) {
  const write = (...args: readonly unknown[]): void => {
    lines.push(String(args.at(-1)))
  }
  const nothing = (): void => {}
  const logger = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: write,
    error: write,
    fatal: write,
    child: () => logger,
  }
  return logger
}
