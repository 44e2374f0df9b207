import { defineSettings } from '@twinwire/core/settings'
import { expect, it } from 'vitest'
import { type AuditSettings, auditSettings } from './audit-settings.ts'
import { resolveAuditOptions } from './options.ts'

const read = (variables: Readonly<Record<string, string>>): AuditSettings =>
  defineSettings({ audit: auditSettings }).read({ variables }).audit

it('has the defaults of the options', () => {
  const { enabled, retentionDays, queueSize, batchSize, batchMs } = resolveAuditOptions({}, 'test')
  expect(read({})).toEqual({ enabled, retentionDays, queueSize, batchSize, batchMs, overflow: 'drop' })
})

it.each<[Record<string, string>, Partial<AuditSettings>]>([
  [{ AUDIT_LOG_ENABLED: 'false' }, { enabled: false }],
  [{ AUDIT_LOG_RETENTION_DAYS: '0' }, { retentionDays: 0 }],
  [
    { AUDIT_BATCH_TIMEOUT: '1.0', AUDIT_QUEUE_MAX_SIZE: '5' },
    { batchMs: 1000, queueSize: 5 },
  ],
  [
    { AUDIT_OVERFLOW: 'spill', AUDIT_SPILL_FOLDER: '/a' },
    { overflow: 'spill', spillFolder: '/a' },
  ],
])('%j', (variables, settings) => {
  expect(read(variables)).toMatchObject(settings)
})

it.each<[Record<string, string>, string]>([
  [{ AUDIT_OVERFLOW: 'block' }, 'AUDIT_OVERFLOW must be'],
  [{ AUDIT_BATCH_SIZE: '0' }, 'AUDIT_BATCH_SIZE must be'],
])('%j is refused', (variables, message) => {
  expect(() => read(variables)).toThrow(message)
})
