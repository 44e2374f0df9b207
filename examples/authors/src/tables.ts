// All tables, for drizzle-kit.
export { onceTable, outboxTable } from '@twinwire/core/database'
export { authors } from './authors/author.table.ts'
