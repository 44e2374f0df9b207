// All tables, for drizzle-kit.
export { onceTable } from '@twinwire/core/database'
export { authors } from './authors/author.table.ts'
