import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Connection, event, type QuestionDefinition, route } from '../index.ts'
import { zeroUuid } from '../protocol/frame.ts'
import { exchange, nextJson, packet, plugin, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const confirm = event({ data: v.object({ text: v.string() }), answer: v.object({ accepted: v.boolean() }) })
const later = event({
  data: v.string(),
  answer: v.pipeAsync(
    v.string(),
    v.checkAsync(async (text) => text === 'yes', 'Say yes'),
  ),
})
const plain = event({ data: v.string() })
const unlisted = event({ data: v.string(), answer: v.string() })

interface EventFrame {
  readonly pkg_id: number
  readonly req_id: string
  readonly data: unknown
}

function options(connections: Connection[] = []) {
  return {
    clock: createVirtualClock(),
    pkgIds: { CONFIRMED: 1, CONFIRM: 100, LATER: 101, PLAIN: 102 },
    routes: {
      CONFIRMED: route({
        handler: async (_input, { connection }) => (await connection?.ask(confirm, { text: 'Sure?' }))?.accepted,
      }),
    },
    events: { CONFIRM: confirm, LATER: later, PLAIN: plain },
    websocket: { maxInFlight: 3 },
    plugins: [plugin((host) => host.onConnect((connection) => void connections.push(connection)))],
  } as const
}

const answer = (req_id: unknown, data?: unknown): string => JSON.stringify({ type: 'answer', req_id, data })
const noConnection = (): never => {
  throw new Error('No connection')
}

describe('a question to a connection', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is an event with a req_id of its own, and resolves with what the client answers', async () => {
      const connections: Connection[] = []
      const { connect } = await start(options(connections))
      const socket = await connect()
      socket.send(packet(1))
      const asked = await nextJson<EventFrame>(socket)
      expect(asked).toEqual({ pkg_id: 100, req_id: expect.stringMatching(/^[0-9a-f-]{36}$/), data: { text: 'Sure?' } })
      expect(asked.req_id).not.toBe(zeroUuid)
      socket.send(answer(asked.req_id, { accepted: true }))
      expect(await nextJson(socket)).toMatchObject({ pkg_id: 1, status_code: 0, data: true })
      const [one = noConnection()] = connections
      const result = one.ask(confirm, { text: 'Really?' })
      socket.send(answer((await nextJson<EventFrame>(socket)).req_id, { accepted: false }))
      expect(await result).toEqual({ accepted: false })
    })

    it('ends with the error of an answer that does not fit, which the client gets too', async () => {
      const connections: Connection[] = []
      const { connect } = await start(options(connections))
      const socket = await connect()
      await until(() => connections[0]?.admitted === true)
      const [one = noConnection()] = connections
      const refused = async (asked: Promise<unknown>, data: unknown, text: string, details: unknown) => {
        const failure = asked.catch((error: unknown) => error)
        const { req_id } = await nextJson<EventFrame>(socket)
        socket.send(text.replace('REQ', req_id).replace('DATA', JSON.stringify(data)))
        const error = { code: 'validation_error', details }
        expect(await nextJson<unknown>(socket)).toMatchObject({
          type: 'error',
          id: req_id,
          msg: 'Invalid input',
          ...error,
        })
        expect(await failure).toMatchObject(error)
      }
      const frame = '{"type":"answer","req_id":"REQ","data":DATA}'
      const path = 'accepted'
      await refused(one.ask(confirm, { text: '' }), { accepted: 1 }, frame, [{ path, message: expect.any(String) }])
      await refused(one.ask(later, ''), 'no', frame, [{ path: '', message: 'Say yes' }])
      const polluting = '{"type":"answer","req_id":"REQ","data":{"__proto__":{"accepted":true}}}'
      await refused(one.ask(confirm, { text: '' }), null, polluting, [
        { path: '__proto__', message: expect.any(String) },
      ])
      const asked = one.ask(later, '')
      socket.send(answer((await nextJson<EventFrame>(socket)).req_id, 'yes'))
      expect(await asked).toBe('yes')
    })

    it('ignores answers that nothing waits for: late, twice, of another connection, to no event', async () => {
      const connections: Connection[] = []
      const given = options(connections)
      const { connect } = await start(given)
      const [socket, other] = [await connect(), await connect()]
      await until(() => connections[1]?.admitted === true)
      const [one = noConnection()] = connections
      const asked = one.ask(confirm, { text: '' }, { timeoutMs: 1000 })
      const { req_id } = await nextJson<EventFrame>(socket)
      other.send(answer(req_id, { accepted: false }))
      socket.send(answer(zeroUuid, { accepted: false }))
      socket.send(answer(req_id, { accepted: true }))
      socket.send(answer(req_id, { accepted: false }))
      expect(await asked).toEqual({ accepted: true })
      const late = one.ask(confirm, { text: '' }, { timeoutMs: 1000 })
      const failure = late.catch((error: unknown) => error)
      const second = await nextJson<EventFrame>(socket)
      await given.clock.advance(1000)
      expect(await failure).toMatchObject({ code: 'deadline_exceeded', details: { deadline_ms: 1000 } })
      for (let i = 0; i < 20; i++) socket.send(answer(second.req_id, { accepted: true }))
      for (const each of [socket, other]) expect((await exchange(each, packet(9))).status_code).toBe(1)
      expect([socket.frames, other.frames]).toEqual([[], []])
    })

    it('is refused without a req_id, and the connection stays', async () => {
      const { connect } = await start(options())
      const socket = await connect()
      for (let i = 0; i < 20; i++) {
        socket.send(answer(i % 2 === 0 ? 'x' : undefined))
        expect(await nextJson<unknown>(socket)).toMatchObject({ type: 'error', id: null, code: 'validation_error' })
      }
    })

    it('ends when its connection closes, and is refused by one that is closed, pending or full', async () => {
      const connections: Connection[] = []
      const { connect } = await start({
        ...options(connections),
        plugins: [
          plugin((host) =>
            host.onConnect(async (connection) => {
              connections.push(connection)
              await expect(connection.ask(plain as never, 'x')).rejects.toThrow('The event has no answer')
              await expect(connection.ask(unlisted, 'x')).rejects.toThrow('is not an event of the app')
              await expect(connection.ask(confirm, { text: '' }, { timeoutMs: 0 })).rejects.toThrow('timeoutMs must be')
              await expect(connection.ask(confirm, { text: '' })).rejects.toMatchObject({ code: 'unavailable' })
            }),
          ),
        ],
      })
      const socket = await connect()
      await until(() => connections[0]?.admitted === true)
      const [one = noConnection()] = connections
      await expect(one.ask(confirm, { text: 7 as unknown as string })).rejects.toThrow('does not match')
      const asked = [1, 2, 3].map(() => one.ask(confirm, { text: '' }).catch((error: unknown) => error))
      await expect(one.ask(confirm, { text: '' })).rejects.toMatchObject({
        code: 'too_many_in_flight',
        message: 'The connection has 3 open questions already',
      })
      socket.terminate()
      for (const each of asked)
        expect(await each).toMatchObject({ code: 'unavailable', message: 'The connection has closed' })
      await expect(one.ask(confirm, { text: '' })).rejects.toMatchObject({ code: 'unavailable' })
    })

    it('may be dropped: a failure that nothing awaits is logged', async () => {
      const given = options()
      const drop = route({
        handler: (_input, call) => void call.connection?.ask(confirm, { text: '' }, { timeoutMs: 5 }),
      })
      const { connect, logs } = await start({ ...given, routes: { CONFIRMED: drop } }, { leftovers: 'allow' })
      const socket = await connect()
      socket.send(packet(1))
      await nextJson(socket)
      await given.clock.advance(5)
      await until(() => logs.some(({ fields }) => fields.promise === 'connection.ask' && fields.route === 'CONFIRMED'))
    })
  })
})

it('a question is an event, with the types of its answer', () => {
  const typed: QuestionDefinition<{ text: string }, { text: string }, { accepted: boolean }, { accepted: boolean }> =
    confirm
  expect([typed.kind, plain.answer]).toEqual(['event', null])
})
