// The audit log on an embedded database, with an extension of it: denied calls are found by a part of their path.
import assert from 'node:assert/strict'
import { guard, PermissionDeniedError, route } from '@twinwire/core'
import { database, transaction } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { audit, audited } from '@twinwire/plugin-audit'
import { sql } from 'drizzle-orm'

const isRefused = guard({
  name: 'isRefused',
  run: () => {
    throw new PermissionDeniedError()
  },
})
const { request, close } = await createTestApp({
  pkgIds: {},
  routes: {},
  endpoints: [
    route({ http: 'GET /reports', access: 'public', use: [isRefused], handler: () => [] }),
    route({ http: 'PUT /reports', access: 'public', use: [audited(), transaction()], handler: () => ({ done: true }) }),
  ],
  plugins: [
    database({
      url: 'pglite://memory',
      embeddedExtensions: ['pg_trgm'],
      onStart: async (db) => {
        await db.execute(sql`create extension pg_trgm`)
        await db.execute(sql`create table user_actions (id uuid primary key, timestamp timestamptz not null, user_id text, username text,
          user_roles jsonb not null, action_type text not null, resource text not null, outcome text not null, ip_address text, user_agent text,
          request_id text not null, request_data jsonb, response_status int, error_message text, duration_ms double precision not null)`)
        await db.execute(sql`create index on user_actions using gin (resource gin_trgm_ops)`)
      },
    }),
    audit({ batchMs: 10 }),
  ],
})
const outcomesOf = async (query: string): Promise<unknown> => {
  const page = (await request(`GET /audit-logs?${query}`)).json() as { items: { outcome: string }[] }
  return page.items.map(({ outcome }) => outcome)
}
assert.equal((await request('PUT /reports')).status, 200)
assert.deepEqual(await outcomesOf('action_type=PUT'), ['success'])
assert.equal((await request('GET /reports')).status, 403)
for (let attempt = 0; attempt < 200; attempt += 1) {
  if (JSON.stringify(await outcomesOf('resource=REPORT&action_type=GET')) === '["permission_denied"]') break
  await new Promise((resolve) => setTimeout(resolve, 50))
}
assert.deepEqual(await outcomesOf('resource=REPORT&action_type=GET&cursor='), ['permission_denied'])
await close()
