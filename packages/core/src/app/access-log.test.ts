import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import type { Logger } from '../base/logger.ts'
import { reply } from '../call/reply.ts'
import { ConflictError } from '../errors/app-error.ts'
import type { LogOptions } from '../log/log-options.ts'
import { route } from '../route/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import { auth, deferred, exchange, nextJson, packet, testAuth, until } from '../testing/suite.fixtures.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { createApp } from './app.ts'

const Input = v.object({ id: v.number() })
const read = route({ http: 'GET /things/:id', input: Input, handler: ({ id }) => ({ id }) })
const fail = route({
  http: 'POST /fail',
  handler: () => {
    throw new ConflictError('taken')
  },
})
const crash = route({
  http: 'POST /crash',
  handler: () => {
    throw new Error('boom')
  },
})
const hang = route({ http: 'POST /hang', handler: () => new Promise<null>(() => {}) })
const teapot = route({ http: 'GET /teapot', access: 'public', handler: () => reply(null, { status: 418 }) })
const healthLike = route({ http: 'GET /things/health', access: 'public', handler: () => 1 })
const routes = { READ: read, FAIL: fail, CRASH: crash, HANG: hang }
const base = { pkgIds: { READ: 1, FAIL: 2, CRASH: 3, HANG: 4 }, routes, endpoints: [teapot, healthLike] }
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

/** Every line but those of the app itself. */
const isAccess = ({ message }: { message: string }) => ['Call', 'Call failed', 'Client disconnected'].includes(message)

onTransports({ describe, afterEach }, ({ start }) => {
  const boot = async (log: Omit<LogOptions, 'logger'>) => {
    const logger = createTestLogger()
    const app = await start({ ...base, plugins: [testAuth()], log: { logger, access: 'all', ...log } })
    return { ...app, lines: () => logger.lines.filter(isAccess) }
  }
  const as = (token: string) => ({ headers: { authorization: token } })

  test('one line per call, with caller, route, outcome and duration [defect 66]', async () => {
    const { request, connect, lines } = await boot({})
    await request('GET /things/7', {
      headers: { authorization: 'ann', 'x-correlation-id': 'order-1', traceparent },
    })
    const socket = await connect({ headers: { traceparent } })
    socket.send(auth('bob'))
    await nextJson(socket)
    const { req_id } = await exchange(socket, packet(1, { id: 7 }))
    expect(lines()).toEqual([
      {
        level: 'info',
        message: 'Call',
        fields: {
          request_id: 'order-1',
          wire: 'http',
          route: 'READ',
          method: 'GET',
          endpoint: '/things/:id',
          user_id: 'ann',
          address: '127.0.0.1',
          trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
          status_code: 200,
          duration_ms: expect.any(Number),
        },
      },
      {
        level: 'info',
        message: 'Call',
        fields: {
          request_id: req_id,
          wire: 'ws',
          route: 'READ',
          pkg_id: 1,
          user_id: 'bob',
          address: '127.0.0.1',
          trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
          status_code: 200,
          duration_ms: expect.any(Number),
        },
      },
    ])
  })

  test('lines of calls side by side have the fields of their own call, also after a pause [defect 65]', async () => {
    const logger = createTestLogger()
    let arrived = 0
    const all = deferred()
    const work = route({
      http: 'POST /work/:id',
      input: Input,
      handler: async ({ id }, call) => {
        call.log.child({ id }).info('Before')
        arrived += 1
        if (arrived === 20) all.resolve()
        await all.promise
        call.log.info({ id }, 'After')
        return call.id
      },
    })
    const log = { logger, access: false } as const
    const { request, client } = await start({ pkgIds: { WORK: 1 }, routes: { WORK: work }, plugins: [testAuth()], log })
    const socket = await client({ handshake: { type: 'auth', token: 'ann' } })
    const ids = Array.from({ length: 10 }, (_, i) => i)
    const expected = await Promise.all([
      ...ids.map(async (id) => [id, (await request(`POST /work/${id}`, as('bob'))).json(), 'bob']),
      ...ids.map(async (id) => [id + 10, await socket.call('WORK', { id: id + 10 }), 'ann']),
    ])
    const lines = logger.lines.filter(({ message }) => ['Before', 'After'].includes(message))
    expect(lines).toHaveLength(40)
    for (const [id, callId, user] of expected) {
      const own = lines.filter(({ fields }) => fields.id === id)
      expect(own.map(({ message, fields }) => [message, fields.request_id, fields.user_id])).toEqual([
        ['Before', callId, user],
        ['After', callId, user],
      ])
    }
  })

  test('client errors are warnings, server errors are errors', async () => {
    const { request, connect, lines } = await boot({})
    await request('POST /fail', as('ann'))
    await request('POST /crash', as('ann'))
    await request('GET /things/7')
    await request('GET /nowhere')
    await request('GET /teapot')
    const socket = await connect()
    socket.send(auth('bob'))
    await nextJson(socket)
    await exchange(socket, packet(2))
    await exchange(socket, packet(99))
    expect(
      lines().map(({ level, fields: { endpoint, pkg_id, status_code, code } }) => [
        level,
        endpoint ?? pkg_id,
        status_code,
        code,
      ]),
    ).toEqual([
      ['warn', '/fail', 409, 'conflict'],
      ['error', '/crash', 500, 'internal_error'],
      ['warn', '/things/:id', 401, 'authentication_failed'],
      ['warn', 'unmatched', 404, 'not_found'],
      ['warn', '/teapot', 418, undefined],
      ['warn', 2, 409, 'conflict'],
      ['warn', 99, 404, 'not_found'],
    ])
  })

  test('a call that a drain refuses is a warning; one that it cuts is an error', async () => {
    const logger = createTestLogger()
    const options = { drainTimeoutMs: 300, drainSpreadMs: 0, log: { logger, access: 'failures' } } as const
    const { app, connect } = await start({ ...base, plugins: [testAuth()], ...options })
    const socket = await connect()
    socket.send(auth('bob'))
    await nextJson(socket)
    socket.send(packet(4))
    await exchange(socket, packet(1, { id: 1 }))
    const closed = app.close()
    await until(() => app.state === 'draining')
    await exchange(socket, packet(1, { id: 2 }))
    await closed
    expect(
      logger.lines.filter(isAccess).map(({ level, fields: { pkg_id, status_code } }) => [level, pkg_id, status_code]),
    ).toEqual([
      ['warn', 1, 503],
      ['error', 4, 503],
    ])
  })

  test('a WebSocket that is refused has one line, at the upgrade and before it is admitted; one that was admitted has none', async () => {
    const logger = createTestLogger()
    const options = { websocket: { origins: ['https://app.example'] }, log: { logger, access: 'failures' } } as const
    const { connect } = await start({ ...base, ...options, plugins: [testAuth()] })
    const headers = { origin: 'https://evil.example', 'x-correlation-id': 'upgrade-1' }
    await expect(connect({ headers })).rejects.toThrow()
    for (const first of [auth('bad'), packet(1, { id: 1 })]) {
      const refused = await connect()
      refused.send(first)
      expect((await refused.closed).code).toBe(4001)
    }
    const admitted = await connect()
    admitted.send(auth('ann'))
    await nextJson(admitted)
    admitted.send(auth('bad'))
    expect((await admitted.closed).code).toBe(4001)
    const closed = {
      wire: 'ws',
      connection_id: expect.any(String),
      address: '127.0.0.1',
      close_code: 4001,
      reason: 'Unauthorized',
    }
    expect(logger.lines.filter(({ message }) => message === 'WebSocket refused')).toEqual(
      [
        {
          wire: 'ws',
          request_id: 'upgrade-1',
          address: '127.0.0.1',
          status_code: 403,
          code: 'permission_denied',
          reason: 'Connections from this origin are not allowed',
        },
        closed,
        closed,
      ].map((fields) => ({ level: 'warn', message: 'WebSocket refused', fields })),
    )
  })

  test('a WebSocket that is refused by a fault of the server is an error', async () => {
    const logger = createTestLogger()
    const failing = testAuth({ verify: () => Promise.reject(new Error('away')) })
    const { connect } = await start({ ...base, plugins: [failing], log: { logger, access: 'failures' } })
    const socket = await connect()
    socket.send(auth('ann'))
    expect((await socket.closed).code).toBe(1011)
    const lines = logger.lines.filter(({ message }) => message === 'WebSocket refused')
    expect(lines).toMatchObject([{ level: 'error', fields: { close_code: 1011 } }])
  })

  test('an unmatched request is logged with its path, truncated and without its query', async () => {
    const { request, lines } = await boot({})
    await request(`GET /${'x'.repeat(300)}?token=secret`)
    await request('GET /things/7')
    expect(lines().map(({ fields: { endpoint, path } }) => [endpoint, path])).toEqual([
      ['unmatched', `/${'x'.repeat(255)}`],
      ['/things/:id', undefined],
    ])
  })

  test('a client that disconnected', async () => {
    const { connect, lines, app } = await boot({})
    const socket = await connect()
    socket.send(auth('bob'))
    await nextJson(socket)
    socket.send(packet(4))
    await exchange(socket, packet(1, { id: 1 }))
    socket.terminate()
    await until(() => lines().length === 2)
    expect(lines()[1]).toMatchObject({
      level: 'warn',
      message: 'Client disconnected',
      fields: { status_code: 499, pkg_id: 4 },
    })
    expect(app.hub.size).toBe(0)
  })

  test('no line for probes, and only for those [defect 68]', async () => {
    const { request, lines } = await boot({})
    await request('GET /health')
    await request('HEAD /health/ready')
    await request('GET /health/nothing')
    await request('GET /things/health')
    expect(lines().map(({ fields }) => fields.endpoint)).toEqual(['unmatched', '/things/health'])
  })

  test('failures only', async () => {
    const { request, lines } = await boot({ access: 'failures' })
    await request('GET /things/7', as('ann'))
    await request('POST /fail', { headers: { authorization: 'ann', traceparent } })
    expect(lines().map(({ fields }) => [fields.status_code, fields.trace_id])).toEqual([
      [409, '4bf92f3577b34da6a3ce929d0e0e4736'],
    ])
  })

  test('samples successes and logs every failure', async () => {
    const { request, lines } = await boot({ sampleSuccesses: 0.1, excludedPaths: ['/teapot'] })
    for (let i = 0; i < 20; i++) await request(`GET /things/${i}`, as('ann'))
    for (let i = 0; i < 3; i++) await request('POST /fail', as('ann'))
    await request('GET /teapot')
    expect(lines().map(({ fields }) => fields.status_code)).toEqual([200, 200, 409, 409, 409])
  })
})

test('does no work for a call whose line would not be written', async () => {
  const asked: string[] = []
  const silent: Logger = {
    ...createTestLogger(),
    isLevelEnabled: (level) => {
      asked.push(level)
      return false
    },
    child: () => {
      throw new Error('a child was made')
    },
    info: (...line: unknown[]) => {
      if (line[1] === 'Call') throw new Error('a line was made')
    },
  }
  const { createTestApp } = await import('../testing/create-test-app.ts')
  const app = await createTestApp({ ...base, log: { logger: silent, access: 'all' } }, { leftovers: 'allow' })
  expect((await app.request('GET /things/7')).status).toBe(200)
  expect(asked).toEqual(['info'])
  await app.close()
})

test.each([
  [{ level: 'loud' }, 'log.level'],
  [{ format: 'xml' }, 'log.format'],
  [{ access: 'some' }, 'log.access'],
  [{ sampleSuccesses: 2 }, 'log.sampleSuccesses'],
  [{ sampleSuccesses: Number.NaN }, 'log.sampleSuccesses'],
  [{ excludedPaths: ['health'] }, 'log.excludedPaths'],
  [{ logger: createTestLogger(), level: 'info' }, 'log.level'],
  [{ colour: true }, 'colour'],
])('refuses log: %j', (log, reason) => {
  // Wrong on purpose: what a host without types may write.
  expect(() => createApp({ ...base, log: log as LogOptions })).toThrow(reason)
})
