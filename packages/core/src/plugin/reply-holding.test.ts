import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { pendingCommitsOf } from '../call/pending-commits.ts'
import {
  type Call,
  ConflictError,
  guard,
  PermissionDeniedError,
  type Plugin,
  route,
  stream,
  UnavailableError,
} from '../index.ts'
import type { DecidedOutcome, PluginHost } from '../plugin.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { plugin, testAuth } from '../testing/suite.fixtures.ts'
import { createTestApp, onTransports } from '../testing.ts'

type Hook = Parameters<PluginHost['beforeReply']>[0]

/** Notes what is decided, and holds the replies back until `open`. */
function holder(hook: Hook = () => {}) {
  const decided: { name: string; outcome: DecidedOutcome }[] = []
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const own: Plugin = plugin((host) =>
    host.beforeReply(
      async (call, outcome) => {
        decided.push({ name: call.route.name, outcome })
        await opened
        await hook(call, outcome)
      },
      { when: ({ name }) => name !== 'FREE' },
    ),
  )
  return { own, decided, open }
}

const ran: string[] = []
const pkgIds = { DO: 1, FAIL: 2, FREE: 3, ADMIN: 4, SLOW: 5, ONE_BY_ONE: 6 } as const
const admins = guard({
  name: 'admins',
  run: () => {
    throw new PermissionDeniedError()
  },
})
const routes = {
  DO: route({
    http: 'POST /do',
    access: 'public',
    input: v.object({ name: v.string() }),
    handler: ({ name }) => {
      ran.push(name)
      return { name }
    },
  }),
  FAIL: route({
    http: 'POST /fail',
    access: 'public',
    handler: () => {
      throw new ConflictError('Taken')
    },
  }),
  FREE: route({ http: 'POST /free', access: 'public', handler: () => 'free' }),
  ADMIN: route({ http: 'POST /admin', access: 'public', use: [admins], handler: () => void ran.push('admin') }),
  SLOW: route({
    http: 'POST /slow',
    access: 'public',
    deadlineMs: 50,
    handler: async () => {
      await setTimeout(150)
      ran.push('slow')
      return 'late'
    },
  }),
  ONE_BY_ONE: route({ access: 'public', ordered: true, handler: (_input, { id }) => void ran.push(id) }),
}

describe('a reply that a plugin holds back', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    afterEach(() => {
      ran.length = 0
    })

    it('leaves when the hook has ended, on both wires; other routes do not wait', async () => {
      const { own, decided, open } = holder()
      const { request, client } = await start({ pkgIds, routes, plugins: [own] })
      const socket = await client()
      const answers: unknown[] = []
      const note = (value: unknown): void => void answers.push(value)
      const http = request('POST /do', { json: { name: 'a' } }).then((answer) => note(answer.json()))
      const webSocket = socket.call('DO', { name: 'b' }).then(note)
      await expect.poll(() => decided.length).toBe(2)
      expect((await request('POST /free')).json()).toBe('free')
      expect(await socket.call('FREE')).toBe('free')
      expect([answers, ran.toSorted()]).toEqual([[], ['a', 'b']])
      open()
      await Promise.all([http, webSocket])
      expect(answers).toHaveLength(2)
      expect(decided.map(({ outcome }) => outcome)).toEqual([
        { error: null, aborted: false, httpStatus: null, durationMs: expect.any(Number) },
        { error: null, aborted: false, httpStatus: null, durationMs: expect.any(Number) },
      ])
    })

    it('is decided once, whatever refuses or fails the call', async () => {
      const { own, decided, open } = holder()
      open()
      const { request, client } = await start({ pkgIds, routes, plugins: [own] })
      const socket = await client()
      const statuses = [
        (await request('POST /fail')).status,
        (await request('POST /admin')).status,
        (await request('POST /do', { json: {} })).status,
        (await request('POST /do', { body: '{', headers: { 'content-type': 'application/json' } })).status,
        (await request('POST /do', { json: { name: 'x'.repeat(2_000_000) } })).status,
        (await request('POST /slow')).status,
      ]
      for (const name of ['FAIL', 'ADMIN', 'SLOW'] as const) await expect(socket.call(name)).rejects.toThrow()
      expect(statuses).toEqual([409, 403, 422, 400, 413, 504])
      expect(decided.map(({ name, outcome }) => `${name} ${outcome.error?.code} ${outcome.httpStatus}`)).toEqual([
        'FAIL conflict 409',
        'ADMIN permission_denied 403',
        'DO validation_error 422',
        'DO malformed_request 400',
        'DO payload_too_large 413',
        'SLOW deadline_exceeded 504',
        'FAIL conflict 409',
        'ADMIN permission_denied 403',
        'SLOW deadline_exceeded 504',
      ])
      expect(ran).not.toContain('admin')
    })

    it('is held back for callers that are not identified too', async () => {
      const { own, decided, open } = holder()
      open()
      const owner = testAuth({ identify: () => null })
      const only = { pkgIds: { OWN: 1 }, routes: { OWN: route({ http: 'GET /own', handler: () => 'own' }) } }
      const { request } = await start({ ...only, plugins: [own, owner] })
      expect((await request('GET /own')).status).toBe(401)
      expect(decided.map(({ outcome }) => outcome.error?.code)).toEqual(['authentication_failed'])
    })

    it('is replaced by the error that the hook throws, once', async () => {
      const { own, decided, open } = holder(() => {
        throw new UnavailableError('Not written')
      })
      open()
      const { request, client } = await start({ pkgIds, routes, plugins: [own] })
      const refused = await request('POST /do', { json: { name: 'a' } })
      expect([refused.status, refused.json()]).toMatchObject([
        503,
        { error: { code: 'unavailable', msg: 'Not written' } },
      ])
      expect((await request('POST /fail')).status).toBe(503)
      await expect((await client()).call('DO', { name: 'b' })).rejects.toMatchObject({ code: 'unavailable' })
      expect(decided).toHaveLength(3)
    })

    it('is an internal error when the hook fails in another way', async () => {
      const { own, open } = holder(() => {
        throw new Error('secret')
      })
      open()
      const { request } = await start({ pkgIds, routes, plugins: [own] })
      const failed = await request('POST /do', { json: { name: 'a' } })
      expect([failed.status, failed.text.includes('secret')]).toEqual([500, false])
    })

    it('is not decided again by what the handler does after the deadline', async () => {
      const { own, decided, open } = holder(() => setTimeout(250))
      open()
      const { request } = await start({ pkgIds, routes, plugins: [own] })
      expect((await request('POST /slow')).status).toBe(504)
      expect(ran).toContain('slow')
      expect(decided).toHaveLength(1)
    })

    it('is awaited by the next call of its lane', async () => {
      const { own, decided, open } = holder()
      const { client } = await start({ pkgIds, routes, plugins: [own] })
      const socket = await client()
      const both = [socket.call('ONE_BY_ONE'), socket.call('ONE_BY_ONE')]
      await expect.poll(() => decided.length).toBe(1)
      expect(ran).toHaveLength(1)
      open()
      await Promise.all(both)
      expect([ran.length, decided.length]).toEqual([2, 2])
    })

    it('is awaited by the drain', async () => {
      const { own, decided, open } = holder()
      const { app, request } = await start({ pkgIds, routes, plugins: [own] })
      const answer = request('POST /do', { json: { name: 'a' } })
      await expect.poll(() => decided.length).toBe(1)
      const closed = app.close()
      open()
      expect((await answer).status).toBe(200)
      await closed
    })

    it('that never leaves does not keep the app open', async () => {
      const { own, decided } = holder()
      const limits = { drainTimeoutMs: 100, drainSpreadMs: 50, commitTimeoutMs: 50 }
      const { app, request, client } = await start({ pkgIds, routes, plugins: [own], ...limits })
      const socket = await client()
      const answers = Promise.allSettled([
        request('POST /do', { json: { name: 'a' } }),
        socket.call('DO', { name: 'b' }),
      ])
      await expect.poll(() => decided.length).toBe(2)
      await app.close()
      expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
      expect(decided).toHaveLength(2)
    })

    it('is not sent when the client has left, which the hook is told once', async () => {
      const { own, decided, open } = holder()
      open()
      let left: Call | null = null
      const hang = route({
        access: 'public',
        handler: async (_input, call): Promise<void> => {
          left = call
          await new Promise(() => {})
        },
      })
      const test = await start({ pkgIds: { HANG: 1 }, routes: { HANG: hang }, plugins: [own] })
      const socket = await test.connect()
      socket.send(JSON.stringify({ pkg_id: 1, req_id: '6a0f5c0e-6b0a-4c3f-9d43-9f0a4f5d1a01' }))
      await expect.poll(() => left).not.toBeNull()
      socket.terminate()
      await expect.poll(() => decided.length).toBe(1)
      expect(decided[0]?.outcome).toMatchObject({ error: null, aborted: true, httpStatus: 499 })
    })
  })

  it('has its effects when the client leaves before the hook has ended, if the call has committed', async () => {
    const { own, decided, open } = holder()
    const happened: string[] = []
    const commit = route({
      access: 'public',
      handler: (_input, call) => {
        const commits = pendingCommitsOf(call)
        commits?.sent('commit')
        commits?.answered('commit', true)
        call.afterCommit(() => void happened.push('told'))
      },
    })
    const test = await createTestApp({ pkgIds: { COMMIT: 1 }, routes: { COMMIT: commit }, plugins: [own] })
    const socket = await test.connect()
    socket.send(JSON.stringify({ pkg_id: 1, req_id: '6a0f5c0e-6b0a-4c3f-9d43-9f0a4f5d1a01' }))
    await expect.poll(() => decided.length).toBe(1)
    socket.terminate()
    await setTimeout(100)
    open()
    await expect.poll(() => happened).toEqual(['told'])
    await test.close()
  })

  it('closes a connection that sends on and on meanwhile', async () => {
    const { own, decided } = holder()
    const test = await createTestApp(
      { pkgIds, routes, plugins: [own], websocket: { maxInFlight: 2 } },
      { leftovers: 'allow' },
    )
    const socket = await test.connect()
    for (let i = 0; i < 500; i++)
      socket.send(JSON.stringify({ pkg_id: 6, req_id: '6a0f5c0e-6b0a-4c3f-9d43-9f0a4f5d1a01', data: {} }))
    expect(await socket.closed).toMatchObject({ code: 1008, reason: 'Too many held frames' })
    expect(decided.length).toBeLessThan(20)
    await test.close()
  })

  it('cannot be that of a stream', async () => {
    const { own } = holder()
    const streamed = route({ http: 'GET /s', output: stream(v.number()), handler: () => [1] })
    expectBootError(
      await boot({ plugins: [own], endpoints: [streamed] }),
      'bad_route',
      'Route GET /s streams its reply, and a plugin holds back its replies by host.beforeReply(): leave it out there',
    )
  })
})
