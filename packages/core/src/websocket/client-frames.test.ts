import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { guard, RateLimitError, route, stream } from '../index.ts'
import { coreFrameTypes } from '../protocol/frame.ts'
import { nextJson, plugin, testAuth } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const pkgIds = { GREET: 1 }
const routes = { GREET: route({ handler: () => 'hi' }) }

describe('a control frame of core', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('ping is answered with pong and the id as it was sent, on any number of connections', async () => {
      const { connect } = await start({ pkgIds, routes })
      const socket = await connect()
      for (const id of [0, 4, Number.MAX_SAFE_INTEGER, '', 'a', 'x'.repeat(64)]) {
        socket.send(JSON.stringify({ type: 'ping', id }))
        expect(await nextJson(socket)).toEqual({ type: 'pong', id })
      }
    })

    it.each([undefined, null, -1, 1.5, 2 ** 53, 'x'.repeat(65), {}, [], true])(
      'with the id %j is answered with an error whose id is null, and the connection stays',
      async (id) => {
        const { connect } = await start({ pkgIds, routes })
        const socket = await connect()
        for (let i = 0; i < 20; i++) socket.send(JSON.stringify({ type: 'ping', id }))
        for (let i = 0; i < 20; i++)
          expect(await nextJson(socket)).toEqual({
            type: 'error',
            id: null,
            code: 'validation_error',
            msg: 'Invalid input',
            details: [{ path: 'id', message: 'must be an integer from 0, or a string of at most 64 characters' }],
          })
        socket.send(JSON.stringify({ type: 'ping', id: 1 }))
        expect(await nextJson(socket)).toEqual({ type: 'pong', id: 1 })
      },
    )

    it('is a call for the guards, hooks and instruments of plugins', async () => {
      const seen: [string, string, CallOutcome['error']][] = []
      const watching = plugin((host) => {
        host.onCall((call) => seen.push([call.route.name, 'call', null]))
        host.onReply((call, { error }) => seen.push([call.route.name, 'reply', error]))
      }, 'watching')
      const { connect, app } = await start({ pkgIds, routes, plugins: [watching] })
      const socket = await connect()
      socket.send(JSON.stringify({ type: 'ping', id: 1 }))
      await nextJson(socket)
      expect(seen).toEqual([
        ['ping', 'call', null],
        ['ping', 'reply', null],
      ])
      const durations = app.instruments.families().find(({ name }) => name === 'ws_message_processing_duration_seconds')
      expect(durations?.cells.map(({ labels }) => labels.pkg_id)).toContain('ping')
    })

    it.each(['cancel', 'answer'])('%s passes the guards of plugins, such as a limit', async (type) => {
      let left = 2
      const limiting = plugin((host) => {
        host.guard(
          guard({
            name: 'limit',
            run: () => {
              left -= 1
              if (left < 0) throw new RateLimitError({ retryAfterMs: 1000, limit: 2, remaining: 0 })
            },
          }),
        )
      }, 'limiting')
      const { connect } = await start({ pkgIds, routes, plugins: [limiting] })
      const socket = await connect()
      const req_id = '6f9619ff-8b86-4011-b42d-00c04fc964ff'
      for (let i = 0; i < 3; i++) socket.send(JSON.stringify({ type, req_id, data: null }))
      expect(await nextJson(socket)).toMatchObject({ type: 'error', id: req_id, code: 'rate_limit_exceeded' })
    })

    it('cancel is not held back by maxInFlight, which it frees', async () => {
      const { connect } = await start({
        pkgIds: { TAIL: 1 },
        routes: {
          TAIL: route({
            output: stream(v.number()),
            async *handler(_input, { signal }) {
              yield 1
              await new Promise((resolve) => signal.addEventListener('abort', resolve))
            },
          }),
        },
        websocket: { maxInFlight: 1 },
      })
      const socket = await connect()
      const req_id = '6f9619ff-8b86-4011-b42d-00c04fc964ff'
      socket.send(JSON.stringify({ pkg_id: 1, req_id }))
      expect(await nextJson(socket)).toMatchObject({ data: 1, meta: { more: true } })
      socket.send(JSON.stringify({ type: 'ping', id: 1 }))
      expect(await nextJson(socket)).toMatchObject({ type: 'error', id: 1, code: 'too_many_in_flight' })
      socket.send(JSON.stringify({ type: 'cancel', req_id }))
      expect(await nextJson(socket)).toMatchObject({ req_id, data: { code: 'cancelled' } })
    })

    it('before the handshake is none', async () => {
      const { connect } = await start({ pkgIds, routes, plugins: [testAuth()] })
      const socket = await connect()
      socket.send(JSON.stringify({ type: 'ping', id: 1 }))
      expect(await socket.closed).toMatchObject({ code: 4001 })
    })

    it.each(coreFrameTypes)('of type %s cannot be registered by a plugin', async (type) => {
      const taken = plugin((host) => host.controlFrame(type, () => ({}), {}), 'taker')
      await expect(start({ pkgIds, routes, plugins: [taken] })).rejects.toMatchObject({
        code: 'duplicate_control_frame',
        message: `Plugin 'taker' handles control frames of type '${type}', which are those of core (subscribe, unsubscribe, presence, cancel, answer, ping): choose another type`,
      })
    })
  })
})
