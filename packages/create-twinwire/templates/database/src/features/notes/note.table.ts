import { pgTable, serial, uniqueIndex, varchar } from 'drizzle-orm/pg-core'

// The command looks the text up first, for a better message; under concurrent calls only the index decides.
export const notes = pgTable(
  'notes',
  {
    id: serial().primaryKey(),
    text: varchar({ length: 255 }).notNull(),
  },
  (table) => [uniqueIndex('notes_text_unique').on(table.text)],
)
