export { auditTable } from './table.ts'
