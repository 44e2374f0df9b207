export { type AuditApi, auditKey } from './audit-key.ts'
export type { AuditAccess, AuditOptions, AuditOverflow } from './options.ts'
export { auditTable } from './table.ts'
