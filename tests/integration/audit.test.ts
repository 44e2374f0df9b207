// One row for each call, on both wires, also for those that were refused.
import { randomUUID } from 'node:crypto'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AuditAppOptions, gates, startAuditApp } from '../support/audit-app.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

vi.setConfig({ testTimeout: 120_000 })

const patient = { timeout: 30_000, interval: 20 }

/** PGlite where there is no PostgreSQL; what differs between them is in `audited.test.ts`. */
const createUrl = async (): Promise<string> => {
  if (!(await hasPostgres())) return 'pglite://memory'
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  return postgres.url
}

describe('the audit log', () => {
  const start = async (options: Omit<AuditAppOptions, 'url'> = {}) => {
    const started = await startAuditApp({ url: await createUrl(), ...options })
    onTestFinished(() => started.app.close())
    const stored = async (count: number) => {
      await expect.poll(async () => (await started.rows()).length, patient).toBe(count)
      return started.rows()
    }
    return { ...started, stored }
  }
  const ann = { headers: { authorization: 'Bearer ann', 'user-agent': 'tests' } }

  test('has a row of a call over HTTP, with all columns', async () => {
    const { app, stored } = await start()
    await app.request('GET /things/7?token=hunter2', { headers: { ...ann.headers, 'x-correlation-id': 'call-1' } })
    expect(await stored(1)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        timestamp: expect.anything(),
        user_id: null,
        username: null,
        user_roles: [],
        action_type: 'GET',
        resource: '/things/7',
        outcome: 'success',
        ip_address: '127.0.0.1',
        user_agent: 'tests',
        request_id: 'call-1',
        request_data: { id: 7, token: '[REDACTED]' },
        response_status: 200,
        error_message: null,
        duration_ms: expect.any(Number),
      },
    ])
  })

  test('has a row of a call over WebSocket, with the identity', async () => {
    const { app, stored } = await start()
    const client = await app.client(ann)
    await client.call('WRITE', { name: 'a', nested: { 'user-pwd': 'hunter2', list: [[{ apiKey: 'hunter2' }]] } })
    expect(await stored(1)).toMatchObject([
      {
        user_id: 'ann',
        username: 'ann',
        action_type: 'WS:WRITE',
        resource: '/things',
        outcome: 'success',
        response_status: 200,
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        request_data: { name: 'a', nested: { 'user-pwd': '[REDACTED]', list: [[{ apiKey: '[REDACTED]' }]] } },
      },
    ])
  })

  test('denied calls are permission_denied on both wires, others error [defect 38] [defect 56]', async () => {
    const { app, stored } = await start()
    const client = await app.client(ann)
    await expect(client.call('FORBIDDEN')).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(client.call('BROKEN')).rejects.toMatchObject({ code: 'internal_error' })
    await app.request('POST /forbidden')
    await app.request('GET /private')
    await app.request('POST /broken')
    const rows = await stored(5)
    expect(rows.map(({ action_type, outcome, response_status }) => [action_type, outcome, response_status])).toEqual([
      ['WS:FORBIDDEN', 'permission_denied', 403],
      ['WS:BROKEN', 'error', 500],
      ['POST', 'permission_denied', 403],
      ['GET', 'permission_denied', 401],
      ['POST', 'error', 500],
    ])
    expect(rows[0]?.error_message).toBe('Not with password=[REDACTED]')
  })

  test('what was refused early has a row, too [defect 57]', async () => {
    const { app, stored } = await start()
    await app.request('GET /nowhere/password/hunter2?token=hunter2', ann)
    await app.request('PATCH /things', ann)
    await app.request('POST /things', { ...ann, headers: { 'content-type': 'application/json' }, body: '{"a":' })
    await app.request('POST /things', { json: { name: 'x'.repeat(1_100_000) } })
    await app.request('POST /wait', { json: { name: 5 } })
    const socket = await app.connect(ann)
    socket.send(JSON.stringify({ pkg_id: 999, req_id: randomUUID(), data: {} }))
    await socket.next()
    const rows = await stored(6)
    expect(
      rows.map(({ action_type, resource, response_status, outcome }) => [
        action_type,
        resource,
        response_status,
        outcome,
      ]),
    ).toEqual([
      ['GET', '/nowhere/password/[REDACTED]', 404, 'error'],
      ['PATCH', '/things', 405, 'error'],
      ['POST', '/things', 400, 'error'],
      ['POST', '/things', 413, 'error'],
      ['POST', '/wait', 422, 'error'],
      ['WS:unmatched', 'unmatched', 404, 'error'],
    ])
    expect(rows[4]?.request_data).toEqual({ name: 5 })
  })

  test('values of secret parameters are not in paths', async () => {
    const { app, stored } = await start()
    await app.request('POST /reset/hunter2')
    expect(await stored(1)).toMatchObject([{ resource: '/reset/[REDACTED]', request_data: { token: '[REDACTED]' } }])
  })

  test('a row holds no value that a column refuses [defect 53]', async () => {
    const { app, stored } = await start({ audit: { maxRowBytes: 8192 } })
    const long = 'ü'.repeat(20_000)
    await app.request('POST /things', { json: { name: 'a\u0001b' } })
    await app.request('POST /things', { json: { name: long, b: [long] } })
    await app.request(`GET /${'x'.repeat(2000)}`, { headers: { 'user-agent': 'y'.repeat(5000) } })
    const rows = await stored(3)
    expect(rows[0]?.request_data).toEqual({ name: 'a\u0001b' })
    expect(rows[1]?.request_data).toMatch(/^\{"name":"ü+\[…\]$/)
    for (const row of rows) expect(Buffer.byteLength(JSON.stringify(row))).toBeLessThan(8192 + 200)
  })

  test('nothing of what a handler changes, and no secret, is in the row', async () => {
    const { app, stored } = await start()
    await app.request('POST /things', { json: { name: 'sent', note: '{"api_key":"hunter2"}' } })
    expect(await stored(1)).toMatchObject([{ request_data: { name: 'sent', note: '{"api_key":"[REDACTED]"}' } }])
  })

  test('a call whose client leaves is an error with status 499 [defect 40]', async () => {
    const { app, stored } = await start()
    let open = () => {}
    gates.set(
      'left',
      new Promise<void>((resolve) => {
        open = resolve
      }),
    )
    const client = await app.client(ann)
    const call = client.call('WAIT', { name: 'left' }).catch(() => null)
    await client.call('READ', { id: 1 })
    client.close()
    await call
    expect((await stored(2))[1]).toMatchObject({
      action_type: 'WS:WAIT',
      outcome: 'error',
      response_status: 499,
      request_data: { name: 'left' },
    })
    open()
  })

  test('skip leaves out paths, those below them and names of routes', async () => {
    const { app, stored } = await start({ audit: { skip: ['/things', 'RESET', '/nowhere'] } })
    await app.request('GET /things/7')
    await app.request('GET /nowhere/else')
    await app.request('POST /reset/abc')
    await app.request('GET /thingsome')
    expect(await stored(1)).toMatchObject([{ resource: '/thingsome' }])
  })

  test('enabled: false records no calls but those of audited routes', async () => {
    const { app, stored } = await start({ audit: { enabled: false } })
    await app.request('GET /things/7')
    await app.request('POST /acts', { json: { name: 'a' } })
    expect(await stored(1)).toMatchObject([{ resource: '/acts' }])
  })
})
