import { pgTable, serial, uniqueIndex, varchar } from 'drizzle-orm/pg-core'

// The command looks up the name first, for a better message; under concurrent creates only the index decides.
export const authors = pgTable(
  'authors',
  {
    id: serial().primaryKey(),
    name: varchar({ length: 255 }).notNull(),
  },
  (table) => [uniqueIndex('authors_name_unique').on(table.name)],
)
