import { sql } from 'drizzle-orm'
import { boolean, integer, pgTable, serial, uniqueIndex, varchar } from 'drizzle-orm/pg-core'

export const items = pgTable(
  'items',
  {
    id: serial().primaryKey(),
    name: varchar({ length: 80 }).notNull(),
    amount: integer().notNull(),
    bought: boolean().notNull().default(false),
    // Null for what was added before there were users.
    addedBy: varchar('added_by', { length: 255 }),
  },
  // What is still to be bought is on the list once. Under concurrent calls only the index decides.
  (table) => [uniqueIndex('items_open_name').on(table.name).where(sql`not ${table.bought}`)],
)
