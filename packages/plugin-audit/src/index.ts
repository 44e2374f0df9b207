/**
 * The audit log: who called what.
 *
 * @packageDocumentation
 */
export { type AuditApi, auditKey } from './audit-key.ts'
export { audit } from './audit-plugin.ts'
export { type AuditSettings, auditSettings } from './audit-settings.ts'
export type { AuditAccess, AuditOptions, AuditOverflow } from './options.ts'
export {
  type AuditFilters,
  type AuditOutcome,
  type AuditPageRequest,
  AuditRepository,
  type AuditRow,
} from './reading/audit-repository.ts'
export { type AuditedOptions, type AuditedStep, audited } from './recording/audited.ts'
export { auditTable } from './table.ts'
