// An `await` that was forgotten, in a process of its own with real sockets: one package must not end it.
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type ChildApp, startChildApp } from '../support/child-app.ts'
import { appDrops, callDrops, loneDrops } from '../support/drops.ts'
import { PackageClient } from '../support/package-client.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { findPublicPromises } from '../support/public-promises.ts'

const children: ChildApp[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await child.ended
  }
})

type Line = Readonly<Record<string, unknown>>

async function start(env: Readonly<Record<string, string>>) {
  const child = await startChildApp('dropping-app.ts', env)
  children.push(child)
  const url = `ws://127.0.0.1:${child.port}/ws`
  const lines = (): readonly Line[] =>
    child
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"level"'))
      .map((line) => JSON.parse(line) as Line)
  return { child, url, lines, one: await PackageClient.connect(url), other: await PackageClient.connect(url) }
}

/** The process lives and so does every socket. */
async function expectAlive(...clients: readonly PackageClient[]): Promise<void> {
  for (const client of clients) expect((await client.call(2)).data).toBe('pong')
}

const id = expect.stringMatching(/^[0-9a-f-]{36}$/)
const err = expect.objectContaining({ message: expect.any(String), stack: expect.any(String) })
const ofTheCall = {
  route: 'DROP',
  wire: 'ws',
  pkg_id: 1,
  request_id: id,
  connection_id: id,
  user_id: null,
  address: '127.0.0.1',
}
/** `db.execute of a select` is logged as `db.execute`. */
const toName = (drop: string): string => drop.split(' ', 1)[0] ?? ''

const postgres = (await hasPostgres()) ? await startPostgres() : null
afterAll(async () => postgres?.stop())
const onServer = postgres === null ? {} : { DATABASE: postgres.url }

const modes: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['with our listener of unhandled rejections, on PGlite', { UNHANDLED: 'log' }],
  ['without it, on PostgreSQL where there is one', { UNHANDLED: 'ignore', ...onServer }],
]

describe.each(modes)('%s', (_name, env) => {
  test('what is dropped and fails is one line, with the fields of its call, and every socket stays', async () => {
    const { one, other, url, child, lines } = await start(env)
    const expected: Line[] = []
    for (const name of Object.keys({ ...callDrops, ...appDrops })) {
      expect(await one.call(1, { name })).toMatchObject({ status_code: 0, data: 'done' })
      expected.push({ level: 'error', promise: toName(name), err, ...(name in callDrops ? ofTheCall : {}) })
      await expect.poll(lines, { message: name }).toHaveLength(expected.length)
    }
    expect(lines()).toEqual(expected.map((line) => expect.objectContaining(line)))
    // Where there is no app, the process is warned.
    for (const name of Object.keys(loneDrops)) {
      expect(await one.call(1, { name })).toMatchObject({ status_code: 0, data: 'done' })
      await expect.poll(child.output).toContain(`UnhandledRejection: ${name} failed, and nothing awaited it`)
    }
    const leaving = await PackageClient.connect(`${url}?leave=yes`)
    expect(await leaving.call(3)).toMatchObject({ data: { code: 'internal_error' } })
    const later = expect.objectContaining({ message: 'The handler failed later' })
    await expect.poll(lines).toContainEqual(expect.objectContaining({ promise: 'next', route: 'NEXT', err: later }))
    await expectAlive(one, other, leaving)
  }, 90_000)
})

describe('the list of what is dropped', () => {
  /** Given by an application or a library, to be called by core and plugins: what they return is not public. */
  const taken = [
    'AuthPlugin.setup',
    'BaseCommand.execute',
    /^Broker\./,
    'ClusterMetricsWriter.write',
    'ControlHandler',
    /^DatabaseDriver\./,
    'DatabaseOptions.driver',
    'DatabaseOptions.onStart',
    'DoctorCheck',
    /^DriverConnection\./,
    'FetchHandler',
    'HandshakeOptions.fromUpgrade',
    'HealthCheck',
    'Identify',
    /^LimitStore\./,
    'LimitStoreFactory.open',
    'MigrateOptions.driver',
    'OpenDriver',
    'Plugin.setup',
    'PluginControlHandler',
    'PromRegistry.getMetricsAsJSON',
    'ReadAnswer',
    'RateLimitPlugin.setup',
    /^RedisClient\./,
    'ResponseStream.write',
    'RouteOptions.handler',
    'GuardedTopic.run',
    'TaskOptions.run',
    'TopicDefinition.authorize',
    'TopicRule.authorize',
    'Tracer.task',
    /^Transport\./,
  ]
  const isTaken = (name: string): boolean =>
    taken.some((each) => (typeof each === 'string' ? each === name : each.test(name)))
  /** Tools for packages, which pass what they return to applications through `dropSafe`. */
  const tools = [
    'CircuitBreaker.run',
    'EndpointPort.close',
    'RedisConnection.close',
    'RedisConnection.open',
    'RedisConnection.ping',
    'RedisConnection.run',
    'RedisSubscriber.open',
    'RedisSubscriber.subscribe',
    'RedisSubscriber.unsubscribe',
    'checkTable',
    'openEndpointPort',
    'openRedisConnection',
    'openRedisSubscriber',
    'ClusterWorker.provideMetrics',
    'ClusterWorker.readMetrics',
    'PluginControl.send',
    'PluginHost.dropSafe',
    'PluginHost.publishOnce',
  ]
  /** Rejects only before anything serves: Node ends the process with the message and code 1, as it should. */
  const starts = ['cluster']
  const toDrop = (name: string): string =>
    name
      .replace(/^(?:Call)?Connection\./, 'connection.')
      .replace(/^App\./, 'app.')
      .replace(/^EventPublisher\./, 'publisher.')
      .replace(/^Hub(?:Control|Presence)?\./, 'hub.')
      // AuditRepository returns promises of a BaseRepository.
      .replace(/^(?:Base|Audit)Repository\./, 'repository.')
      .replace(/^(?:Limits|RateLimitPlugin)\./, 'limits.')
      .replace(/^MultipartFile\./, 'file.')
      .replace(/^DatabaseApi\./, '')
      .replace(/^Next$/, 'next')

  test('covers every promise that the packages return, according to the compiler', () => {
    const dropped = new Set([...Object.keys({ ...callDrops, ...appDrops, ...loneDrops }).map(toName), 'next'])
    const found = findPublicPromises()
    const returned = found.filter((name) => !isTaken(name) && ![...tools, ...starts].includes(name))
    expect(returned.filter((name) => !dropped.has(toDrop(name)))).toEqual([])
    expect(returned.length).toBeGreaterThan(20)
    // None of the others is an obsolete name.
    for (const each of taken)
      expect(found.some((name) => (typeof each === 'string' ? each === name : each.test(name)))).toBe(true)
  }, 120_000)
})

describe('a promise of the application', () => {
  test('is logged with its cause, and the process goes on', async () => {
    const { one, other, lines } = await start(onServer)
    expect((await one.call(4)).data).toBe('done')
    await expectAlive(one, other)
    const cause = { message: 'A helper of the application failed', stack: expect.stringContaining('dropping-app.ts') }
    await expect.poll(lines).toEqual([expect.objectContaining({ level: 'error', err: expect.objectContaining(cause) })])
  })

  test('is logged with the fields of its call where the app asks for them', async () => {
    const { one, lines } = await start({ ASYNC_CONTEXT: 'yes', ...onServer })
    await one.call(4)
    await expect.poll(lines).toEqual([expect.objectContaining({ level: 'error', route: 'OWN', pkg_id: 4 })])
    await expectAlive(one)
  })

  test('ends the process where the option says that core does not listen: that is what Node does', async () => {
    const { child, one } = await start({ UNHANDLED: 'ignore', ...onServer })
    await one.call(4).catch(() => {})
    expect(await child.ended).toEqual({ code: 1, signal: null })
  })
})
