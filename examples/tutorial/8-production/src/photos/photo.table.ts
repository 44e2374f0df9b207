import { customType, integer, pgTable } from 'drizzle-orm/pg-core'
import { items } from '../items/item.table.ts'

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })

/** One photo of an item: in the database, so that every process of the app has it. */
export const photos = pgTable('photos', {
  itemId: integer('item_id')
    .primaryKey()
    .references(() => items.id, { onDelete: 'cascade' }),
  png: bytea().notNull(),
})
