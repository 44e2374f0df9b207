// `audited()`: a call has exactly one row, and no effect without it.

import { route } from '@twinwire/core'
import { database, transaction } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { audit, audited } from '@twinwire/plugin-audit'
import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AuditAppOptions, gates, startAuditApp } from '../support/audit-app.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

vi.setConfig({ testTimeout: 120_000 })

const patient = { timeout: 30_000, interval: 20 }
const drivers = ['PGlite', ...((await hasPostgres()) ? ['PostgreSQL'] : [])]

/** Waits for `open`. */
const gate = (name: string): (() => void) => {
  let open = () => {}
  gates.set(
    name,
    new Promise<void>((resolve) => {
      open = resolve
    }),
  )
  return () => open()
}

describe.each(drivers)('audited() on %s', (driver) => {
  const start = async (options: Omit<AuditAppOptions, 'url'> = {}) => {
    const own = driver === 'PGlite' ? null : await startPostgres()
    const started = await startAuditApp({ url: own?.url ?? 'pglite://memory', ...options })
    onTestFinished(async () => {
      await started.app.close()
      await own?.stop()
    })
    const client = await started.app.client({ headers: { authorization: 'Bearer ann' } })
    return { ...started, client }
  }

  test('a success has its row when the answer is there, on both wires', async () => {
    const { app, client, rows, effects } = await start({ audit: { batchMs: 60_000 } })
    expect((await app.request('POST /acts', { json: { name: 'a' } })).status).toBe(200)
    expect(await rows()).toMatchObject([
      { action_type: 'POST', resource: '/acts', outcome: 'success', response_status: 200, request_data: { name: 'a' } },
    ])
    await client.call('ACT', { name: 'b' })
    expect(await rows()).toMatchObject([{}, { action_type: 'WS:ACT', outcome: 'success', user_id: 'ann' }])
    expect(await effects()).toEqual(['a', 'b'])
  })

  test('denials and failures have theirs, and no effect', async () => {
    const { app, client, rows, effects } = await start({ audit: { batchMs: 60_000 } })
    const post = async (json: object) => (await app.request('POST /acts', { json })).status
    expect(await post({ name: 'forbidden' })).toBe(403)
    expect(await post({ name: 'a', does: 'fail' })).toBe(500)
    expect(await post({ name: 'b', does: 'refuse' })).toBe(404)
    expect(await post({ name: 5 })).toBe(422)
    await expect(client.call('ACT', { name: 'c', does: 'refuse' })).rejects.toMatchObject({ code: 'not_found' })
    expect((await app.request('POST /acts-once', { json: { name: 'd' } })).status).toBe(401)
    expect(
      (await rows()).map(({ action_type, outcome, response_status }) => [action_type, outcome, response_status]),
    ).toEqual([
      ['POST', 'permission_denied', 403],
      ['POST', 'error', 500],
      ['POST', 'error', 404],
      ['POST', 'error', 422],
      ['WS:ACT', 'error', 404],
      ['POST', 'permission_denied', 401],
    ])
    expect(await effects()).toEqual([])
  })

  test('a deadline has its row before its answer, and no effect', async () => {
    const { client, rows, effects } = await start()
    const open = gate('slow')
    await expect(client.call('ACT_SLOWLY', { name: 'slow' })).rejects.toMatchObject({ code: 'deadline_exceeded' })
    expect(await rows()).toMatchObject([{ action_type: 'WS:ACT_SLOWLY', outcome: 'error', response_status: 504 }])
    open()
    expect(await effects()).toEqual([])
  })

  test('a call that has committed before its deadline has the row of its success', async () => {
    const { client, rows, effects } = await start()
    const open = gate('lingering')
    await expect(client.call('ACT_LATE', { name: 'late' })).rejects.toMatchObject({ code: 'outcome_unknown' })
    expect(await rows()).toMatchObject([{ action_type: 'WS:ACT_LATE', outcome: 'success' }])
    open()
    expect(await effects()).toEqual(['late'])
  })

  test('a client that leaves has its row, and no effect', async () => {
    const { client, rows, effects } = await start()
    const open = gate('left')
    const call = client.call('ACT', { name: 'left' }).catch(() => null)
    await client.call('READ', { id: 1 })
    client.close()
    await call
    await expect
      .poll(() => rows("resource = '/acts'"), patient)
      .toMatchObject([{ outcome: 'error', response_status: 499 }])
    open()
    expect(await effects()).toEqual([])
  })

  test('a repeated call of once() has a row of its own, and no second effect', async () => {
    const { app, rows, effects } = await start()
    const headers = { authorization: 'Bearer ann', 'idempotency-key': 'key-1' }
    for (const _ of [1, 2, 3])
      expect((await app.request('POST /acts-once', { headers, json: { name: 'a' } })).status).toBe(200)
    const together = await Promise.all(
      [1, 2, 3].map(() =>
        app.request('POST /acts-once', { headers: { ...headers, 'idempotency-key': 'key-2' }, json: { name: 'b' } }),
      ),
    )
    expect(together.map(({ status }) => status)).toEqual([200, 200, 200])
    const stored = await rows()
    expect(stored).toHaveLength(6)
    expect(new Set(stored.map(({ outcome }) => outcome))).toEqual(new Set(['success']))
    expect(new Set(stored.map(({ request_id }) => request_id)).size).toBe(6)
    expect(await effects()).toEqual(['a', 'b'])
  })

  test('a reply that cannot be sent after the commit is an error in its one row', async () => {
    const { client, rows, effects } = await start()
    await expect(client.call('ACT', { name: 'a', does: 'break' })).rejects.toMatchObject({ code: 'internal_error' })
    await expect.poll(() => rows(), patient).toMatchObject([{ outcome: 'error', response_status: 500 }])
    expect(await effects()).toEqual(['a'])
  })

  test('readOnly routes are written before the answer', async () => {
    const { app, rows } = await start({ audit: { batchMs: 60_000 } })
    expect((await app.request('GET /looks')).status).toBe(200)
    expect(await rows()).toMatchObject([{ resource: '/looks', outcome: 'success', response_status: 200 }])
  })

  test('a reply of a readOnly route that cannot be sent is an error in its one row', async () => {
    const { app, rows } = await start()
    expect((await app.request('GET /looks-broken')).status).toBe(500)
    await expect.poll(() => rows(), patient).toMatchObject([{ outcome: 'error', response_status: 500 }])
  })

  test('a call has one row, though audited() is twice in front of its handler', async () => {
    const { app, rows, effects } = await start()
    expect((await app.request('POST /acts-twice', { json: { name: 'a' } })).status).toBe(200)
    expect(await rows()).toMatchObject([{ resource: '/acts-twice', outcome: 'success' }])
    expect(await effects()).toEqual(['a'])
  })

  test('without its row there is no effect: the answer is 503, and the attempt is recorded later', async () => {
    const { app, db, rows, effects } = await start()
    await db().execute(
      sql`alter table user_actions add constraint closed check (outcome <> 'success' and response_status <> 403)`,
    )
    const post = async (json: object) => (await app.request('POST /acts', { json })).status
    // A constraint of the table that refuses the row of a success.
    expect(await post({ name: 'a' })).toBeGreaterThanOrEqual(400)
    expect(await post({ name: 'forbidden' })).toBe(503)
    expect(await app.request('GET /looks')).toMatchObject({ status: 503 })
    expect(await effects()).toEqual([])
    await expect.poll(() => rows(), patient).toHaveLength(3)
    expect((await rows()).every(({ outcome }) => outcome === 'error')).toBe(true)
  })
})

test('audited() without a transaction() behind it is a boot error', async () => {
  const open = { access: 'public', handler: () => null } as const
  const refused = {
    ALONE: route({ ...open, use: [audited()] }),
    BEFORE: route({ ...open, use: [transaction(), audited()] }),
  }
  for (const [name, ACT] of Object.entries(refused))
    await expect(
      createTestApp({
        pkgIds: { ACT: 1 },
        routes: { ACT },
        plugins: [audit(), database({ url: 'pglite://memory' }), fakeIdentity()],
      }),
      name,
    ).rejects.toMatchObject({
      code: 'bad_step_order',
      message: expect.stringContaining('Route ACT has audited() without a transaction() behind it'),
    })
})
