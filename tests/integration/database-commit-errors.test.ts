// What only COMMIT finds, a deferred constraint or trigger, has the same words as what a statement finds.
import { defineErrors, type Plugin, route } from '@twinwire/core'
import { database, findDatabaseFailure, transaction } from '@twinwire/core/database'
import { createTestApp, type TestApp } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const { used_up } = defineErrors('quota', { used_up: { httpStatus: 429, message: 'The quota is used up' } })
const quota: Plugin = {
  name: 'quota',
  requires: ['database'],
  setup: (host) => host.mapErrors((error) => (findDatabaseFailure(error)?.code === 'QT001' ? used_up() : null)),
}
const desks = pgTable('desks', { id: integer() })
const insert = (table: 'desks' | 'late_desks' | 'quotas') =>
  route({
    http: `POST /${table}`,
    access: 'public',
    errors: [used_up],
    use: [transaction()],
    handler: async (_input, { db }) => void (await db.execute(sql`insert into ${sql.identifier(table)} values (1)`)),
  })
const routes = { ADD_DESK: insert('desks'), ADD_LATE_DESK: insert('late_desks'), ADD_QUOTA: insert('quotas') }

describe.skipIf(!(await hasPostgres()))('an error of COMMIT', () => {
  let server: TestPostgres
  let app: TestApp<typeof routes, Record<never, never>>
  beforeAll(async () => {
    server = await startPostgres()
    const client = postgres(server.url, { max: 1 })
    await client.unsafe(`create table desks (id int, constraint desk unique (id));
      create table late_desks (id int, constraint late_desk unique (id) deferrable initially deferred);
      create table quotas (id int);
      create function burn() returns trigger language plpgsql as $$
        begin raise exception 'used up' using errcode = 'QT001'; end $$;
      create constraint trigger burn after insert on quotas deferrable initially deferred for each row execute function burn();
      insert into desks values (1);
      insert into late_desks values (1)`)
    await client.end()
    const constraints = { desk: 'This desk is taken', late_desk: 'This desk was taken' }
    app = await createTestApp({
      pkgIds: { ADD_DESK: 1, ADD_LATE_DESK: 2, ADD_QUOTA: 3 },
      routes,
      plugins: [database({ url: server.url, schema: { desks }, constraints }), quota],
    })
  })
  afterAll(async () => {
    await app?.close()
    await server?.stop()
  })

  it.each([
    ['ADD_DESK', 'conflict', 'This desk is taken'],
    ['ADD_LATE_DESK', 'conflict', 'This desk was taken'],
    ['ADD_QUOTA', 'quota.used_up', 'The quota is used up'],
  ] as const)('%s is answered with %s: %s, over both wires', async (name, code, msg) => {
    const client = await app.client()
    await expect(client.call(name)).rejects.toMatchObject({ code, msg })
    await expect(client.http(name)).rejects.toMatchObject({ code, msg })
  })
})
