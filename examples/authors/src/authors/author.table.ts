import { pgTable, serial, uniqueIndex, varchar } from 'drizzle-orm/pg-core'

// The command looks for the name first, to answer with a good message; under two creates at once only the index decides.
export const authors = pgTable(
  'authors',
  {
    id: serial().primaryKey(),
    name: varchar({ length: 255 }).notNull(),
  },
  (table) => [uniqueIndex('authors_name_unique').on(table.name)],
)
