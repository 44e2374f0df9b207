import {
  type App,
  type Call,
  createApp,
  createPublisher,
  type EventPublisher,
  event,
  type MultipartFile,
  runDoctor,
} from '@twinwire/core'
import {
  BaseRepository,
  type Database,
  type DatabaseApi,
  hasMany,
  migrate,
  migrationStatus,
} from '@twinwire/core/database'
import { memoryTransport } from '@twinwire/core/testing'
import type { RateLimitPlugin } from '@twinwire/plugin-ratelimit'
import { eq, sql } from 'drizzle-orm'
import { integer, pgMaterializedView, pgTable, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import type { DropListener } from '../../packages/core/src/base/drop-safe.ts'
import { openBody } from '../../packages/core/src/http/multipart/multipart.fixtures.ts'
import type { MultipartBody } from '../../packages/core/src/http/multipart/multipart-body.ts'
import { brokerOf } from '../../packages/core/src/hub/broker.fixtures.ts'

/** No migration makes it: each statement about it fails. */
export const ghosts = pgTable('ghosts', { id: integer().primaryKey(), name: text().notNull() })
const relations = { namesakes: hasMany(ghosts, { from: ghosts.id, to: ghosts.id }) }
const view = pgMaterializedView('ghosts_by_name', { id: integer() }).existing()

/** What a handler that forgets to await has at hand. */
export interface DropContext {
  readonly app: App
  readonly call: Call
  readonly api: DatabaseApi
  readonly limits: RateLimitPlugin
  /** Of the pool, on behalf of the call. */
  readonly db: Database<{ ghosts: typeof ghosts }>
}

/** Makes a promise that fails; what it returns is dropped. */
export type Drop = (context: DropContext) => unknown

/** The app does not list it. */
const unlisted = event({ data: v.string(), answer: v.string() })
const topics = { 'x:*': { authorize: () => true } }
const failing = async (): Promise<never> => {
  throw new Error('no')
}

const isListener = (value: object): value is DropListener => 'dropped' in value

/** Its client leaves within the first of its files. */
async function brokenForm({ call }: DropContext): Promise<MultipartBody> {
  if (!isListener(call)) throw new Error('a call of core gets what is dropped')
  const begin = '--b\nContent-Disposition: form-data; name="a"; filename="a"\n\nlong enough'
  const body = openBody(begin, { fails: new Error('no'), listener: call })
  await body.readFields()
  return body
}

async function brokenFile(context: DropContext): Promise<MultipartFile> {
  for await (const file of await brokenForm(context)) return file
  throw new Error('there is one')
}

/** On behalf of a call: what is logged has its fields. By the name that is logged, and after a blank whose it is. */
export const callDrops: Readonly<Record<string, Drop>> = {
  'connection.join': ({ call }) => call.connection?.join('x:1'),
  'connection.ask': ({ call }) => call.connection?.ask(unlisted, 'x'),
  'call.files': async (context) => {
    const files = (await brokenForm(context))[Symbol.asyncIterator]()
    await files.next()
    void files.next()
  },
  'file.next': async (context) => {
    const chunks = (await brokenFile(context))[Symbol.asyncIterator]()
    await chunks.next()
    void chunks.next()
  },
  'file.bytes': async (context) => void (await brokenFile(context)).bytes(),
  'file.text': async (context) => void (await brokenFile(context)).text(),
  'file.toTemporaryFile': async (context) => {
    const form = await brokenForm(context)
    for await (const file of form) {
      void file.toTemporaryFile()
      break
    }
    await form.close()
  },
  transaction: ({ api, call }) => api.transaction(failing, { call }),
  'db.transaction': ({ db }) => db.transaction(failing),
  'db.execute of a select': ({ db }) => db.select().from(ghosts).execute(),
  'db.execute of an insert': ({ db }) => db.insert(ghosts).values({ id: 1, name: 'x' }).execute(),
  'db.execute of an update': ({ db }) => db.update(ghosts).set({ name: 'y' }).where(eq(ghosts.id, 1)).execute(),
  'db.execute of a delete': ({ db }) => db.delete(ghosts).execute(),
  'db.execute of text': ({ db }) => db.execute(sql`select * from ghosts`).execute(),
  'db.execute of a prepared statement': ({ db }) => db.select().from(ghosts).prepare('ghosts').execute(),
  'db.execute of a relational query': ({ db }) => db.query.ghosts.findMany().execute(),
  'db.execute of one row': ({ db }) => db.query.ghosts.findFirst().execute(),
  'db.execute of a view': ({ db }) => db.refreshMaterializedView(view).execute(),
  'db.execute in a transaction': ({ api, call }) =>
    // It fails with its statement; that it does is handled here.
    api.transaction(async (tx) => void tx.select().from(ghosts).execute(), { call }).catch(() => {}),
  'tx.transaction': ({ api, call }) =>
    api.transaction(
      async (tx) => {
        void tx.transaction(failing)
        await tx.execute(sql`select 1`)
      },
      { call },
    ),
  'repository.getById': (context) => repository(context).getById(1),
  'repository.getMany': (context) => repository(context).getMany([1]),
  'repository.getAll': (context) => repository(context).getAll(),
  'repository.getPage': (context) => repository(context).getPage({ page: 1, perPage: 10 }),
  'repository.getPage by cursor': (context) => repository(context).getPage({ cursor: 'invalid' }),
  'repository.getPage that is refused at once': (context) => repository(context).getPage({ filters: { and: [] } }),
  'repository.findOne': (context) => repository(context).findOne({ name: 'x' }),
  'repository.exists': (context) => repository(context).exists({ name: 'x' }),
  'repository.count': (context) => repository(context).count(),
  'repository.create': (context) => repository(context).create({ id: 1, name: 'x' }),
  'repository.createMany': (context) => repository(context).createMany([{ id: 1, name: 'x' }]),
  'repository.update': (context) => repository(context).update(1, { name: 'y' }),
  'repository.upsert': (context) => repository(context).upsert({ id: 1, name: 'x' }),
  'repository.delete': (context) => repository(context).delete(1),
  'repository.deleteWhere': (context) => repository(context).deleteWhere({ name: 'x' }),
  'repository.load': (context) => repository(context).load([{ id: 1, name: 'x' }], relations, ['namesakes']),
}

function repository({ db }: DropContext): BaseRepository<typeof ghosts> {
  return new BaseRepository(db, ghosts)
}

/** On behalf of no call: the line is the app's. */
export const appDrops: Readonly<Record<string, Drop>> = {
  'connection.join of the hub': ({ app, call }) => app.hub.get(call.connection?.id ?? '')?.join('x:1'),
  'app.ready': ({ app }) => broken(app).ready(),
  'app.listen': ({ app }) => broken(app).listen({ port: 0 }),
  'app.listen on no port': ({ app }) => broken(app).listen({ port: -1 }),
  'app.close': ({ app }) => broken(app).close(),
  'app.doctor': ({ app }) => broken(app).doctor(),
  'hub.disconnect': ({ app }) => app.hub.disconnect({ identity: '' }),
  'hub.refresh': ({ app }) => app.hub.refresh(''),
  'hub.nodes': ({ app }) => broken(app).hub.nodes(),
  'hub.presence': ({ app }) => app.hub.presence('nowhere'),
  'hub.publish': async ({ app }) => void (await unsent(app)).hub.publish('x:1', ghost, {}),
  'hub.broadcast': async ({ app }) => void (await unsent(app)).hub.broadcast(ghost, {}),
  'hub.sendTo': async ({ app }) => void (await unsent(app)).hub.sendTo('ann', ghost, {}),
  'publisher.ready': ({ app }) => brokenPublisher(app).ready(),
  'publisher.publish': ({ app }) => brokenPublisher(app).publish('x:1', ghost, {}),
  'publisher.broadcast': ({ app }) => brokenPublisher(app).broadcast(ghost, {}),
  'publisher.sendTo': ({ app }) => brokenPublisher(app).sendTo('ann', ghost, {}),
  'publisher.close': async ({ app }) => {
    const publisher = brokenPublisher(app)
    await publisher.ready().catch(() => {})
    void publisher.close()
  },
  'transaction of the app': ({ api }) => api.transaction(failing),
  'db.transaction of the app': ({ api }) => api.db.transaction(failing),
  'db.execute of the app': ({ api }) => api.db.select().from(ghosts).execute(),
  'repository.create of the app': ({ api }) => new BaseRepository(api.db, ghosts).create({ id: 1, name: 'x' }),
  'limits.reset': ({ limits }) => limits.reset({ identity: 'ann' }),
  'limits.peek': ({ limits }) => limits.peek({ identity: 'ann' }),
}

/** An app that neither starts, nor closes, nor can be looked at; with the log of the one that is. */
function broken({ log }: App): App {
  const refuse = (): never => {
    throw new Error('no')
  }
  const transport = Object.assign(memoryTransport(), { close: failing })
  const plugins = [{ name: 'broken', setup: refuse, doctor: refuse }]
  return createApp({ pkgIds: {}, routes: {}, environment: 'test', log, transport, plugins })
}

const ghost = event({ data: v.object({}) })

/** Its broker takes no publication. */
async function unsent({ log }: App): Promise<App> {
  const app = createApp({
    pkgIds: { GHOST: 1 },
    routes: {},
    events: { GHOST: ghost },
    topics,
    environment: 'test',
    log,
    transport: memoryTransport(),
    broker: brokerOf({ publish: failing }),
    plugins: [{ name: 'identities', setup: (host) => host.identify(() => null) }],
  })
  await app.ready()
  return app
}

/** Its broker neither starts nor closes. */
function brokenPublisher({ log }: App): EventPublisher<typeof ghost> {
  const broker = brokerOf({ start: failing, close: failing })
  return createPublisher({ broker, pkgIds: { GHOST: 1 }, events: { GHOST: ghost }, topics, log })
}

/** Without an app: the process is warned. */
export const loneDrops: Readonly<Record<string, Drop>> = {
  migrate: () => migrate({ url: 'mysql://localhost/none', migrations: './nowhere' }),
  migrationStatus: () => migrationStatus({ url: 'mysql://localhost/none', migrations: './nowhere' }),
  runDoctor: () => runDoctor(failing, { args: [] }),
}
