import type { Database } from '@twinwire/core/database'
import { AuthorRepository } from './author.repository.ts'
import { authors } from './author.table.ts'

const names = [
  'Chinua Achebe',
  'Jorge Luis Borges',
  'Octavia E. Butler',
  'Umberto Eco',
  'Franz Kafka',
  'Ursula K. Le Guin',
  'Stanisław Lem',
  'Toni Morrison',
  'Haruki Murakami',
  'Virginia Woolf',
]

/** Adds some authors to an empty table, in one statement: all of them, or none. */
export async function seedAuthors(db: Database): Promise<void> {
  if (await new AuthorRepository(db).exists({})) return
  await db.insert(authors).values(names.map((name) => ({ name })))
}
