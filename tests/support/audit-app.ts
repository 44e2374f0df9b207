import {
  check,
  createLogger,
  interceptor,
  type Next,
  NotFoundError,
  type Outcome,
  PermissionDeniedError,
  reply,
  route,
} from '@twinwire/core'
import { type Database, database, once, transaction } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { type AuditOptions, audit, audited } from '@twinwire/plugin-audit'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { auditDdl } from './audit-ddl.ts'

const effectsDdl = 'create table effects (id serial primary key, name text not null)'
const Name = v.object({ name: v.string(), does: v.optional(v.string(), 'succeed') })

const allowed = check({
  name: 'allowed',
  run: (input: { name: string }) => {
    if (input.name === 'forbidden') throw new PermissionDeniedError()
  },
})

/** What a handler waits for, by the name of the call. */
export const gates = new Map<string, Promise<unknown>>()

const unsendable = () => {
  throw new Error('It has no JSON')
}

const act = async ({ name, does }: v.InferOutput<typeof Name>, { db }: { readonly db: Database }) => {
  await db.execute(sql`insert into effects (name) values (${name})`)
  await gates.get(name)
  if (does === 'fail') throw new Error(`${name} failed`)
  if (does === 'refuse') throw new NotFoundError(`${name} is not here`)
  return does === 'break' ? { name, toJSON: unsendable } : { name }
}

/** Waits after the COMMIT. */
const lingering = interceptor({
  name: 'lingering',
  run: async (_call, next: Next): Promise<Outcome> => {
    const outcome = await next()
    await gates.get('lingering')
    return outcome
  },
})

const routes = {
  READ: route({
    http: 'GET /things/:id',
    input: v.object({ id: v.number(), token: v.optional(v.string()) }),
    handler: ({ id }) => ({ id }),
  }),
  WRITE: route({
    http: 'POST /things',
    input: v.looseObject({ name: v.optional(v.string()) }),
    handler: (input) => {
      // As handlers may: the row has what was sent.
      input.name = 'changed'
      return reply({ ok: true }, { status: 201 })
    },
  }),
  FORBIDDEN: route({
    http: 'POST /forbidden',
    handler: () => {
      throw new PermissionDeniedError('Not with password=hunter2')
    },
  }),
  BROKEN: route({
    http: 'POST /broken',
    handler: () => {
      throw new Error('internal')
    },
  }),
  RESET: route({ http: 'POST /reset/:token', input: v.object({ token: v.string() }), handler: () => 'ok' }),
  WAIT: route({
    http: 'POST /wait',
    input: v.object({ name: v.string() }),
    handler: async ({ name }) => {
      await gates.get(name)
      return 'ok'
    },
  }),
  PRIVATE: route({ http: 'GET /private', access: 'authenticated', handler: () => 'ok' }),
  ACT: route({ http: 'POST /acts', input: Name, use: [audited(), transaction(), allowed], handler: act }),
  RETRY: route({ input: Name, use: [audited(), transaction({ retries: 3 })], handler: act }),
  ACT_ONCE: route({
    http: 'POST /acts-once',
    access: 'authenticated',
    input: Name,
    use: [audited(), once({ retention: 60_000 }), transaction()],
    handler: act,
  }),
  ACT_SLOWLY: route({ input: Name, deadlineMs: 300, use: [audited(), transaction()], handler: act }),
  LOOK: route({
    http: 'GET /looks',
    use: [audited({ readOnly: true })],
    handler: () => ({ found: true }),
  }),
  LOOK_BROKEN: route({
    http: 'GET /looks-broken',
    use: [audited({ readOnly: true })],
    handler: () => ({ toJSON: unsendable }),
  }),
  ACT_LATE: route({ input: Name, deadlineMs: 1000, use: [lingering, audited(), transaction()], handler: act }),
  ACT_TWICE: route({ http: 'POST /acts-twice', input: Name, use: [audited(), audited(), transaction()], handler: act }),
}
export const auditPkgIds = {
  READ: 1,
  WRITE: 2,
  FORBIDDEN: 3,
  BROKEN: 4,
  RESET: 5,
  WAIT: 6,
  PRIVATE: 7,
  ACT: 8,
  RETRY: 9,
  ACT_ONCE: 10,
  ACT_SLOWLY: 11,
  LOOK: 12,
  LOOK_BROKEN: 13,
  ACT_TWICE: 14,
  ACT_LATE: 15,
} as const

export interface AuditAppOptions {
  readonly url: string
  readonly audit?: AuditOptions
  readonly transport?: 'memory' | 'uws'
  /** Creates the tables first. Default true. */
  readonly prepare?: boolean
  readonly max?: number
  readonly lines?: string[]
}

const ddl = [
  auditDdl,
  effectsDdl,
  'create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null)',
]

/** An app whose calls are recorded, and what is in its tables. */
export async function startAuditApp(options: AuditAppOptions) {
  const { url, transport = 'uws', prepare = true, max = 5, lines = [] } = options
  let opened: Database | null = null
  const logger = createLogger({
    environment: 'test',
    level: 'info',
    destination: { write: (line) => lines.push(line) },
  })
  const app = await createTestApp(
    {
      pkgIds: auditPkgIds,
      routes,
      defaultAccess: 'public',
      log: { logger, access: 'all' },
      plugins: [
        audit({ batchMs: 20, ...options.audit }),
        database({
          url,
          ...(url.startsWith('pglite:') ? {} : { pool: { max } }),
          onStart: async (db) => {
            opened = db
            if (prepare) for (const statement of ddl) await db.execute(sql.raw(statement))
          },
        }),
        fakeIdentity(),
      ],
    },
    { transport },
  )
  const db = (): Database => {
    if (opened === null) throw new Error('The database is not open')
    return opened
  }
  return { app, db, ...readers(db) }
}

export interface StoredRow {
  readonly id: string
  readonly user_id: string | null
  readonly username: string | null
  readonly user_roles: unknown
  readonly action_type: string
  readonly resource: string
  readonly outcome: string
  readonly ip_address: string | null
  readonly user_agent: string | null
  readonly request_id: string
  readonly request_data: unknown
  readonly response_status: number | null
  readonly error_message: string | null
  readonly duration_ms: number
}

/** What is stored, read by a handle of any app. */
export function readers(db: () => Database) {
  const all = async <Row>(query: string): Promise<readonly Row[]> => {
    const result: unknown = await db().execute(sql.raw(query))
    const rows: unknown = Array.isArray(result) ? result : Reflect.get(Object(result), 'rows')
    // Drivers return rows in their own shape; the query names the columns.
    return rows as readonly Row[]
  }
  return {
    rows: (where = 'true') => all<StoredRow>(`select * from user_actions where ${where} order by id`),
    effects: async () => (await all<{ name: string }>('select name from effects order by id')).map(({ name }) => name),
  }
}
