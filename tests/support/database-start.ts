// A process that starts on the database of its first argument, with the migrations of its second, and seeds it once.
import process from 'node:process'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import { createFakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import { BaseRepository, database } from '../../packages/core/src/database.ts'

const authors = pgTable('authors', { id: serial().primaryKey(), name: text().notNull() })
const [url = '', migrations = ''] = process.argv.slice(2)
const host = createFakeHost()
const api = await database({
  url,
  migrations,
  onStart: async (db) => {
    const repository = new BaseRepository(db, authors)
    if (!(await repository.exists({}))) await repository.create({ name: 'Ursula' })
  },
}).setup(host)
process.stdout.write(`authors: ${await new BaseRepository(api.db, authors).count()}\n`)
await host.close()
