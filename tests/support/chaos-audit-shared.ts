// What an audited node that is killed, and the test that watches it, agree on.
import { auditDdl } from './audit-ddl.ts'

export const auditChaosPkgIds = { NOTE: 1, ACT: 2, LOOK: 3 } as const
export type AuditChaosRoute = keyof typeof auditChaosPkgIds

/** `NOTE` is recorded from memory; `ACT`, which has an effect, and `LOOK` are `audited()`. All are POST. */
export const auditChaosPaths = { NOTE: '/notes', ACT: '/acts', LOOK: '/looks' } as const

/** What the handler does: `forbid` is a refusal before it, `fail` an error after the effect, `refuse` one that the client is told. */
export const deeds = ['succeed', 'forbid', 'refuse', 'fail'] as const
export type Deed = (typeof deeds)[number]

export type AuditChaosMode = 'drop' | 'spill'
/** Small, so that rows overflow while the database is away for less than a second. */
export const auditChaosOptions = { queueSize: 20, batchSize: 10, batchMs: 100, writeTimeoutMs: 300 } as const

/** `name` is that of the call. */
export const auditChaosDdl = `${auditDdl} create table effects (id serial primary key, name text not null);`
