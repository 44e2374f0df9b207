import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Call, route } from '../index.ts'
import { deferred, exchange, packet, plugin, until } from '../testing/suite.fixtures.ts'
import { CallError, createVirtualClock, onTransports } from '../testing.ts'
import type { CallOutcome } from './call-outcome.ts'

/** A route that ends when it is told to, and what its calls saw. */
function slow(deadlineMs?: number) {
  const calls: Call[] = []
  const end = deferred<string>()
  const outcomes: CallOutcome[] = []
  return {
    calls,
    end,
    outcomes,
    options: {
      clock: createVirtualClock(),
      websocket: { idleTimeoutSeconds: 0 },
      pkgIds: { SLOW: 1, NOW: 2 },
      routes: {
        SLOW: route({
          http: 'POST /slow',
          input: v.object({}),
          ...(deadlineMs === undefined ? {} : { deadlineMs }),
          handler: (_input, call) => {
            calls.push(call)
            return end.promise
          },
        }),
        NOW: route({ http: 'GET /now', handler: (_input, call) => call.deadline }),
      },
      plugins: [plugin((host) => host.onReply((_call, outcome) => void outcomes.push(outcome)))],
    },
  } as const
}

describe('deadlines', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('answer deadline_exceeded after 30 s, abort the signal and leave the late result aside, over WebSocket [defect 35]', async () => {
      const { options, calls, end, outcomes } = slow()
      const { clock } = options
      const { client, logs } = await start(options)
      const one = await client()
      const answer = one.call('SLOW', {}).catch((error: unknown) => error)
      await until(() => calls.length === 1)
      await clock.advance(29_999)
      expect(calls[0]?.signal.aborted).toBe(false)
      await clock.advance(1)
      expect(await answer).toBeInstanceOf(CallError)
      expect(await answer).toMatchObject({ rspCode: 1, code: 'deadline_exceeded', details: { deadline_ms: 30_000 } })
      expect(calls[0]?.signal.aborted).toBe(true)
      end.resolve('late')
      expect(await one.call('NOW')).toBe(clock.now() + 30_000)
      expect(outcomes.map(({ error, aborted }) => [error?.code, aborted])).toEqual([
        ['deadline_exceeded', false],
        [undefined, false],
      ])
      expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
    })

    it('answer 504 over HTTP', async () => {
      const { options, calls, end, outcomes } = slow()
      const { request, logs } = await start(options)
      const answer = request('POST /slow', { json: {} })
      await until(() => calls.length === 1)
      await options.clock.advance(30_000)
      const { status, json } = await answer
      expect(status).toBe(504)
      expect(json()).toMatchObject({ error: { code: 'deadline_exceeded', details: { deadline_ms: 30_000 } } })
      expect(calls[0]?.signal.aborted).toBe(true)
      end.reject(calls[0]?.signal.reason)
      expect((await request('GET /now')).status).toBe(200)
      expect(outcomes.map(({ httpStatus }) => httpStatus)).toEqual([504, 200])
      expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
    })

    it('of a route stand above the one of the app, and 0 is none', async () => {
      const own = slow(50)
      const { client } = await start({ ...own.options, deadlineMs: 10 })
      const answer = (await client()).call('SLOW', {}).catch((error: unknown) => error)
      await until(() => own.calls.length === 1)
      await own.options.clock.advance(49)
      expect(own.calls[0]?.signal.aborted).toBe(false)
      expect(own.calls[0]?.deadline).toBe(own.options.clock.now() + 1)
      await own.options.clock.advance(1)
      expect(await answer).toMatchObject({ code: 'deadline_exceeded', details: { deadline_ms: 50 } })

      const none = slow(0)
      const other = await start(none.options)
      const patient = (await other.client()).call('SLOW', {})
      await until(() => none.calls.length === 1)
      expect(none.calls[0]?.deadline).toBe(Number.POSITIVE_INFINITY)
      await none.options.clock.advance(86_400_000)
      none.end.resolve('at last')
      expect(await patient).toBe('at last')
    })

    it('end a request whose body never comes', async () => {
      const { options, outcomes } = slow()
      const { raw, app } = await start(options)
      const arrived = () => app.instruments.families().some(({ name }) => name === 'http_requests_total')
      const body = async function* () {
        yield new TextEncoder().encode('{')
        await new Promise(() => {})
      }
      const answer = raw.request({
        method: 'POST',
        path: '/slow',
        headers: { 'content-type': 'application/json' },
        body: body(),
      })
      await until(arrived)
      // The clock does not advance before the timer of the call is set.
      await until(() => options.clock.pendingTimers > 0)
      await options.clock.advance(30_000)
      expect((await answer).status).toBe(504)
      expect(outcomes.map(({ error }) => error?.code)).toEqual(['deadline_exceeded'])
    })

    it('leave no timer behind once nothing runs', async () => {
      const { options, end } = slow()
      const { client } = await start(options)
      const one = await client()
      const calls = Array.from({ length: 20 }, () => one.call('SLOW', {}))
      end.resolve('x')
      await Promise.all(calls)
      await options.clock.advance(30_000)
      expect(options.clock.pendingTimers).toBe(0)
    })

    it('of different calls pass one by one', async () => {
      const { options, calls } = slow(100)
      const { connect } = await start(options)
      const socket = await connect()
      const first = exchange(socket, packet(1, {}))
      await until(() => calls.length === 1)
      await options.clock.advance(60)
      socket.send(packet(1, {}))
      await until(() => calls.length === 2)
      await options.clock.advance(40)
      expect((await first).status_code).toBe(1)
      expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, false])
      await options.clock.advance(60)
      expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true])
    })
  })
})
