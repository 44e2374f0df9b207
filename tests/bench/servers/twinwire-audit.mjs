// POST that inserts a row in a transaction, and a package without a database: not recorded, recorded, or with audited().
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { database, transaction } from '@twinwire/core/database'
import { audit, audited, auditTable } from '@twinwire/plugin-audit'
import { sql } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input, Output, pkgId } from './contract.mjs'

const { TWINWIRE_BENCH_DATABASE: url, TWINWIRE_BENCH_STEPS: steps } = process.env
const columns = getTableConfig(auditTable).columns.map(
  (column) => `"${column.name}" ${column.getSQLType()}${column.primary ? ' primary key' : ''}`,
)
const tables = [
  'create table bench_authors (id bigserial primary key, name text not null, page integer not null)',
  `create table user_actions (${columns.join(', ')})`,
]

let calls = 0
const app = createApp({
  pkgIds: { GET_AUTHOR: pkgId },
  routes: { GET_AUTHOR: route({ summary: 'An author', input: Input, output: Output, handler: getAuthor }) },
  endpoints: [
    route({
      summary: 'Add an author',
      http: 'POST /authors',
      use: steps === 'audited' ? [audited(), transaction()] : [transaction()],
      input: Input,
      output: Output,
      handler: async ({ name, page }, call) => {
        await call.db.execute(sql`insert into bench_authors (name, page) values (${name}, ${page})`)
        calls += 1
        return { id: page, name }
      },
    }),
  ],
  plugins: [
    database({
      url,
      onStart: async (db) => {
        for (const name of ['bench_authors', 'user_actions']) await db.execute(sql.raw(`drop table if exists ${name}`))
        for (const table of tables) await db.execute(sql.raw(table))
      },
    }),
    ...(steps === undefined ? [] : [audit({ access: { port: 0 }, queueSize: 1_000_000 })]),
  ],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

/** Rows of the audit log that wait; without one, none do. */
const waiting = () => {
  const family = app.instruments.families().find(({ name }) => name === 'audit_queue_size')
  return family?.cells[0]?.cell.value ?? 0
}

await serve(async () => (await app.listen({ port: 0 })).port, {
  answers: { state: () => ({ calls, waiting: waiting() }) },
})
