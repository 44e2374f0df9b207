import { guard, PermissionDeniedError } from '@twinwire/core'
import type { TestDatabase } from '@twinwire/core/database/testing'
import { createTestApp, type TestResponse } from '@twinwire/core/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { audit } from '../audit-plugin.ts'
import type { AuditOptions } from '../options.ts'
import { openAuditDatabase, reader, writeRows } from './reading.fixtures.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openAuditDatabase()
}, 120_000)
beforeEach(() => database.reset())
afterAll(() => database?.close())

interface Body {
  readonly items: readonly { readonly request_id: string }[]
  readonly meta: { readonly total: number; readonly pages: number; readonly next_cursor: string | null }
}

async function start(options: AuditOptions = {}) {
  const app = await createTestApp({ pkgIds: {}, routes: {}, plugins: [database.plugin, reader(options)] })
  onTestFinished(() => app.close())
  return app
}

/** Where the same requests are answered. */
const places = {
  'on the app': async () => {
    const { request } = await start()
    return async (path: string): Promise<Pick<TestResponse, 'status' | 'json'>> => request(`GET ${path}`)
  },
  'on a port of its own': async () => {
    const { logs } = await start({ access: { port: 0 } })
    const { url = '' } = logs.find(({ message }) => message === 'Serving the audit log')?.fields ?? {}
    return async (path: string): Promise<Pick<TestResponse, 'status' | 'json'>> => {
      const answer = await fetch(new URL(path, String(url)))
      const body: unknown = await answer.json()
      return { status: answer.status, json: () => body }
    }
  },
}

describe.each(Object.entries(places))('the audit log, read %s', (_place, open) => {
  async function read(rows: Parameters<typeof writeRows>[1]) {
    const ids = await writeRows(database, rows)
    const get = await open()
    const list = async (query: string): Promise<Body> => {
      const { status, json } = await get(`/audit-logs${query}`)
      expect([query, status]).toEqual([query, 200])
      return json() as Body
    }
    const found = async (query: string): Promise<string[]> =>
      (await list(query)).items.map(({ request_id }) => request_id)
    const refused = async (path: string): Promise<unknown> => {
      const { status, json } = await get(path)
      return [status, json()]
    }
    return { ids, get, list, found, refused }
  }

  it('has every column, under the names of the reference system', async () => {
    const { ids, get } = await read([
      {
        userRoles: ['admin', 'get-authors'],
        ipAddress: '192.0.2.7',
        userAgent: 'curl',
        requestData: { name: 'Ursula', password: '[REDACTED]' },
        responseStatus: 201,
        errorMessage: null,
      },
    ])
    const row = {
      id: ids[0],
      timestamp: '2026-01-01T00:00:00.000Z',
      user_id: 'u1',
      username: 'Ursula',
      user_roles: ['admin', 'get-authors'],
      action_type: 'GET',
      resource: '/authors',
      outcome: 'success',
      ip_address: '192.0.2.7',
      user_agent: 'curl',
      request_id: 'r0',
      request_data: { name: 'Ursula', password: '[REDACTED]' },
      response_status: 201,
      error_message: null,
      duration_ms: 1.5,
    }
    const meta = { page: 1, per_page: 20, total: 1, pages: 1, next_cursor: null, has_more: false }
    expect((await get('/audit-logs')).json()).toEqual({ items: [row], meta })
    expect((await get(`/audit-logs/${ids[0]}`)).json()).toEqual(row)
  })

  it('is newest first, by number with a total, and by cursor without one', async () => {
    const { list, found } = await read(Array.from({ length: 5 }, () => ({})))
    expect(await found('')).toEqual(['r4', 'r3', 'r2', 'r1', 'r0'])
    expect(await found('?page=2&per_page=2')).toEqual(['r2', 'r1'])
    expect((await list('?page=2&per_page=2')).meta).toMatchObject({ page: 2, total: 5, pages: 3, has_more: true })
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { items, meta }: Body = await list(`?per_page=2&cursor=${cursor}`)
      expect(meta).toMatchObject({ page: 1, total: 0, pages: 0 })
      seen.push(...items.map(({ request_id }) => request_id))
      cursor = meta.next_cursor
    }
    expect(seen).toEqual(['r4', 'r3', 'r2', 'r1', 'r0'])
  })

  it('is filtered by each column, in any combination, with the total of what matches [defect 43]', async () => {
    const { list, found } = await read([
      { userId: 'u2', username: 'Octavia', actionType: 'POST', outcome: 'error' },
      { userId: 'u2', username: 'Octavia', actionType: 'WS:CREATE_AUTHOR', resource: 'CREATE_AUTHOR' },
      { outcome: 'permission_denied', resource: '/reports/2026' },
      { userId: null, username: null },
    ])
    expect(await found('?user_id=u2')).toEqual(['r1', 'r0'])
    expect(await found('?user_id=U2')).toEqual([])
    expect(await found('?username=TAVI')).toEqual(['r1', 'r0'])
    expect(await found('?action_type=post')).toEqual(['r0'])
    expect(await found('?action_type=ws:CREATE_AUTHOR')).toEqual(['r1'])
    expect(await found('?action_type=CREATE_AUTHOR')).toEqual([])
    expect(await found('?resource=Author')).toEqual(['r3', 'r1', 'r0'])
    expect(await found('?outcome=Permission_Denied')).toEqual(['r2'])
    expect(await found('?user_id=u2&outcome=success&resource=create')).toEqual(['r1'])
    expect((await list('?user_id=u2')).meta).toMatchObject({ total: 2, pages: 1 })
    expect((await list('?user_id=u2&action_type=POST&per_page=1')).meta).toMatchObject({ total: 1 })
    expect(await found('/user/u2')).toEqual(['r1', 'r0'])
    expect(await found('/user/u2?outcome=error')).toEqual(['r0'])
  })

  it('is filtered by dates, alone and with other filters, also of one user [defect 42]', async () => {
    const { list, found } = await read([{}, {}, { userId: 'u2' }, {}])
    expect(await found('?start_date=2026-01-01T00:00:01Z')).toEqual(['r3', 'r2', 'r1'])
    expect(await found('?end_date=2026-01-01T00:00:01Z')).toEqual(['r1', 'r0'])
    expect(await found('?start_date=2026-01-01T01:00:01%2B01:00&end_date=2026-01-01T00:00:02Z')).toEqual(['r2', 'r1'])
    expect(await found('?start_date=2026-01-01T00:00:01Z&user_id=u1')).toEqual(['r3', 'r1'])
    expect(await found('/user/u1?start_date=2026-01-01T00:00:01Z&outcome=success')).toEqual(['r3', 'r1'])
    expect(await found('?start_date=2026-01-02')).toEqual([])
    expect(await found('?start_date=2026-01-02&end_date=2026-01-01')).toEqual([])
    expect((await list('?end_date=2026-01-01T00:00:01Z&per_page=1')).meta).toMatchObject({ total: 2, pages: 2 })
  })

  it('takes % and _ of a part as they are [defect 48]', async () => {
    const { found } = await read([{ resource: '/a%25b' }, { resource: '/a_bc' }, { resource: '/axbc' }])
    expect(await found('?resource=a_bc')).toEqual(['r1'])
    expect(await found('?resource=a%2525b')).toEqual(['r0'])
    expect(await found('?resource=%25%25bc')).toEqual([])
  })

  it('answers 404 for an id that it does not have [defect 44]', async () => {
    const { refused } = await read([{}])
    const id = '019b7000-0000-7000-8000-000000000000'
    expect(await refused(`/audit-logs/${id}`)).toEqual([
      404,
      { error: { code: 'not_found', msg: `Audit log with ID ${id} not found`, details: null } },
    ])
    expect(await refused('/audit-logs/seven')).toMatchObject([
      422,
      { error: { code: 'validation_error', details: [{ path: 'log_id' }] } },
    ])
  })

  it('answers 422 for a page, a cursor or a filter that is none [defect 45]', async () => {
    const { list, refused } = await read([{}, {}])
    const { meta } = await list('?cursor=&per_page=1')
    const invalid: [string, string][] = [
      ['page=0', 'page'],
      ['page=-1', 'page'],
      ['page=x', 'page'],
      ['per_page=0', 'per_page'],
      ['per_page=101', 'per_page'],
      ['cursor=MjA=', 'cursor'],
      [`cursor=${meta.next_cursor}&user_id=u1`, 'cursor'],
      ['username=ab', 'username'],
      ['resource=/', 'resource'],
      ['resource=%2F%2F%2F%2F', 'resource'],
      ['resource=a%00bc', 'resource'],
      ['user_id=', 'user_id'],
      ['outcome=denied', 'outcome'],
      ['start_date=2026-02-30', 'start_date'],
      ['end_date=yesterday', 'end_date'],
      ['user=u1', 'user'],
    ]
    for (const [query, path] of invalid)
      expect([query, await refused(`/audit-logs?${query}`)]).toMatchObject([
        query,
        [
          422,
          { error: { code: 'validation_error', details: expect.arrayContaining([expect.objectContaining({ path })]) } },
        ],
      ])
  })
})

describe('access to the audit log', () => {
  const isAuditor = guard({
    name: 'isAuditor',
    run: ({ headers }) => {
      if (headers['x-auditor'] !== 'yes') throw new PermissionDeniedError()
    },
  })

  it('has guards, which are asked before the database, for all three paths', async () => {
    const { request } = await start({ access: { use: [isAuditor] }, path: '/records' })
    for (const path of ['/records', '/records/seven', '/records/user/u1']) {
      expect((await request(`GET ${path}`)).status).toBe(403)
      expect((await request(`GET ${path}`, { headers: { 'x-auditor': 'yes' } })).status).not.toBe(403)
    }
    expect((await request('GET /audit-logs')).status).toBe(404)
  })

  it('has networks', async () => {
    expect((await (await start({ access: { networks: ['192.0.2.0/24'] } })).request('GET /audit-logs')).status).toBe(
      403,
    )
    expect((await (await start({ access: { networks: ['127.0.0.0/8'] } })).request('GET /audit-logs')).status).toBe(200)
  })

  it('has a port, and nothing is on that of the app', async () => {
    const { request } = await start({ access: { port: 0 } })
    for (const path of ['/audit-logs', '/audit-logs/seven', '/audit-logs/user/u1'])
      expect((await request(`GET ${path}`)).status).toBe(404)
  })

  it('is in the doctor, with the days that rows are kept', async () => {
    const { app } = await createTestApp({
      pkgIds: {},
      routes: {},
      plugins: [database.plugin, audit({ access: { networks: ['10.0.0.0/8'] }, retentionDays: 0 })],
    })
    onTestFinished(() => app.close())
    expect(String(await app.doctor())).toContain('Calls are kept forever, and /audit-logs is served to 10.0.0.0/8')
  })

  it('is not stored by caches', async () => {
    const { request } = await start()
    expect((await request('GET /audit-logs')).headers['cache-control']).toBe('no-store')
  })
})
