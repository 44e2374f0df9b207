import { guard, route } from '@twinwire/core'
import { transaction } from '@twinwire/core/database'
import { createTestDatabase } from '@twinwire/core/database/testing'
import { fakeIdentity, pluginSuite } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import * as vitest from 'vitest'
import { type AuditSettings, audit, audited, auditSettings } from './index.ts'

const { afterAll, expect } = vitest
const signedIn = guard({ name: 'signedIn', identity: 'required', run: () => {} })
const stored = await createTestDatabase({
  onStart: async (db) => {
    await db.execute(
      sql.raw(`create table user_actions (id uuid primary key, timestamp timestamptz not null, user_id text, username text,
        user_roles jsonb not null, action_type text not null, resource text not null, outcome text not null, ip_address text, user_agent text,
        request_id text not null, request_data jsonb, response_status integer, error_message text, duration_ms double precision not null)`),
    )
  },
})
afterAll(() => stored.close())
const write = route({
  http: 'POST /things',
  use: [audited(), transaction()],
  input: v.object({ name: v.string() }),
  handler: ({ name }) => name,
})

pluginSuite(vitest, {
  createPlugin: () => audit({ access: { use: [signedIn] } }),
  createApp: (plugin) => ({
    pkgIds: { WRITE: 1 },
    routes: { WRITE: write },
    plugins: [fakeIdentity(), stored.plugin, plugin],
  }),
  exercise: async ({ client, request }, n) => {
    const headers = { authorization: `Bearer ann-${n}` }
    const ann = await client({ headers })
    expect(await ann.call('WRITE', { name: `thing ${n}` })).toBe(`thing ${n}`)
    expect(await ann.http('WRITE', { name: `thing ${n}` })).toBe(`thing ${n}`)
    expect((await request(`GET /audit-logs?user_id=ann-${n}`, { headers })).status).toBe(200)
  },
  instruments: ['audit_'],
  health: ['audit'],
  options: {
    create: audit,
    valid: {
      enabled: true,
      access: 'public',
      path: '/audit',
      retentionDays: 1,
      queueSize: 5,
      batchSize: 5,
      batchMs: 10,
      overflow: 'drop',
      maxSpillBytes: 2048,
      maxRowBytes: 8192,
      writeTimeoutMs: 100,
      skip: ['/health'],
      roles: () => [],
    },
    refused: {
      enabled: ['yes'],
      access: ['private', {}, { use: [] }, { networks: ['x'] }, { port: -1 }],
      path: ['logs', '/logs/:id'],
      retentionDays: [-1],
      queueSize: [0],
      batchSize: [1001],
      overflow: ['block'],
      spillFolder: ['/tmp', 7],
      skip: [['/']],
      roles: [['admin']],
    },
  },
  settings: {
    group: auditSettings,
    variables: { AUDIT_LOG_RETENTION_DAYS: '7', AUDIT_BATCH_TIMEOUT: '1s' },
    refused: { AUDIT_OVERFLOW: ['block'], AUDIT_LOG_ENABLED: ['yes'], AUDIT_LOG_RETENTION_DAYS: ['-1', 'x'] },
    create: (settings: AuditSettings) => audit(settings),
  },
})
