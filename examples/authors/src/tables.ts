// All tables, for drizzle-kit.
export { onceTable, outboxTable } from '@twinwire/core/database'
export { auditTable } from '@twinwire/plugin-audit'
export { authors } from './authors/author.table.ts'
