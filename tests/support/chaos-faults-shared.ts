// What a node of `chaos-faults-app.ts`, and the test that watches it, agree on.
import { event, topic } from '@twinwire/core'
import * as v from 'valibot'
import { outboxDdl } from './outbox-ddl.ts'

export const faultsPkgIds = { WRITE: 1, WRITE_ONCE: 2, COUNT: 3, WRITTEN: 100 } as const
export type WriteRoute = 'WRITE' | 'WRITE_ONCE'
export const faultsPaths = { WRITE: '/writes', WRITE_ONCE: '/writes-once' } as const satisfies Record<
  WriteRoute,
  string
>

/** What the handler does once its row is written: `refuse` is an error that the client is told, `fail` one that it is not. */
const deeds = ['succeed', 'refuse', 'fail'] as const
export const WriteInput = v.object({ name: v.string(), topic: v.string(), does: v.picklist(deeds) })
export type WriteInput = v.InferOutput<typeof WriteInput>
export const Written = v.object({ name: v.string() })
export const written = event({ data: Written })
export const faultsTopics = { 'writes:*': topic({ subscribe: true, authorize: () => true }) }

export const faultsDdl = `
  create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null);
  create index twinwire_once_expires_at on twinwire_once (expires_at);
  ${outboxDdl}
  create table writes (id serial primary key, name text not null, topic text not null);
`
