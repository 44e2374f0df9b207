import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import type { DoctorReport } from '../../base/finding.ts'
import type { Importer, Machine } from '../../base/machine.ts'
import { database } from '../../database/database-plugin.ts'
import { brokerOf } from '../../hub/broker.fixtures.ts'
import type { Plugin } from '../../plugin/plugin.ts'
import { route } from '../../route/route.ts'
import { memoryTransport } from '../../testing/memory-transport/memory-transport.ts'
import { createTestLogger } from '../../testing/test-logger.ts'
import { createApp } from '../app.ts'
import type { AppOptions, EventTable, PkgIds, RouteTable } from '../app-options.ts'
import { resolveOptions } from '../resolve-options.ts'
import { checkBroker } from './check-broker.ts'
import { checkEnvironment } from './check-options.ts'
import { createMachine } from './doctor.fixtures.ts'
import { examineApp } from './doctor.ts'

type Options = Partial<AppOptions<PkgIds, RouteTable, EventTable>>

function examine(options: Options = {}, machine: Partial<Machine> = {}): Promise<DoctorReport> {
  const { clock = systemClock, transport = { ...memoryTransport(), name: 'fake' }, ...rest } = options
  const resolved = resolveOptions({ environment: 'dev', pkgIds: {}, routes: {}, ...rest } as AppOptions<
    PkgIds,
    RouteTable,
    EventTable
  >)
  // vitest sets NODE_ENV, which most of these apps contradict.
  return examineApp({ options: { ...resolved, conflict: null }, transport, clock, checks: [] }, createMachine(machine))
}

/** Findings that are not ok, as lines. */
async function complaints(options?: Options, machine?: Partial<Machine>): Promise<string[]> {
  const { findings } = await examine(options, machine)
  return findings
    .filter(({ level }) => level !== 'ok')
    .map(({ check, level, message }) => `${level} ${check}: ${message}`)
}

const lacking = (missing: string): Machine['find'] => {
  const { find } = createMachine()
  return (name, from) => (name === missing ? null : find(name, from))
}

describe('the doctor, of the machine', () => {
  it('has nothing to complain of where everything is right', async () => {
    const report = await examine()
    expect(report.ok).toBe(true)
    expect(String(report).split('\n')).toEqual([
      'ok     node         Node 22.12.0 satisfies ^20.19 || ^22.12 || ^24',
      expect.stringMatching(/^ok {5}clock {8}The system clock is in \d{4}, and the monotonic clock advances$/),
      'ok     environment  The environment is dev',
      'ok     limits       All limits are set',
      'ok     broker       The broker is memory: publications reach the connections of this process only',
    ])
  })

  it('refuses a Node that it does not run on', async () => {
    expect(await complaints({}, { node: '18.20.4' })).toEqual([
      'error node: Node 18.20.4 does not satisfy ^20.19 || ^22.12 || ^24: use the latest Node 20, 22 or 24',
    ])
    expect((await examine({}, { node: '21.7.3' })).ok).toBe(false)
    expect(await complaints({}, { manifest: null })).toEqual([
      'warn node: Node 22.12.0 cannot be checked: the package.json of @twinwire/core was not found; do not bundle core',
    ])
  })

  it('says whether a cluster resets connections', async () => {
    const line = async (migratesConnections: boolean) =>
      String(await examine({}, { migratesConnections }))
        .split('\n')
        .find((text) => text.includes('cluster'))
    expect(await line(true)).toContain('ok     cluster      net.ipv4.tcp_migrate_req is 1')
    expect(await line(false)).toContain('ok     cluster      Only with cluster(): net.ipv4.tcp_migrate_req is 0')
  })

  it('looks at both clocks', async () => {
    const clock = { ...systemClock, now: () => Date.UTC(1970, 0, 1) }
    expect(await complaints({ clock })).toEqual([
      'error clock: The system clock is in 1970, before this version was built (2026): set it, for example with NTP',
    ])
    let time = 0
    expect(await complaints({ clock: { ...systemClock, monotonic: () => time-- } })).toEqual([
      'error clock: The monotonic clock goes backwards: pass createApp a clock that does not',
    ])
    expect(await complaints({ clock: { ...systemClock, monotonic: () => 1 } })).toEqual([
      'warn clock: The monotonic clock does not advance: a virtual clock is for tests; remove the option clock',
    ])
  })

  it('tells when the variables of the environment disagree', () => {
    const resolved = resolveOptions({ environment: 'staging', pkgIds: {}, routes: {} })
    const conflict = 'The environment is staging, but ENV=dev and NODE_ENV=test'
    expect(checkEnvironment({ ...resolved, conflict })).toEqual({
      check: 'environment',
      level: 'warn',
      message: 'The environment is staging, but ENV=dev and NODE_ENV=test: set both to the same value',
    })
  })
})

describe('the doctor, of peers', () => {
  const greet = route({ http: 'GET /', input: v.object({ name: v.string() }), handler: () => 'Hello' })
  const postgres = [database({ url: 'postgres://me:hunter2@db/a' })]
  const embedded = [database({ url: 'pglite://memory' })]

  it.each([
    ['drizzle-orm', postgres, 'drizzle-orm is not installed, but database() requires it', '>=0.45 <0.46'],
    ['postgres', postgres, 'postgres is not installed, but database() requires it for this url', '^3.4.9'],
    [
      '@electric-sql/pglite',
      embedded,
      '@electric-sql/pglite is not installed, but database() requires it for this url',
      '^0.5.16',
    ],
    ['valibot', [], 'valibot is not installed, but the app has valibot schemas', '^1.5.0'],
  ])('misses %s', async (name, plugins, sentence, range) => {
    expect(await complaints({ plugins, endpoints: [greet] }, { find: lacking(name) })).toEqual([
      `error peer ${name}: The package ${sentence}: npm install '${name}@${range}'`,
    ])
  })

  it('asks for those only that the app uses', async () => {
    const find = (): null => null
    expect(await complaints({}, { find })).toEqual([])
    const { findings } = await examine({ plugins: embedded })
    expect(findings.map(({ check }) => check).filter((check) => check.startsWith('peer'))).toEqual([
      'peer drizzle-orm',
      'peer @electric-sql/pglite',
    ])
  })

  it('compares versions, and tells two copies apart', async () => {
    const old: Machine['find'] = (name) => ({ version: '0.44.7', folder: `/modules/${name}` })
    expect(await complaints({ endpoints: [greet] }, { find: old })).toEqual([
      "error peer valibot: valibot 0.44.7 does not satisfy ^1.5.0: npm install 'valibot@^1.5.0'",
    ])
    const twice: Machine['find'] = (name, from) => ({
      version: name === 'postgres' ? '3.4.9' : from === 'app' ? '0.45.1' : '0.45.4',
      folder: name === 'postgres' ? '/modules' : `/${from === 'app' ? from : 'core'}/${name}`,
    })
    expect(await complaints({ plugins: postgres }, { find: twice })).toEqual([
      "warn peer drizzle-orm: Two copies of drizzle-orm are installed: the app uses 0.45.1, @twinwire/core uses 0.45.4; run 'npm dedupe'",
    ])
    const apart: Machine['find'] = (name, from) => (from === 'app' ? createMachine().find(name, from) : null)
    expect((await complaints({ plugins: postgres }, { find: apart }))[1]).toBe(
      'error peer postgres: The package postgres cannot be resolved from @twinwire/core, but database() requires it for this url: ' +
        'install both in the same node_modules',
    )
  })
})

describe('the doctor, of options', () => {
  it('complains of what is open in production [defect 74]', async () => {
    const options: Options = {
      environment: 'production',
      defaultAccess: 'public',
      http: { hosts: ['*'], trustedProxies: ['0.0.0.0/0', '10.0.0.0/8'] },
      websocket: { origins: ['*'] },
      transport: memoryTransport(),
    }
    expect(await complaints(options)).toEqual([
      "warn hosts: http.hosts contains '*' in production: list the host names of the app",
      "warn origins: websocket.origins contains '*' in production: list the origins of your own pages",
      "warn access: defaultAccess is 'public' in production: remove it, and set access: 'public' on the routes that are public",
      'warn proxies: http.trustedProxies contains 0.0.0.0/0, so any client can spoof its address: list your proxies',
      'error transport: The memory transport is for tests and does not listen: remove the option transport',
    ])
    const closed: Options = { environment: 'production', http: { hosts: ['api.example.com'] } }
    expect(await complaints(closed)).toEqual([])
  })

  it('complains of what has no bound', async () => {
    const idle = route({ http: 'GET /idle', deadlineMs: 0, handler: () => '' })
    const huge = route({ http: { route: 'POST /huge', maxBodyBytes: 2 ** 30 }, handler: () => '' })
    const options: Options = {
      deadlineMs: 0,
      endpoints: [idle, huge],
      http: { maxBodyBytes: 2 ** 31 },
      websocket: { idleTimeoutSeconds: 0, maxInFlight: 1e9, maxPayloadBytes: 2 ** 29, maxBackpressureBytes: 2 ** 29 },
    }
    const bytes = 'and one client can use all of it: set it to at most 268435456, and stream larger data'
    expect(await complaints(options)).toEqual([
      'warn limits: deadlineMs is 0, so a call that hangs is never answered: set it, for example to 30000',
      'warn limits: deadlineMs of GET /idle is 0, so it may hang forever: set a deadline',
      `warn limits: http.maxBodyBytes of POST /huge is 1073741824, ${bytes}`,
      'warn limits: websocket.idleTimeoutSeconds is 0, so dead connections are never closed: set it, for example to 60',
      'warn limits: websocket.maxInFlight is 1000000000, which is effectively unlimited: set it to what one client needs, such as 64',
      `warn limits: websocket.maxPayloadBytes is 536870912, ${bytes}`,
      `warn limits: websocket.maxBackpressureBytes is 536870912, ${bytes}`,
      `warn limits: http.maxBodyBytes is 2147483648, ${bytes}`,
    ])
    expect(await complaints({ websocket: { idleTimeoutSeconds: 120, pingIntervalSeconds: 90 } })).toEqual([
      'warn limits: idle WebSockets are pinged after 90 s, and load balancers commonly close them after 60: set websocket.pingIntervalSeconds, for example to 44',
    ])
    expect(await complaints({ websocket: { sendPings: false } })).toEqual([
      'warn limits: websocket.sendPings is false, so idle clients are disconnected: remove it, unless clients send pings themselves',
    ])
  })
})

describe('the doctor, of the broker', () => {
  const ofBroker = async (options: Options): Promise<string[]> =>
    (await examine(options)).findings
      .filter(({ check }) => check.includes('broker') || check.includes('ioredis'))
      .map(({ check, level, message }) => `${level} ${check}: ${message}`)
  const resolve = (environment: 'dev' | 'production') => {
    const options = { environment, pkgIds: {}, routes: {}, http: { hosts: ['*'] } } as const
    return resolveOptions(options)
  }
  const change = 'pass createApp a broker that connects processes, such as redisBroker() of @twinwire/broker-redis'

  it('says which connections publications reach', () => {
    const reach = 'The broker is memory: publications reach the connections of this process only'
    const two = { id: 1, workers: 2 }
    expect(checkBroker(resolve('dev'), null)).toEqual({ check: 'broker', level: 'ok', message: reach })
    expect(checkBroker(resolve('production'), { id: 1, workers: 1 })).toEqual({
      check: 'broker',
      level: 'ok',
      message: `${reach}; before the app runs as several, ${change}`,
    })
    const several = `${reach}, and this is one of 2 workers: ${change}`
    expect(checkBroker(resolve('dev'), two)).toEqual({ check: 'broker', level: 'warn', message: several })
    const redis = { ...resolve('production'), broker: brokerOf({ name: 'redis' }) }
    expect(checkBroker(redis, two)).toEqual({
      check: 'broker',
      level: 'ok',
      message: 'The broker is redis: publications reach the connections of every process',
    })
  })

  it('runs its checks without starting it, and looks for its packages', async () => {
    const broker = brokerOf({
      name: 'redis',
      start: () => expect.fail('the doctor starts nothing'),
      doctor(host) {
        host.peer('ioredis', 'redisBroker() requires it')
        host.doctor('broker redis', () => ({ level: 'warn', message: 'Redis 6 lacks sharded pub/sub: use 7' }))
      },
    })
    expect(await ofBroker({ broker })).toEqual([
      'error peer ioredis: The package ioredis is not installed, but redisBroker() requires it: npm install ioredis',
      'ok broker: The broker is redis: publications reach the connections of every process',
      'warn broker redis: Redis 6 lacks sharded pub/sub: use 7',
    ])
  })
})

describe('the doctor, of plugins', () => {
  const production: Options = { environment: 'production', http: { hosts: ['api.example.com'] }, websocket: {} }
  const ofDatabase = async (options: Options): Promise<string[]> =>
    (await complaints(options)).filter((line) => line.includes(' database:'))

  it('complains of an embedded database in production', async () => {
    expect(await ofDatabase({ ...production, plugins: [database({ url: 'pglite://memory' })] })).toEqual([
      'error database: database(): an embedded database is refused in production: set url to ' +
        'postgres://user:password@host:5432/name, or allowEmbedded to true',
    ])
    const allowed = database({ url: 'pglite://memory', allowEmbedded: true })
    expect(await ofDatabase({ ...production, plugins: [allowed] })).toEqual([
      'warn database: The database is embedded (PGlite) in production, by allowEmbedded: set a postgres:// url; until then, make backups',
    ])
    expect(await ofDatabase({ plugins: [database({ url: 'pglite://memory', pool: { max: 0 } })] })).toEqual([
      'error database: database(): pool.max must be an integer from 1 to 10000, received 0',
    ])
  })

  it('looks for the package of a plugin from the file that imports it, by the range of that package', async () => {
    const importedBy = 'file:///app/node_modules/@acme/mail/dist/index.js'
    const plugin: Plugin = {
      name: 'mail',
      doctor: (host) => host.peer('nodemailer', 'mail() sends by it', importedBy),
      setup: () => {},
    }
    const importer = (): Importer => ({ name: '@acme/mail', peerDependencies: { nodemailer: '^7.0.0' } })
    const found =
      (version: string, place: string): Machine['find'] =>
      (name, from) =>
        name === 'nodemailer' && String(from) === place ? { version, folder: '/modules/nodemailer' } : null
    expect(await complaints({ plugins: [plugin] }, { importer, find: found('7.1.0', importedBy) })).toEqual([])
    expect(await complaints({ plugins: [plugin] }, { importer, find: found('6.9.0', importedBy) })).toEqual([
      "error peer nodemailer: nodemailer 6.9.0 does not satisfy ^7.0.0: npm install 'nodemailer@^7.0.0'",
    ])
    expect(await complaints({ plugins: [plugin] }, { importer, find: found('7.1.0', 'app') })).toEqual([
      'error peer nodemailer: The package nodemailer cannot be resolved from @acme/mail, but mail() sends by it: install both in the same node_modules',
    ])
  })

  it('runs the checks of a plugin, without its setup', async () => {
    const plugin: Plugin = {
      name: 'mail',
      doctor(host) {
        host.doctor('mail', () => [
          { level: 'ok', message: host.environment },
          { level: 'warn', message: 'No sender: set one' },
        ])
        host.doctor('queue', async () => {
          throw new Error('boom')
        })
        host.peer('nodemailer', 'mail() sends by it')
      },
      setup: () => expect.fail('the doctor sets nothing up'),
    }
    expect(await complaints({ plugins: [plugin] })).toEqual([
      'error peer nodemailer: The package nodemailer is not installed, but mail() sends by it: npm install nodemailer',
      'warn mail: No sender: set one',
      'error queue: The check failed: boom',
    ])
  })

  it('runs those of a setup once the app is ready; in an app of one line, over the real transport', async () => {
    const plugin: Plugin = {
      name: 'mail',
      setup: (host) => host.doctor('mail queue', () => ({ level: 'ok', message: 'It is empty' })),
    }
    const app = createApp({ environment: 'test', log: createTestLogger(), pkgIds: {}, routes: {}, plugins: [plugin] })
    const checksOf = async (): Promise<string[]> => (await app.doctor()).findings.map(({ check }) => check)
    const before = await checksOf()
    expect(before).toEqual(
      expect.arrayContaining(['node', 'uws binary', 'header limit', 'uws load', 'clock', 'limits']),
    )
    expect(before).not.toContain('mail queue')
    expect(app.state).toBe('created')
    await app.ready()
    expect(await checksOf()).toEqual([...before, 'mail queue'])
    expect((await app.doctor()).findings.filter(({ level }) => level === 'error')).toEqual([])
    await app.close()
  })
})
