// All tables, for drizzle-kit.
export { onceTable, outboxTable } from '@twinwire/core/database'
export { items } from './items/item.table.ts'
export { photos } from './photos/photo.table.ts'
