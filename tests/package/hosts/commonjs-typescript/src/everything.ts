// Calls every function of every entry point and exports the results with the types that TypeScript infers. A project with
// `declaration: true` has to write that type down, so each type in it has a name that can be imported.
import { redisBroker } from '@twinwire/broker-redis'
import { CallError, createClient } from '@twinwire/client'
import { protobuf } from '@twinwire/client/protobuf'
import { createHooks } from '@twinwire/client/react'
import {
  AppError,
  attachment,
  BaseCommand,
  BootError,
  type Call,
  check,
  createApp,
  createLogger,
  createPublisher,
  csrf,
  currentCall,
  Disconnect,
  defineErrors,
  defineTopics,
  disconnects,
  errorCodes,
  event,
  fromFetch,
  group,
  guard,
  interceptor,
  jsonCodec,
  memoryBroker,
  type Next,
  page,
  pageOf,
  reply,
  route,
  staticFiles,
  stream,
  topic,
  unchecked,
  uws,
} from '@twinwire/core'
import { cluster } from '@twinwire/core/cluster'
import {
  BaseRepository,
  checkTable,
  type Database,
  database,
  databaseKey,
  databaseSettings,
  driverSerializers,
  findDatabaseFailure,
  hasMany,
  hasOne,
  migrationStatus,
  once,
  onceTable,
  outboxTable,
  transaction,
  unixTimestamp,
  withDb,
} from '@twinwire/core/database'
import { createSimulatedDatabase, createTestDatabase, databaseDriverSuite } from '@twinwire/core/database/testing'
import { filterSchema, filtersFromQuery, pageInput, sortSchema } from '@twinwire/core/database/valibot'
import {
  addGuardedEndpoint,
  badOption,
  CircuitBreaker,
  CounterCell,
  checkOption,
  checkOptions,
  circuitBreakerRules,
  createNetworks,
  definePlugin,
  describeEndpointAccess,
  endpointPortRules,
  findOriginError,
  Instruments,
  networkRule,
  openEndpointPort,
  option,
  PortRoutes,
  pluginKey,
  readCookie,
  readSignedCookie,
  redact,
  redactPath,
  redactText,
  requireSingleProcess,
  resolveEndpointAccess,
  setTrace,
  systemClock,
  traceOf,
} from '@twinwire/core/plugin'
import { protobufCodec } from '@twinwire/core/protobuf'
import {
  clusterSettings,
  defineSettings,
  docsSettings,
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  nativeServerSettings,
  settingsGroup,
  variable,
  websocketSettings,
} from '@twinwire/core/settings'
import {
  brokerSuite,
  codecSuite,
  createTestApp,
  createTestLogger,
  createVirtualClock,
  fakeIdentity,
  memoryTransport,
  networkRawClient,
  pluginSuite,
  runSchedules,
  SimulationFailure,
  simulate,
  transportSuite,
} from '@twinwire/core/testing'
import {
  type Broker,
  checkListenOptions,
  defaultSocketLimits,
  findBadHeader,
  findHeader,
  findMalformed,
  findUnsafe,
  isBodyless,
  isFraming,
  isUnsafeKey,
  maxPkgId,
  PreparedHead,
  refuseFrame,
  SendResult,
  streamKey,
  toFrame,
  toHeaderRecord,
  unknownPkgId,
  uuidPattern,
  zeroUuid,
} from '@twinwire/core/transport'
import { AuditRepository, audit, audited, auditKey, auditSettings, auditTable } from '@twinwire/plugin-audit'
import {
  auth,
  authenticated,
  authKey,
  defineRoles,
  keycloakIssuer,
  keycloakSettings,
  optionalUser,
  requireAnyRole,
  requireRoles,
  requireScope,
  withAuth,
} from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { clusterMetrics, metrics, metricsSettings } from '@twinwire/plugin-metrics'
import { readScrape } from '@twinwire/plugin-metrics/testing'
import { consoleFolder, openapi } from '@twinwire/plugin-openapi'
import { otel } from '@twinwire/plugin-otel'
import { profiling } from '@twinwire/plugin-profiling'
import { limit, memoryStore, rateLimit, rateLimitKey, rateLimitSettings, redisStore } from '@twinwire/plugin-ratelimit'
import { createRule, storeSuite } from '@twinwire/plugin-ratelimit/testing'
import {
  addressOf,
  openRedisConnection,
  openRedisSubscriber,
  type RedisServices,
  redisOptionRules,
  redisScript,
  redisSettings,
  resolveRedisOptions,
  type SubscriberListener,
} from '@twinwire/redis'
import { bigint, integer, jsonb, pgTable, serial, text, timestamp } from 'drizzle-orm/pg-core'
import * as v from 'valibot'

// core
export const topics = defineTopics({
  'author:*': { authorize: (identity, topic) => topic === `author:${identity?.id}` },
  'ticket:{id}': topic({ subscribe: true, authorize: ({ identity, params }) => params.id === identity?.id }),
})
export const appErrors = defineErrors('billing', { card_declined: { httpStatus: 402, message: 'Declined' } })
export const logger = createLogger({ environment: 'test' })
export const networks = createNetworks(['10.0.0.0/8'], 'networks')
export const endpointAccess = [
  addGuardedEndpoint,
  describeEndpointAccess('public'),
  endpointPortRules,
  openEndpointPort,
  PortRoutes,
  resolveEndpointAccess,
] as const
export const current = currentCall()
export const errors = [AppError, BootError, Disconnect, errorCodes, disconnects] as const
export const cells = [CounterCell, new Instruments()] as const
export const codec = jsonCodec
export const binaryCodec = protobufCodec()
export const broker = memoryBroker()
export const redacted = redact({ password: 'x' })
export const shownPath = redactPath('/reset/a', '/reset/:token')
export const shownText = redactText('password=x')
export const clock = systemClock
export const sameOrigin = csrf({ origins: ['https://app.example'] })
export const originError = findOriginError({ wire: 'http', method: 'POST', secure: true, headers: {} })
export const signedCookie = readSignedCookie({ cookie: 'a=1' }, 'a', ['a secret of more than thirty-two bytes'])
export const cookie = readCookie({ cookie: 'a=1' }, 'a')
export const traceReaders = [setTrace, traceOf] as const
export const single = () => requireSingleProcess('a queue in memory', 'use one in Redis')
export const transport = uws({ compat: 'on' })
export const runAsCluster = () => cluster({ workers: 2, run: () => undefined, metrics: clusterMetrics() })
export const settings = defineSettings({
  cluster: clusterSettings,
  http: httpSettings,
  docs: docsSettings,
  lifecycle: lifecycleSettings,
  listen: listenSettings,
  log: logSettings,
  nativeServer: nativeServerSettings,
  websocket: websocketSettings,
  database: databaseSettings({ embedded: 'pglite://memory' }),
  keycloak: keycloakSettings,
  metrics: metricsSettings,
  rateLimit: rateLimitSettings,
  redis: redisSettings,
  mail: {
    key: variable.text('MAIL_KEY', { about: 'Key', secret: true, optional: true }),
    timeoutMs: variable.duration('MAIL_TIMEOUT', { about: 'Time', default: 2000 }),
    level: variable.oneOf('MAIL_LEVEL', ['all', 'some'], { about: 'What is sent', default: 'all' }),
  },
})
export const readSettings = () => settings.read({ variables: {} })
export const ownGroup = settingsGroup({
  variables: { size: variable.bytes('SIZE', { about: 'Size', default: 1 }) },
  to: ({ size }) => ({ size }),
})

export interface Flags {
  isOn(flag: string): boolean
}
export const flagsKey = pluginKey('flags').of<Flags>()
export const flags = definePlugin(flagsKey, { setup: () => ({ isOn: () => true }) })
export const whenOn = guard({ name: 'whenOn', needs: flagsKey, bind: (api: Flags) => () => ({ on: api.isOn('a') }) })
export const plainGuard = guard({ name: 'plain', run: () => ({ tenant: 'a' }) })
export const ownTask = check({
  name: 'own',
  run: (input: { id: number }, call: Call & { db: Database }) => void [input, call],
})
export const timed = interceptor({
  name: 'timed',
  run: (_call: Call, next: Next<{ startedAt: number }>) => next({ startedAt: 1 }),
})

export class EchoCommand extends BaseCommand<string, string> {
  execute(text: string): string {
    return text
  }
}
export const Task = v.object({ id: v.number(), title: v.string() })
export const taskChanged = event({ data: Task })
export const createTaskPublisher = (shared: Broker) =>
  createPublisher({ broker: shared, pkgIds: { TASK_CHANGED: 100 }, events: { TASK_CHANGED: taskChanged }, topics })
export const silent = route({ handler: () => 1 })
export const plainText = route({ http: 'GET /text', handler: () => reply.text('a') })
export const streamedBody = route({
  http: 'GET /stream',
  handler: () =>
    reply.stream(
      (async function* () {
        yield 'a'
      })(),
    ),
})
export const uploaded = route({
  http: { route: 'POST /upload', body: 'stream' },
  handler: (_input, { body }) => ({ type: body.contentType, length: body.length }),
})
export const form = route({
  http: { route: 'POST /form', body: 'multipart' },
  input: Task,
  handler: async (task, { files }) => {
    const names: (string | null)[] = []
    for await (const { filename } of files) names.push(filename)
    return { task, names }
  },
})
export const serverSentEvents = route({ http: 'GET /events', handler: () => reply.events([{ data: 'a' }]) })
export const download = route({
  http: 'GET /download',
  handler: () => reply.file('a.pdf', { root: __dirname, headers: { 'content-disposition': attachment('Ä.pdf') } }),
})
export const assets = staticFiles({ root: __dirname, prefix: '/assets', access: 'public', immutable: /-[0-9a-f]{8}\./ })
export const mounted = fromFetch('/mounted', (request) => new Response(request.url), { use: [plainGuard] })
export const replied = route({ http: 'GET /replied', handler: () => reply({ a: 1 }, { status: 202 }) })
export const dated = route({
  http: 'GET /dated',
  output: unchecked(v.object({ at: v.date() })),
  handler: () => ({ at: new Date() }),
})
export const paged = route({
  http: 'GET /paged',
  output: pageOf(Task),
  handler: () => page([], { page: 1, per_page: 1, total: 0, pages: 0 }),
})
export const streamed = route({ http: 'GET /streamed', output: stream(Task), handler: () => [] })
export const guarded = route.with(plainGuard, whenOn)
export const guardedRoute = guarded({ http: 'GET /guarded', handler: (_input, { tenant, on }) => ({ tenant, on }) })
export const around1 = route({ http: 'GET /timed', use: [timed], handler: (_input, { startedAt }) => startedAt })
export const command = route({ http: 'POST /echo', input: v.string(), command: () => new EchoCommand() })
export const users = group({ prefix: '/users', use: [plainGuard] }, { list: silent, plainText })

export const mailRules = { from: option.string(), retries: option.integer({ min: 0, max: 10, default: 3 }) }
export const mailOptions = checkOptions('mail()', { from: 'a@example.com' }, mailRules)
export const mailFrom = checkOption('mail()', 'from', 'a@example.com', mailRules.from)
export const wrong = badOption('mail()', 'from', 'must be an address', 1)
export const breakers = [CircuitBreaker, circuitBreakerRules, networkRule] as const
export const framing = [
  toFrame,
  refuseFrame,
  findUnsafe,
  isUnsafeKey,
  maxPkgId,
  unknownPkgId,
  uuidPattern,
  zeroUuid,
] as const
export const transportRules = [checkListenOptions, defaultSocketLimits, SendResult, isBodyless, isFraming] as const
export const preparedHead = new PreparedHead([['x-frame-options', 'DENY']], 'x-correlation-id', [])
export const headerRules = [findBadHeader, findHeader, findMalformed, toHeaderRecord] as const
export const suites = [transportSuite, codecSuite, brokerSuite, pluginSuite, databaseDriverSuite] as const

// the database
export const serializers = driverSerializers
export const authors = pgTable('authors', {
  id: serial().primaryKey(),
  name: text().notNull(),
  rank: integer(),
  visits: bigint({ mode: 'bigint' }),
  settings: jsonb().$type<{ theme: string }>(),
  bornAt: timestamp(),
  createdAt: unixTimestamp('created_at').notNull(),
})
export const books = pgTable('books', {
  id: serial().primaryKey(),
  authorId: integer().notNull(),
  title: text().notNull(),
})

export class BookRepository extends BaseRepository<typeof books> {
  constructor(db: Database) {
    super(db, books)
  }
}
export class AuthorRepository extends BaseRepository<typeof authors> {
  readonly relations = {
    books: hasMany(books, { from: authors.id, to: books.authorId }),
    first: hasOne(books, { from: authors.id, to: books.authorId }),
  }
  constructor(db: Database) {
    super(db, authors)
  }
  findByName(name: string) {
    return this.findOne({ name })
  }
  list() {
    return this.getPage({ page: 1, perPage: 10, orderBy: { name: 'asc' } })
  }
}
export const all = (db: Database) => new AuthorRepository(db).getAll({ rank: { gte: 1 } })
export const one = (db: Database) => new AuthorRepository(db).getById(1)
export const made = (db: Database) => new AuthorRepository(db).create({ name: 'Ada', createdAt: new Date() })
export const createdAt = unixTimestamp('created_at')
export const opened = database({ url: 'pglite://memory', outbox: { pollMs: 500 } })
export const outbox = outboxTable
export const stored = transaction({ outbox: true })
export const keyOfDatabase = databaseKey
export const applied = () => migrationStatus({ url: 'pglite://memory', migrations: 'drizzle' })
export const fromPool = withDb()
export const inTransaction = transaction({ isolation: 'serializable' })
export const sqlState = findDatabaseFailure(new Error('no database'))?.code
export const onlyOnce = once({ retention: 86_400_000, required: true })
export const tableOfOnce = onceTable
export const checked = (db: Database) =>
  checkTable(db, {
    table: onceTable,
    name: 'twinwire_once',
    package: '@twinwire/core/database',
    exportName: 'onceTable',
    owner: 'once()',
    privileges: ['insert'],
  })
export const AuthorFilters = filterSchema(
  authors,
  { id: true, name: ['eq', 'prefix'], bornAt: true },
  { combine: true },
)
export const PlainFilters = filterSchema(authors, { id: true, visits: true })
export const fromQuery = filtersFromQuery(PlainFilters)
export const AuthorSort = sortSchema(authors, ['name', 'bornAt'])
export const AuthorPage = v.strictObject({
  ...pageInput(),
  filters: v.optional(AuthorFilters, {}),
  sort: v.optional(AuthorSort),
})
export const listAuthors = route({
  http: { route: 'GET /authors', input: fromQuery },
  use: [withDb()],
  input: AuthorPage,
  handler: ({ filters, sort }, { db }) => new AuthorRepository(db).getPage({ filters, orderBy: sort }),
})

// the plugins
export const signIn = auth({ issuer: keycloakIssuer('https://sso.example.com', 'app'), audience: 'a', clientId: 'a' })
export const keyOfAuth = authKey
export const signedIn = authenticated()
export const reader = requireRoles('reader')
export const roles = defineRoles(['agent', 'realm:admin'])
export const agent = roles.requireRoles('agent')
export const either = requireAnyRole('a', 'b')
export const scoped = requireScope('s')
export const maybe = optionalUser()
export const control = withAuth()
export const whoAmI = route({
  http: 'GET /me',
  use: [requireRoles('reader'), limit('2/m')],
  handler: (_input, { user }) => ({ name: user.name }),
})
export const testIssuer = () => createTestIssuer({ users: [{ username: 'ada', roles: ['reader'] }] })
export const counted = metrics()
export const servedConsole: string = consoleFolder().href
export const describedApi = openapi({ access: { networks: ['10.0.0.0/8'] }, info: { title: 'Tasks' } })
export const traces = otel({ remoteParent: 'link', queryText: true })
export const profiles = profiling({ access: { port: 9466 }, maxSeconds: 30 })
export const auditing = [audit({ access: { networks: ['10.0.0.0/8'] } }), auditKey, auditSettings, auditTable] as const
export const transfer = route({ use: [transaction(), audited()], handler: () => null })
export const denied = (db: Database) =>
  new AuditRepository(db).getPage({ outcome: 'permission_denied' }, { cursor: '' })
export const scrape = readScrape('')
export const limits = rateLimit({ store: memoryStore() })
export const keyOfLimits = rateLimitKey
export const tenAMinute = limit('10/m')
export const inRedis = redisStore('redis://127.0.0.1:6379')
export const storeTests = [storeSuite, createRule] as const

// redis, broker-redis
export const keyOfStream = streamKey({ kind: 'topic', topic: 'author:1' })
export const brokerInRedis = redisBroker({ sentinels: { name: 'mymaster', urls: ['redis://127.0.0.1:26379'] } })
export const redisOptions = resolveRedisOptions(
  { url: 'redis://127.0.0.1' },
  { owner: 'cache()', commandTimeoutMs: 100 },
)
export const redisRules = redisOptionRules
export const redisAddress = addressOf(redisOptions)
export const countScript = redisScript(`return redis.call('INCR', KEYS[1])`)
export const connectRedis = (services: RedisServices) =>
  openRedisConnection(redisOptions, services, { operations: ['count'] })
export const countInRedis = async (services: RedisServices) =>
  (await connectRedis(services)).run('count', countScript, ['counter'], [])
export const subscribeRedis = (services: RedisServices, listener: SubscriberListener) =>
  openRedisSubscriber(redisOptions, services, listener)

// an app, and tests of it
export const PkgID = { LIST_AUTHORS: 1, WHO_AM_I: 2, TASK_CHANGED: 100 } as const
export const routes = { LIST_AUTHORS: listAuthors, WHO_AM_I: whoAmI }
export const createWholeApp = () =>
  createApp({
    pkgIds: PkgID,
    routes,
    events: { TASK_CHANGED: taskChanged },
    endpoints: [plainText, guardedRoute],
    plugins: [opened, signIn, limits, counted, flags],
  })
export const describeApp = () => createWholeApp().describe()
export const manifestOfApp = () => createWholeApp().manifest()
export const testApp = () => createTestApp({ pkgIds: PkgID, routes, events: { TASK_CHANGED: taskChanged } })
export const testClient = async () => (await testApp()).client()
export const called = async () => (await testClient()).call('WHO_AM_I')
export const testLogger = createTestLogger()
export const virtualClock = createVirtualClock()
export const testDatabase = () => createTestDatabase({ migrations: './drizzle' })
export const simulatedDatabase = () => createSimulatedDatabase({ migrations: './drizzle' })
export const identity = fakeIdentity({ id: 'ann', name: 'Ann' })
export const inMemory = memoryTransport()
/** Typed by the routes and events of the app. */
export const simulations = async (): Promise<readonly string[]> => {
  const app = () => ({ pkgIds: { PING: 1 }, routes: { PING: silent } })
  await runSchedules({ runs: 2, app }, async (sim) => void (await sim.client().call('PING')))
  const { history } = await simulate({ app, nodes: 2 }, async (sim) => sim.disturb({ kinds: ['cut', 'kill'] }))
  return history
}
export const isFailure = (error: unknown): boolean => error instanceof SimulationFailure
export const rawClient = networkRawClient({ port: 1 })

// clients of the app
type WholeApp = ReturnType<typeof createWholeApp>
export const client = createClient<WholeApp>({
  url: 'http://127.0.0.1:8000',
  manifest: manifestOfApp(),
  codec: protobuf(),
})
export const callOfClient = () => client.call('LIST_AUTHORS')
export const whoIsClient = () => client.call('WHO_AM_I', undefined, { wire: 'http' })
export const subscriptionOfClient = () => client.subscribe('author:1', { onEvent: ({ data }) => data })
export const codeOf = (error: unknown) => (error instanceof CallError ? error.code : null)
export const hooks = createHooks<WholeApp>()
export const useAuthors = () => hooks.useCall('LIST_AUTHORS')
export const useWho = () => hooks.useAction('WHO_AM_I', { wire: 'http' })
export const useAuthor = (topic: string) => hooks.useSubscription(topic)
