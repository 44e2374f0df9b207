// The rule of a topic with `withDb()`: it reads from a real database, on PGlite and on PostgreSQL.
import { route, topic } from '@twinwire/core'
import { database, withDb } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { eq, sql } from 'drizzle-orm'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const tickets = pgTable('tickets', { id: serial().primaryKey(), state: text().notNull() })
const pkgIds = { SET: 1, JOIN: 2 } as const
const routes = {
  SET: route({
    use: [withDb()],
    input: v.object({ id: v.number(), state: v.string() }),
    handler: async ({ id, state }, { db }) => {
      await db.update(tickets).set({ state }).where(eq(tickets.id, id))
      return null
    },
  }),
  JOIN: route({
    input: v.object({ id: v.number() }),
    handler: async ({ id }, call) => {
      await call.connection?.join(`ticket:${id}`)
      return null
    },
  }),
}
const topics = {
  'ticket:{id}': topic({
    use: [withDb()],
    subscribe: true,
    authorize: async ({ db, params }) => {
      const [ticket] = await db
        .select()
        .from(tickets)
        .where(eq(tickets.id, Number(params.id)))
      return ticket?.state === 'open'
    },
  }),
}

const postgresThere = await hasPostgres()

describe.each([
  ['PGlite', async () => ({ url: 'pglite://memory', stop: async () => {} }), true],
  ['PostgreSQL', () => startPostgres(), postgresThere],
] as const)('on %s', (_, start, available) => {
  test.skipIf(!available)('a topic asks the database on each join and subscribe', async () => {
    const server = await start()
    onTestFinished(() => server.stop())
    const app = await createTestApp({
      pkgIds,
      routes,
      topics,
      defaultAccess: 'public',
      plugins: [
        database({
          url: server.url,
          pool: { max: 2 },
          onStart: async (db) => {
            await db.execute(sql`create table tickets (id serial primary key, state text not null)`)
            await db.execute(sql`insert into tickets (state) values ('open'), ('closed')`)
          },
        }),
      ],
    })
    onTestFinished(() => app.close())
    const client = await app.client()
    await client.subscribe('ticket:1')
    await expect(client.subscribe('ticket:2')).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(client.call('JOIN', { id: 2 })).rejects.toMatchObject({ code: 'permission_denied' })
    await client.call('SET', { id: 1, state: 'closed' })
    await expect(client.subscribe('ticket:1')).rejects.toMatchObject({ code: 'permission_denied' })
    await client.call('SET', { id: 2, state: 'open' })
    await client.call('JOIN', { id: 2 })
    // More at once than the pool has connections: each is released.
    const others = await Promise.all(Array.from({ length: 10 }, () => app.client()))
    await Promise.all(others.map((other) => other.subscribe('ticket:2')))
    // A value that the database refuses is an error of the app, and the connection stays.
    await expect(client.subscribe('ticket:x')).rejects.toMatchObject({ code: expect.any(String) })
    await client.call('SET', { id: 2, state: 'closed' })
    await expect(others[0]?.subscribe('ticket:2')).rejects.toMatchObject({ code: 'permission_denied' })
  })
})
