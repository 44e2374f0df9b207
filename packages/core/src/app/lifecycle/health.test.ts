import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerOf } from '../../hub/broker.fixtures.ts'
import { memoryBroker } from '../../hub/memory-broker.ts'
import { route } from '../../route/route.ts'
import { onTransports } from '../../testing/on-transports.ts'
import { deferred, packet, plugin, until } from '../../testing/suite.fixtures.ts'
import { createTestLogger } from '../../testing/test-logger.ts'
import { createVirtualClock } from '../../testing/virtual-clock.ts'
import { createApp } from '../app.ts'
import type { AppState } from './app-states.ts'
import { HealthMonitor } from './health.ts'

const ping = route({ http: 'GET /ping', handler: () => 'pong' })
const base = { pkgIds: { PING: 1 }, routes: { PING: ping } } as const

onTransports({ describe, afterEach }, ({ start }) => {
  test('the report names every check and the open connections, and is never stored', async () => {
    const plugins = [plugin((host) => host.health('database', () => {}))]
    const app = await start({ ...base, broker: memoryBroker(), plugins })
    await app.client()
    const response = await app.request('GET /health')
    expect(response.status).toBe(200)
    expect(response.headers['cache-control']).toBe('no-store')
    expect(response.json()).toEqual({
      status: 'healthy',
      database: 'healthy',
      websocket: { status: 'healthy', active_connections: 1 },
    })
  })

  test('a failing check makes it not ready, and leaves it alive [defect 22]', async () => {
    const app = await start({
      ...base,
      broker: memoryBroker(),
      plugins: [
        plugin((host) => {
          host.health('database', () => Promise.reject(new Error('gone')))
          host.health('redis', () => {})
        }),
      ],
    })
    const answers = await Promise.all(['', '/live', '/ready'].map((path) => app.request(`GET /health${path}`)))
    expect(answers.map(({ status }) => status)).toEqual([503, 200, 503])
    expect(answers.map((each) => each.json())).toEqual([
      {
        status: 'unhealthy',
        database: 'unhealthy',
        redis: 'healthy',
        websocket: { status: 'healthy', active_connections: 0 },
      },
      { status: 'healthy' },
      { status: 'unhealthy' },
    ])
    expect(app.logs.filter(({ message }) => message === 'Health check failed')).toHaveLength(1)
  })

  test('a check that is not required is reported, and leaves the app ready', async () => {
    const app = await start({
      ...base,
      plugins: [
        plugin((host) => {
          host.health('database', () => {})
          host.health('redis', () => Promise.reject(new Error('gone')), { required: false })
        }),
      ],
    })
    const [report, ready] = await Promise.all(['', '/ready'].map((path) => app.request(`GET /health${path}`)))
    expect([report?.status, ready?.status]).toEqual([200, 200])
    expect(report?.json()).toMatchObject({ status: 'healthy', database: 'healthy', redis: 'unhealthy' })
    expect(app.logs.filter(({ message }) => message === 'Health check failed')).toHaveLength(1)
  })

  test('not ready while the broker does not receive, and again once it does', async () => {
    let failure: Error | null = new Error('The subscriber does not answer')
    const health = () => {
      if (failure !== null) throw failure
    }
    const app = await start({ ...base, broker: brokerOf({ health }), health: { cacheMs: 0 } })
    const answers = async () => {
      const paths = ['', '/live', '/ready']
      return await Promise.all(paths.map(async (path) => (await app.request(`GET /health${path}`)).status))
    }
    expect(await answers()).toEqual([503, 200, 503])
    expect((await app.request('GET /health')).json()).toMatchObject({ status: 'unhealthy', broker: 'unhealthy' })
    failure = null
    expect(await answers()).toEqual([200, 200, 200])
    expect((await app.request('GET /health')).json()).toMatchObject({ status: 'healthy', broker: 'healthy' })
    expect(app.logs.filter(({ message }) => message.startsWith('Health check'))).toEqual([
      expect.objectContaining({ message: 'Health check failed', fields: { check: 'broker', err: expect.any(Error) } }),
      expect.objectContaining({ message: 'Health check recovered', fields: { check: 'broker' } }),
    ])
  })

  test('HEAD, another path, and none at all', async () => {
    const app = await start({ ...base, health: { path: '/probes/health' } })
    const head = await app.request('HEAD /probes/health/ready')
    expect([head.status, head.text]).toEqual([200, ''])
    expect((await app.request('GET /health')).status).toBe(404)
    const silent = await start({ ...base, health: false })
    expect((await silent.request('GET /health/live')).status).toBe(404)
  })

  test('the states are told, and a call in flight is finished before the connection ends', async () => {
    const gate = deferred<string>()
    const work = route({ handler: () => gate.promise })
    const app = await start({ pkgIds: { WORK: 1 }, routes: { WORK: work } })
    const socket = await app.connect()
    const states: AppState[] = []
    app.app.onState((state) => states.push(state))
    socket.send(packet(1))
    // By the time it is answered, what went before it on another connection has arrived as well.
    await app.request('GET /health')
    const closed = app.app.close()
    await until(() => app.app.state === 'draining')
    gate.resolve('done')
    expect(JSON.parse(String((await socket.next()).data))).toMatchObject({ status_code: 0, data: 'done' })
    expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' })
    await closed
    expect(states).toEqual(['draining', 'closed'])
  })
})

describe('the monitor', () => {
  let clock = createVirtualClock()
  beforeEach(() => {
    clock = createVirtualClock()
  })
  const monitorOf = (checks: Record<string, () => void | Promise<void>>, log = createTestLogger()) => {
    const vitals = { connections: 0, serving: true }
    const monitor = new HealthMonitor({
      checks: new Map(Object.entries(checks).map(([name, check]) => [name, { check, required: true }])),
      clock,
      log,
      vitals: () => vitals,
      checkTimeoutMs: 2000,
      cacheMs: 1000,
    })
    return { monitor, vitals, log }
  }

  test('probes at one time share one round, and its results hold for a second', async () => {
    let runs = 0
    const gate = deferred()
    const { monitor } = monitorOf({
      database: () => {
        runs++
        return gate.promise
      },
    })
    const probes = [monitor.report(), monitor.report(), monitor.report()]
    await until(() => runs === 1)
    await clock.advance(1500)
    probes.push(monitor.report())
    gate.resolve()
    await Promise.all(probes)
    await monitor.report()
    expect(runs).toBe(1)
    await clock.advance(1000)
    await monitor.report()
    expect(runs).toBe(2)
  })

  test('the state of the app is not cached', async () => {
    const { monitor, vitals } = monitorOf({})
    expect((await monitor.report()).status).toBe('healthy')
    vitals.serving = false
    expect((await monitor.report()).status).toBe('unhealthy')
  })

  test('checks run side by side, each within its time [defect 22]', async () => {
    const { monitor, log } = monitorOf({
      slow: () => new Promise(() => {}),
      slower: () => new Promise(() => {}),
      quick: () => {},
      thrown: () => {
        throw new Error('no')
      },
    })
    const report = monitor.report()
    await until(() => log.lines.length === 1)
    await clock.advance(2000)
    expect(await report).toMatchObject({
      status: 'unhealthy',
      slow: 'unhealthy',
      slower: 'unhealthy',
      quick: 'healthy',
      thrown: 'unhealthy',
    })
  })

  test('a failure is logged once, and so is its end', async () => {
    let works = false
    const { monitor, log } = monitorOf({ database: () => (works ? undefined : Promise.reject(new Error('gone'))) })
    for (let round = 0; round < 3; round++) {
      await monitor.report()
      await clock.advance(1000)
    }
    works = true
    await monitor.report()
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'Health check failed'],
      ['info', 'Health check recovered'],
    ])
  })
})

test.each([
  [{ path: 'health' }, 'health.path'],
  [{ path: '/a/:b' }, 'health.path'],
  [{ checkTimeoutMs: 0 }, 'health.checkTimeoutMs'],
  [{ cacheMs: -1 }, 'health.cacheMs'],
  [{ prefix: '/x' }, 'prefix'],
])('refuses health: %j', (health, reason) => {
  // Wrong on purpose: what a host without types may write.
  expect(() => createApp({ ...base, health: health as { path: '/x' } })).toThrow(reason)
})
