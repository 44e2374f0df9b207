import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { type Call, check, guard, interceptor, type Next, route } from '../index.ts'
import { deferred, packet, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const stages = ['identify', 'guard', 'body', 'validation', 'check', 'interceptor', 'handler', 'output'] as const
type Stage = (typeof stages)[number]

/** One route that waits in one stage, and what became of its calls. */
function waitingIn(stage: Stage) {
  const clock = createVirtualClock()
  const release = deferred()
  const seen: Call[] = []
  const passed: string[] = []
  const outcomes: CallOutcome[] = []
  let waits = 0
  const at = async (name: Stage): Promise<void> => {
    passed.push(name)
    if (name !== stage) return
    waits++
    await release.promise
  }
  const use = [
    guard({ name: 'waiting guard', run: () => at('guard') }),
    check({ name: 'waiting check', run: () => at('check') }),
    interceptor({
      name: 'waiting interceptor',
      run: async (_call: Call, next: Next) => {
        await at('interceptor')
        return next()
      },
    }),
  ] as const
  const options = {
    clock,
    pkgIds: { WAIT: 1, NOW: 2 },
    routes: {
      WAIT: route({
        http: 'POST /wait',
        access: 'authenticated',
        use,
        input: v.pipeAsync(
          v.object({}),
          v.checkAsync(() => at('validation').then(() => true)),
        ),
        output: v.pipeAsync(
          v.object({}),
          v.checkAsync(() => at('output').then(() => true)),
        ),
        handler: async () => {
          await at('handler')
          return {}
        },
      }),
      NOW: route({ http: 'GET /now', handler: () => 'now' }),
    },
    defaultAccess: 'public',
    websocket: { idleTimeoutSeconds: 0 },
    plugins: [
      testAuth({
        identify: () => at('identify').then(() => ({ id: 'ann', name: 'Ann' })),
        fromUpgrade: () => ({ identity: { id: 'ann', name: 'Ann' } }),
      }),
      plugin((host) => {
        host.onCall((call) => {
          if (call.route.name === 'WAIT') seen.push(call)
        })
        host.onReply((call, outcome) => {
          if (call.route.name === 'WAIT') outcomes.push(outcome)
        })
      }),
    ],
  } as const
  return { options, clock, release, seen, passed, outcomes, waits: () => waits }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('a client that leaves', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it.each(stages.filter((stage) => stage !== 'identify' && stage !== 'body'))(
      'over WebSocket, in the middle of the %s: the signal is aborted, nothing runs on, onReply is told once',
      async (stage) => {
        const { options, clock, release, seen, passed, outcomes, waits } = waitingIn(stage)
        const { connect, app, client, logs } = await start(options)
        const socket = await connect()
        socket.send(packet(1, {}))
        await until(() => waits() === 1)
        const before = [...passed]
        socket.terminate()
        await until(() => outcomes.length === 1)
        expect(seen[0]?.signal.aborted).toBe(true)
        release.resolve()
        await turns()
        expect(passed).toEqual(before)
        expect(outcomes).toMatchObject([{ error: null, aborted: true, httpStatus: 499 }])
        expect(app.hub.size).toBe(0)
        expect(await (await client()).call('NOW')).toBe('now')
        expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
        await clock.advance(30_000)
        expect(clock.pendingTimers).toBe(0)
      },
    )

    it.each(stages)(
      'over HTTP, in the middle of the %s: the signal is aborted, nothing runs on, onReply is told once',
      async (stage) => {
        const { options, clock, release, seen, passed, outcomes, waits } = waitingIn(stage)
        const { raw, request, logs } = await start(options)
        const leave = new AbortController()
        const body = async function* () {
          yield new TextEncoder().encode('{')
          if (stage === 'body') await new Promise(() => {})
          yield new TextEncoder().encode('}')
        }
        const answer = raw.request({
          method: 'POST',
          path: '/wait',
          headers: { 'content-type': 'application/json' },
          body: body(),
          signal: leave.signal,
        })
        await until(() => (stage === 'body' ? passed.includes('guard') : waits() === 1))
        await turns()
        const before = [...passed]
        leave.abort(new Error('left'))
        await expect(answer).rejects.toThrow('left')
        await until(() => outcomes.length === 1)
        expect(seen[0]?.signal.aborted).toBe(true)
        release.resolve()
        await turns()
        expect(passed).toEqual(before)
        expect(outcomes).toMatchObject([{ error: null, aborted: true, httpStatus: 499 }])
        expect((await request('GET /now')).status).toBe(200)
        expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
        await clock.advance(30_000)
        expect(clock.pendingTimers).toBe(0)
      },
    )

    it('over HTTP, while onRequest is running: nothing of its call runs, onReply is called once', async () => {
      const arrived = deferred()
      const release = deferred()
      const { options, passed, outcomes } = waitingIn('handler')
      const limit = plugin((host) => {
        host.onRequest(() => {
          arrived.resolve()
          return release.promise
        })
      }, 'limit')
      const { raw } = await start({ ...options, plugins: [...options.plugins, limit] })
      const leave = new AbortController()
      const answer = raw.request({ method: 'POST', path: '/wait', signal: leave.signal })
      await arrived.promise
      leave.abort(new Error('left'))
      await expect(answer).rejects.toThrow('left')
      await turns()
      await turns()
      release.resolve()
      await until(() => outcomes.length === 1)
      await turns()
      expect(passed).toEqual([])
      expect(outcomes).toMatchObject([{ error: null, aborted: true }])
    })

    it('whose handler ends with the reason of the signal leaves no line in the log', async () => {
      const begun = deferred()
      const over = deferred()
      const { connect, logs } = await start({
        pkgIds: { OBEDIENT: 1 },
        routes: {
          OBEDIENT: route({
            handler: (_input, call) => {
              begun.resolve()
              return new Promise<null>((_resolve, reject) => {
                call.signal.addEventListener('abort', () => {
                  reject(call.signal.reason)
                  over.resolve()
                })
              })
            },
          }),
        },
      })
      const socket = await connect()
      socket.send(packet(1))
      await begun.promise
      socket.terminate()
      await over.promise
      await turns()
      expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
    })

    it('does not start what an interceptor still waits to wrap, nor does a deadline', async () => {
      const { options, clock, release, passed, waits } = waitingIn('interceptor')
      const { client } = await start(options)
      const answer = (await client()).call('WAIT', {}).catch((error: unknown) => error)
      await until(() => waits() === 1)
      await clock.advance(30_000)
      expect(await answer).toMatchObject({ code: 'deadline_exceeded' })
      release.resolve()
      await turns()
      expect(passed).not.toContain('handler')
    })
  })
})
