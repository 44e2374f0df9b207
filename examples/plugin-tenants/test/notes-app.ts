import { event, guard, type Identity, type Plugin, route } from '@twinwire/core'
import { BaseRepository, type Database, database, transaction, withDb } from '@twinwire/core/database'
import { fakeIdentity } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { inTenant, publishToTenant, requireTenant, type TenantsOptions, tenantErrors } from '../src/index.ts'
import { notes } from './tenants-database.ts'

class NoteRepository extends BaseRepository<typeof notes> {
  constructor(db: Database) {
    super(db, notes)
  }
}

const errors = Object.values(tenantErrors)
const Note = v.object({ id: v.number(), tenant: v.string(), text: v.string() })
const noteAdded = event({ data: v.object({ text: v.string() }) })
const tenantRoute = route.with(requireTenant())
const use = [transaction({ retries: 3 }), inTenant()] as const

const listNotes = tenantRoute({
  http: 'GET /notes',
  errors,
  use: [...use],
  output: v.array(Note),
  handler: (_input, { db }) => new NoteRepository(db).getAll(),
})
const addNote = tenantRoute({
  http: 'POST /notes',
  errors,
  use: [...use],
  input: v.object({ text: v.string(), tenant: v.optional(v.string()) }),
  output: Note,
  handler: ({ text, tenant }, call) => {
    publishToTenant(call, 'notes', noteAdded, { text })
    return new NoteRepository(call.db).create({ text, tenant: tenant ?? call.tenant })
  },
})
const addAndFail = tenantRoute({
  http: 'POST /failing-notes',
  use: [...use],
  input: v.object({ text: v.string() }),
  handler: async ({ text }, { db, tenant }) => {
    await new NoteRepository(db).create({ text, tenant })
    throw tenantErrors.refused('not today')
  },
})
/** Attempts by text: the first ends as two transactions that cannot be in one order. */
const attempts = new Map<string, number>()
const addOnSecondAttempt = tenantRoute({
  http: 'POST /repeated-notes',
  use: [...use],
  input: v.object({ text: v.string() }),
  output: v.number(),
  handler: async ({ text }, { db, tenant }) => {
    const attempt = (attempts.get(text) ?? 0) + 1
    attempts.set(text, attempt)
    await new NoteRepository(db).create({ text, tenant })
    if (attempt === 1) await db.execute(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
    return attempt
  },
})
/** What the plugin cannot see: routes that use the table and forgot `inTenant()`. */
const peek = route({ http: 'GET /peek', use: [withDb()], handler: (_input, { db }) => new NoteRepository(db).getAll() })
const peekInside = route({
  http: 'GET /peek-inside',
  use: [transaction()],
  handler: (_input, { db }) => new NoteRepository(db).getAll(),
})
const addOutside = tenantRoute({
  http: 'POST /outside-notes',
  use: [withDb(), guard({ name: 'nothing', run: () => {} }), inTenant()],
  handler: (_input, { db, tenant }) => new NoteRepository(db).create({ text: 'outside', tenant }),
})

export const pkgIds = {
  LIST_NOTES: 1,
  ADD_NOTE: 2,
  ADD_AND_FAIL: 3,
  ADD_ON_SECOND_ATTEMPT: 4,
  PEEK: 5,
  PEEK_INSIDE: 6,
  ADD_OUTSIDE: 7,
  NOTE_ADDED: 100,
} as const
export const routes = {
  LIST_NOTES: listNotes,
  ADD_NOTE: addNote,
  ADD_AND_FAIL: addAndFail,
  ADD_ON_SECOND_ATTEMPT: addOnSecondAttempt,
  PEEK: peek,
  PEEK_INSIDE: peekInside,
  ADD_OUTSIDE: addOutside,
}
export const events = { NOTE_ADDED: noteAdded }
export const byClaim: TenantsOptions = { tables: [notes], claim: 'tenant' }

/** `authorization: Bearer ann@acme` is Ann, with the claim `tenant: 'acme'`; `Bearer ann` has no tenant. */
export function claimedTenants(): Plugin {
  return fakeIdentity(({ headers }) => {
    const [, name, tenant] = /^Bearer ([^@\s]+)(?:@(\S+))?$/.exec(headers.authorization ?? '') ?? []
    if (name === undefined) return null
    const identity: Identity & { readonly claims: object } = { id: name, name, claims: { tenant } }
    return identity
  })
}

/** `maxConnections: 1`: every transaction gets the connection of the one before. */
export function notesApp(url: string, plugin: Plugin, maxConnections = 2) {
  const plugins = [claimedTenants(), database({ url, schema: { notes }, pool: { max: maxConnections } }), plugin]
  return { pkgIds, routes, events, plugins }
}

export const as = (caller: string) => ({ headers: { authorization: `Bearer ${caller}` } })
