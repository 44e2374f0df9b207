import { setTimeout } from 'node:timers/promises'
import type { Clock } from '@twinwire/core'
import {
  type Call,
  ConflictError,
  check,
  event,
  PermissionDeniedError,
  page,
  pageOf,
  reply,
  route,
} from '@twinwire/core'
import { type Database, database, once, transaction, type WithDatabase } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { eq, type SQL } from 'drizzle-orm'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { createOnceCaller, oncePkgIds } from './once-calls.ts'

/** As drizzle-kit generates it from `onceTable`. */
export const onceDdl = `
  create table "twinwire_once" ("key" text primary key not null, "fingerprint" text not null, "reply" text, "expires_at" timestamp with time zone not null);
  create index "twinwire_once_expires_at" on "twinwire_once" using btree ("expires_at");
`
export const marksDdl = `
  create table marks (id serial primary key, name text not null, owner text not null);
  create table tallies (name text primary key, n integer not null);
`

export const marks = pgTable('marks', { id: serial().primaryKey(), name: text().notNull(), owner: text().notNull() })
export const tallies = pgTable('tallies', { name: text().primaryKey(), n: integer().notNull() })

const Mark = v.object({ id: v.number(), name: v.string() })
const MarkInput = v.object({ name: v.string(), delayMs: v.optional(v.number(), 0) })
export const marked = event({ data: Mark })

const insert = async (db: Database, name: string, owner: string) => {
  const [row] = await db.insert(marks).values({ name, owner }).returning()
  if (row === undefined) throw new Error('No row')
  return row
}

/** Refuses a row that does not exist, as that of a repeated DELETE. */
const ownMark = check({
  name: 'ownMark',
  run: async (input: { id: number }, { db, identity }: Call & WithDatabase) => {
    const [row] = await db.select().from(marks).where(eq(marks.id, input.id))
    if (row?.owner !== identity?.id) throw new PermissionDeniedError()
  },
})

const day = 86_400_000
export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

export interface OnceAppOptions {
  readonly url: string
  readonly isolation?: Isolation
  readonly retries?: number
  readonly deadlineMs?: number
  readonly max?: number
  readonly transport?: 'memory' | 'uws'
  readonly clock?: Clock
  /** Makes the tables. */
  readonly prepare?: (db: Database) => Promise<void>
}

/** An app with routes of `once()`, and how often their handlers ran. */
export async function startOnceApp(options: OnceAppOptions) {
  const { url, isolation, retries = 0, deadlineMs = 20_000, max = 5, transport = 'uws', prepare, clock } = options
  let opened: Database | null = null
  const runs = new Map<string, number>()
  const ran = (name: string): number => {
    const count = (runs.get(name) ?? 0) + 1
    runs.set(name, count)
    return count
  }
  const inTransaction = transaction({ retries, ...(isolation !== undefined && { isolation }) })
  const use = [once({ retention: day }), inTransaction] as const
  const mark = async ({ name, delayMs }: v.InferOutput<typeof MarkInput>, call: Call & WithDatabase) => {
    ran(name)
    const { id } = await insert(call.db, name, call.identity?.id ?? '')
    call.broadcast(marked, { id, name })
    if (delayMs > 0) await setTimeout(delayMs)
    return { id, name }
  }
  const routes = {
    MARK: route({
      http: { route: 'POST /marks', status: 201 },
      use,
      input: MarkInput,
      output: Mark,
      handler: mark,
    }),
    OTHER: route({ http: 'POST /other-marks', use, input: MarkInput, output: Mark, handler: mark }),
    REMOVE: route({
      http: { route: 'DELETE /marks/:id', status: 204 },
      use: [...use, ownMark],
      input: v.object({ id: v.number() }),
      handler: async ({ id }, { db }) => {
        ran(`remove ${id}`)
        await db.delete(marks).where(eq(marks.id, id))
      },
    }),
    SECRET: route({
      http: 'POST /secrets',
      use: [once({ retention: day, reply: false }), inTransaction],
      input: MarkInput,
      handler: async (input, call) => ({ ...(await mark(input, call)), secret: 'hunter2' }),
    }),
    LARGE: route({
      http: 'POST /large',
      use: [once({ retention: day, maxReplyBytes: 1000 }), inTransaction],
      input: MarkInput,
      handler: async (input, call) => ({ ...(await mark(input, call)), text: 'é'.repeat(500) }),
    }),
    STRICT: route({
      http: 'POST /strict',
      use: [once({ retention: day, required: true }), inTransaction],
      input: MarkInput,
      output: Mark,
      handler: mark,
    }),
    REPLIES: route({
      http: 'POST /replies',
      use,
      input: v.object({ name: v.string(), kind: v.picklist(['value', 'text', 'bytes', 'nothing', 'null', 'date']) }),
      handler: async ({ name, kind }, call) => {
        ran(name)
        await insert(call.db, name, '')
        call.replyHeaders.append('x-added', 'one')
        call.replyHeaders.append('x-added', 'two')
        call.cookies.set('theme', 'dark')
        const own = {
          status: 202,
          headers: { location: `/marks/${name}` },
          cookies: { session: { value: name, expires: new Date('2030-01-02T03:04:05Z') } },
        }
        if (kind === 'value') return reply({ name, at: new Date(0), gone: undefined }, own)
        if (kind === 'text') return reply.text(`Hello ${name}`, own)
        if (kind === 'bytes') return reply.bytes(new Uint8Array([0, 255, 7]), own)
        if (kind === 'nothing') return undefined
        return kind === 'null' ? null : { at: new Date(5), nan: Number.NaN }
      },
    }),
    PAGES: route({
      http: 'POST /pages',
      use,
      input: MarkInput,
      output: pageOf(Mark),
      handler: async (input, call) => page([await mark(input, call)], { page: 1, per_page: 10, total: 1 }),
    }),
    HANG: route({
      http: 'POST /hang',
      use,
      input: MarkInput,
      handler: async (input, call): Promise<void> => {
        await mark(input, call)
        await new Promise(() => {})
      },
    }),
    /** Reads and then writes one row: of two at once the second cannot be serialized. */
    TALLY: route({
      http: 'POST /tallies',
      use,
      input: v.object({ name: v.string(), delayMs: v.optional(v.number(), 0) }),
      handler: async ({ name, delayMs }, { db }) => {
        ran(name)
        const [row] = await db.select().from(tallies)
        if (delayMs > 0) await setTimeout(delayMs)
        const n = (row?.n ?? 0) + 1
        await db.update(tallies).set({ n })
        return { n }
      },
    }),
    FAIL_FIRST: route({
      http: 'POST /fail-first',
      use,
      input: MarkInput,
      output: Mark,
      handler: async (input, call) => {
        const made = await mark(input, call)
        if (runs.get(input.name) === 1) throw new ConflictError('Not the first time')
        return made
      },
    }),
    STREAMS: route({
      http: 'POST /streams',
      use,
      input: MarkInput,
      handler: async (input, call) => {
        await mark(input, call)
        return reply.stream(['a']) as unknown
      },
    }),
  }
  const test = await createTestApp(
    {
      pkgIds: oncePkgIds,
      routes,
      events: { MARKED: marked },
      plugins: [
        database({
          url,
          pool: { max },
          allowEmbedded: true,
          onStart: async (db) => {
            opened = db
            await prepare?.(db)
          },
        }),
        fakeIdentity(),
      ],
      deadlineMs,
      ...(clock !== undefined && { clock }),
    },
    { transport, leftovers: 'allow' },
  )
  const rows = async (query: SQL): Promise<readonly unknown[]> => {
    const result: unknown = await opened?.execute(query)
    return Array.isArray(result) ? [...result] : Object(result).rows
  }
  return { ...test, runs, rows, call: createOnceCaller(test) }
}

export type OnceApp = Awaited<ReturnType<typeof startOnceApp>>
