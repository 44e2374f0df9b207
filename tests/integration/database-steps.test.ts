// `withDb()` and `transaction()` in an app, over both wires, on PGlite and on PostgreSQL.
import { type Call, check, event, NotFoundError, PermissionDeniedError, route } from '@twinwire/core'
import {
  BaseRepository,
  type Database,
  database,
  transaction,
  type WithDatabase,
  withDb,
} from '@twinwire/core/database'
import { createTestApp, type TestApp } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const notes = pgTable('notes', { id: serial().primaryKey(), text: text().notNull() })
class NoteRepository extends BaseRepository<typeof notes> {
  constructor(db: Database) {
    super(db, notes)
  }
}
const NoteSchema = v.object({ id: v.number(), text: v.string() })
const TextInput = v.object({ text: v.string() })
const written = event({ data: NoteSchema })

/** Writes before it refuses: in the transaction of the handler, or the row would stay. */
const notForbidden = check({
  name: 'notForbidden',
  run: async (input: { text: string }, { db }: Call & WithDatabase) => {
    await new NoteRepository(db).create({ text: `checked ${input.text}` })
    if (input.text === 'forbidden') throw new PermissionDeniedError()
  },
})

const pkgIds = { LIST: 1, WRITE: 2, WRITE_AND_FAIL: 3, WRITE_TOO_LATE: 4, WRITE_CHECKED: 5, WRITTEN: 100 } as const
const routes = {
  LIST: route({
    http: 'GET /notes',
    use: [withDb()],
    output: v.array(NoteSchema),
    handler: (_, { db }) => new NoteRepository(db).getAll(),
  }),
  WRITE: route({
    http: 'POST /notes',
    use: [transaction()],
    input: TextInput,
    output: NoteSchema,
    handler: async (input, call) => {
      const note = await new NoteRepository(call.db).create(input)
      call.broadcast(written, note)
      return note
    },
  }),
  WRITE_AND_FAIL: route({
    http: 'POST /notes/fail',
    // A handle of the pool before, replaced by that of the transaction.
    use: [withDb(), transaction()],
    input: TextInput,
    handler: async (input, call): Promise<null> => {
      call.broadcast(written, await new NoteRepository(call.db).create(input))
      throw new NotFoundError('Not this one')
    },
  }),
  WRITE_CHECKED: route({
    http: 'POST /notes/checked',
    use: [transaction(), notForbidden],
    input: TextInput,
    output: NoteSchema,
    handler: (input, call) => new NoteRepository(call.db).create(input),
  }),
  WRITE_TOO_LATE: route({
    http: 'POST /notes/late',
    use: [transaction()],
    deadlineMs: 50,
    input: TextInput,
    handler: async (input, call): Promise<null> => {
      call.broadcast(written, await new NoteRepository(call.db).create(input))
      await new Promise<void>((resolve) => call.signal.addEventListener('abort', () => resolve()))
      return null
    },
  }),
}

const options = (url: string) => ({
  pkgIds,
  routes,
  events: { WRITTEN: written },
  defaultAccess: 'public' as const,
  plugins: [
    database({
      url,
      onStart: async (db) => {
        await db.execute(sql`create table notes (id serial primary key, text text not null unique check (text <> ''))`)
      },
    }),
  ],
})

const postgresThere = await hasPostgres()

describe.each([
  ['PGlite', async () => ({ url: 'pglite://memory', stop: async () => {} }), true],
  ['PostgreSQL', () => startPostgres(), postgresThere],
] as const)('on %s', (_, start, available) => {
  describe.skipIf(!available)('the steps', () => {
    let subject: TestApp<typeof routes, { WRITTEN: typeof written }>
    let stop: () => Promise<void>
    beforeAll(async () => {
      const server = await start()
      stop = server.stop
      subject = await createTestApp(options(server.url))
    })
    afterAll(async () => {
      await subject.close()
      await stop()
    })
    const strings = async () => (await (await subject.client()).call('LIST')).map((note) => note.text)

    test('a commit: the row is there, and then the event', async () => {
      const client = await subject.client()
      const note = await client.call('WRITE', { text: 'kept' })
      expect(await client.nextEvent('WRITTEN')).toEqual(note)
      const response = await subject.request('POST /notes', { json: { text: 'kept too' } })
      expect([response.status, response.json()]).toEqual([200, { id: expect.any(Number), text: 'kept too' }])
      expect(await strings()).toEqual(expect.arrayContaining(['kept', 'kept too']))
    })

    test('an error rolls back and takes the event with it', async () => {
      const client = await subject.client()
      await expect(client.call('WRITE_AND_FAIL', { text: 'gone' })).rejects.toMatchObject({ code: 'not_found' })
      const response = await subject.request('POST /notes/fail', { json: { text: 'gone' } })
      expect(response.status).toBe(404)
      expect(await strings()).not.toContain('gone')
      const next = await client.call('WRITE', { text: 'after the failure' })
      expect(await client.nextEvent('WRITTEN')).toEqual(next)
    })

    test('a check behind transaction() is part of it', async () => {
      const client = await subject.client()
      const refused = { text: 'forbidden' }
      await expect(client.call('WRITE_CHECKED', refused)).rejects.toMatchObject({ code: 'permission_denied' })
      expect((await subject.request('POST /notes/checked', { json: refused })).status).toBe(403)
      await client.call('WRITE_CHECKED', { text: 'allowed' })
      const found = (await strings()).filter((each) => /forbidden|allowed/.test(each))
      expect(found).toEqual(['checked allowed', 'allowed'])
    })

    test('a deadline that passed rolls back, although the handler succeeded', async () => {
      const client = await subject.client()
      await expect(client.call('WRITE_TOO_LATE', { text: 'late' })).rejects.toMatchObject({ code: 'deadline_exceeded' })
      expect((await subject.request('POST /notes/late', { json: { text: 'late' } })).status).toBe(504)
      const next = await client.call('WRITE', { text: 'after the deadline' })
      expect(await client.nextEvent('WRITTEN')).toEqual(next)
      expect(await strings()).not.toContain('late')
    })

    test('errors of the database are answered by the table, on both wires, without SQL', async () => {
      const client = await subject.client()
      await client.call('WRITE', { text: 'once' })
      await expect(client.call('WRITE', { text: 'once' })).rejects.toMatchObject({
        code: 'conflict',
        details: { constraint: 'notes_text_key' },
      })
      const conflict = await subject.request('POST /notes', { json: { text: 'once' } })
      expect([conflict.status, conflict.json()]).toEqual([
        409,
        {
          error: {
            code: 'conflict',
            msg: 'A record with this value already exists',
            details: { constraint: 'notes_text_key' },
          },
        },
      ])
      const rule = await subject.request('POST /notes', { json: { text: '' } })
      expect([rule.status, rule.json()]).toMatchObject([422, { error: { code: 'validation_error' } }])
      const nul = await subject.request('POST /notes', { json: { text: 'a\0' } })
      expect([nul.status, nul.json()]).toMatchObject([422, { error: { code: 'validation_error' } }])
    })

    test('the database is part of the health report', async () => {
      const response = await subject.request('GET /health')
      expect(response.status).toBe(200)
      expect(JSON.stringify(response.json())).toContain('database')
    })
  })
})

test('a step without its plugin is a boot error', async () => {
  await expect(createTestApp({ ...options('pglite://memory'), plugins: [] })).rejects.toMatchObject({
    code: 'missing_plugin',
  })
})
