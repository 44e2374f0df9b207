// The audit log of the example, over both of its wires, with its roles.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Example, startExample } from '../support/example.ts'
import { PackageClient } from '../support/package-client.ts'

interface AuditLog {
  readonly id: string
  readonly user_id: string | null
  readonly username: string | null
  readonly action_type: string
  readonly resource: string
  readonly outcome: string
  readonly request_id: string
  readonly response_status: number | null
}

interface Page {
  readonly items: readonly AuditLog[]
  readonly meta: { readonly total: number; readonly next_cursor: string | null }
}

describe('the example', () => {
  let example: Example
  beforeAll(async () => {
    example = await startExample({ databaseUrl: 'pglite://memory' })
  }, 120_000)
  afterAll(async () => {
    await example?.stop('SIGKILL')
  })

  const get = (path: string, token: string | undefined, id = ''): Promise<Response> =>
    fetch(`${example.url}${path}`, {
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(id !== '' && { 'x-correlation-id': id }),
      },
    })
  const list = async (query: string): Promise<Page> => {
    const answer = await get(`/audit-logs${query}`, example.tokens?.admin)
    expect([query, answer.status]).toEqual([query, 200])
    return (await answer.json()) as Page
  }
  /** Rows are written in batches. */
  const rowOf = async (id: string, query: string): Promise<AuditLog> => {
    const find = async (): Promise<AuditLog | undefined> =>
      (await list(query)).items.find(({ request_id }) => request_id === id)
    await expect.poll(find).toBeDefined()
    const row = await find()
    if (row === undefined) throw new Error('The row has disappeared')
    return row
  }

  test('records calls of both wires, denied ones and reads of the log too [defect 56]', async () => {
    const { admin, reader } = example.tokens ?? {}
    expect((await get('/authors/1', reader, 'read-an-author')).status).toBe(200)
    expect(await rowOf('read-an-author', '?username=READER&resource=/authors/1')).toMatchObject({
      username: 'reader',
      action_type: 'GET',
      outcome: 'success',
      response_status: 200,
    })

    expect((await get('/audit-logs', reader, 'read-the-log')).status).toBe(403)
    expect(await rowOf('read-the-log', '?outcome=permission_denied&cursor=')).toMatchObject({
      username: 'reader',
      resource: '/audit-logs',
      response_status: 403,
    })
    expect((await get('/audit-logs', undefined, 'sign-in-first')).status).toBe(401)
    expect(await rowOf('sign-in-first', '?resource=audit-logs&per_page=100')).toMatchObject({ user_id: null })
    expect((await get('/audit-logs?per_page=1', admin, 'admin-reads')).status).toBe(200)
    const own = await rowOf('admin-reads', '?resource=audit-logs&username=admin&action_type=get')
    expect(own).toMatchObject({ username: 'admin', outcome: 'success' })

    const client = await PackageClient.connect(example.socketUrl, admin ?? '')
    await client.call(1, {})
    await client.close()
    await expect
      .poll(async () => (await list('?action_type=ws:GET_AUTHORS')).items)
      .toMatchObject([{ username: 'admin', action_type: 'WS:GET_AUTHORS', outcome: 'success' }])

    const one = await get(`/audit-logs/${own.id}`, admin)
    expect(await one.json()).toMatchObject({ id: own.id, request_id: 'admin-reads' })
    const ofAdmin = await (await get(`/audit-logs/user/${own.user_id}?per_page=100`, admin)).json()
    expect((ofAdmin as Page).items.map(({ request_id }) => request_id)).toContain('admin-reads')
    expect((await get('/audit-logs/user/x', reader)).status).toBe(403)
    expect((await get(`/audit-logs/${own.id}`, reader)).status).toBe(403)
  }, 120_000)
})
