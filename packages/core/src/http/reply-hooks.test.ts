import { afterEach, describe, expect, it } from 'vitest'
import { createApp } from '../app/app.ts'
import type { Call } from '../call/call.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import { PermissionDeniedError } from '../errors/app-error.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { route } from '../route/route.ts'
import { guard } from '../route/step.ts'
import { onTransports } from '../testing/on-transports.ts'
import { deferred, until } from '../testing/suite.fixtures.ts'

onTransports({ describe, afterEach }, ({ start }) => {
  it('an onReply hook reads headers and address after the answer, of a call that ended within its callback too', async () => {
    const seen: { path: string | null; agent: string | undefined; address: string; outcome: CallOutcome }[] = []
    const audit: Plugin = {
      name: 'audit',
      setup: (host) => {
        host.onReply(({ route: { path }, headers, address }, outcome) => {
          seen.push({ path, agent: headers['user-agent'], address, outcome })
        })
      },
    }
    const now = route({ http: 'GET /now', handler: () => 1 })
    const later = route({ http: 'GET /later', handler: async () => 2 })
    const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [now, later], plugins: [audit] })
    for (const path of ['/now', '/later', '/nowhere']) {
      await request(`GET ${path}`, { headers: { 'user-agent': `reader of ${path}` } })
    }
    expect(seen.map(({ path, agent, outcome }) => [path, agent, outcome.httpStatus])).toEqual([
      ['/now', 'reader of /now', 200],
      ['/later', 'reader of /later', 200],
      [null, 'reader of /nowhere', 404],
    ])
    expect(seen.every(({ address }) => address === '127.0.0.1')).toBe(true)
  })

  it('the address is right after an await, after the reply and after the client has disconnected', async () => {
    const seen: string[] = []
    const note = async (call: Call): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setTimeout(resolve, 5))
      seen.push(call.address)
    }
    const guarded = guard({ name: 'audit', run: (call) => void note(call) })
    const waits = deferred()
    const endpoints = [
      route({ http: 'GET /kept', handler: (_input, call) => void note(call) }),
      route({ http: 'GET /guarded', use: [guarded], handler: (_input) => 1 }),
      route({ http: 'GET /effect', handler: (_input, call) => call.afterCommit(() => note(call)) }),
      // Its `length` is 1.
      route({ http: 'GET /rest', handler: (_input, ...rest) => void note(rest[0]) }),
      route({ http: 'POST /body', handler: (_input, call) => void note(call) }),
      route({
        http: 'GET /waits',
        handler: async (_input, call) => {
          call.signal.addEventListener('abort', () => void note(call))
          waits.resolve()
          await new Promise(() => {})
        },
      }),
    ]
    const { request } = await start({ pkgIds: {}, routes: {}, endpoints }, { leftovers: 'allow' })
    for (const target of ['GET /kept', 'GET /guarded', 'GET /effect', 'GET /rest']) await request(target)
    await request('POST /body', { json: {} })
    const controller = new AbortController()
    const leaving = request('GET /waits', { signal: controller.signal })
    await waits.promise
    controller.abort()
    await expect(leaving).rejects.toThrow()
    await until(() => seen.length === endpoints.length)
    expect(seen).toEqual(endpoints.map(() => '127.0.0.1'))
  })

  it('what onRequest adds to the answer is on every response, and a call finds and replaces it', async () => {
    const same: boolean[] = []
    const arriving = new Map<string, object>()
    const budget: Plugin = {
      name: 'budget',
      setup: (host) => {
        host.onRequest(({ path, replyHeaders, headers }) => {
          replyHeaders.set('x-left', '9')
          arriving.set(path, replyHeaders)
          if (headers['x-bad'] !== undefined) throw new PermissionDeniedError()
        })
        host.onCall((call) => void same.push(call.replyHeaders === arriving.get('/now')))
      },
    }
    const now = route({
      http: 'GET /now',
      handler: (_input, { replyHeaders }) => {
        replyHeaders.set('X-Left', '8')
        return 1
      },
    })
    const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [now], plugins: [budget] })
    const left = async (path: string, headers = {}) => {
      const response = await request(`GET ${path}`, { headers })
      return [response.status, response.headers['x-left']]
    }
    expect(await left('/now')).toEqual([200, '8'])
    expect(await left('/nowhere')).toEqual([404, '9'])
    expect(await left('/now', { 'x-bad': 'yes' })).toEqual([403, '9'])
    expect(same[0]).toBe(true)
  })
})

it('the address is not read for a step and a hook that promise not to ask for it; it is there after a refusal and for another step', async () => {
  const seen: string[] = []
  const audit: Plugin = {
    name: 'audit',
    setup: (host) => host.onReply(({ address }) => seen.push(address), { readsAddress: false }),
  }
  const gone = guard({ name: 'gone', keepsCall: false, run: () => {} })
  const kept = guard({ name: 'kept', run: () => {} })
  const refuses = guard({
    name: 'refuses',
    keepsCall: false,
    run: () => {
      throw new PermissionDeniedError()
    },
  })
  const endpoints = [
    route({ http: 'GET /gone', use: [gone], handler: (_input) => 1 }),
    route({ http: 'GET /kept', use: [gone, kept], handler: (_input) => 1 }),
    route({ http: 'GET /refused', use: [refuses], handler: (_input) => 1 }),
  ]
  // Without the test kit, whose own hooks read the address.
  const app = createApp({ pkgIds: {}, routes: {}, endpoints, plugins: [audit], log: 'error' })
  const { port } = await app.listen({ port: 0 })
  try {
    for (const path of ['/gone', '/kept', '/refused']) await fetch(`http://127.0.0.1:${port}${path}`)
  } finally {
    await app.close()
  }
  expect(seen).toEqual(['', '127.0.0.1', '127.0.0.1'])
})
