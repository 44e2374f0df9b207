// docs_site/coming-from/python-reference.md: its old client, and its differences, against the example.
import { once } from 'node:events'
import type { AnyRoute } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type Example, type ExampleTokens, startExample } from '../support/example.ts'
import { httpCall } from '../support/http-call.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('coming-from/python-reference')

describe('the page for users of the Python reference', () => {
  testBlocks(page)

  let example: Example
  let tokens: ExampleTokens
  beforeAll(async () => {
    example = await startExample({ databaseUrl: 'pglite://memory' })
    if (example.tokens === null) throw new Error(example.output())
    tokens = example.tokens
  }, 120_000)
  afterAll(() => example.stop())

  const connect = async (token: string) => {
    const { OldClient } = await import(`${page.folder}/old-client.ts`)
    return OldClient.connect(example.socketUrl, token)
  }

  it('an old client calls, pages and is refused, on one connection', async () => {
    const reader = await connect(tokens.reader)
    expect(await reader.send(1, { id: 1 })).toMatchObject({
      pkg_id: 1,
      status_code: 0,
      meta: null,
      data: [{ id: 1, name: 'Chinua Achebe' }],
    })
    const first = await reader.send(2, { per_page: 3 })
    expect(first).toMatchObject({
      status_code: 0,
      meta: { page: 1, per_page: 3, total: 10, pages: 4, next_cursor: null, has_more: true },
    })
    expect(await reader.send(3, { name: 'Italo Calvino' })).toMatchObject({
      status_code: 3,
      data: { code: 'permission_denied', msg: 'No permission for pkg_id 3', details: expect.anything() },
    })
    expect(await reader.send(999)).toMatchObject({
      status_code: 1,
      data: { code: 'not_found', msg: 'No handler found for pkg_id 999' },
    })
    expect(await reader.send(1, { nome: 'x' })).toMatchObject({
      status_code: 2,
      data: { code: 'validation_error', details: [{ path: 'nome', message: expect.any(String) }] },
    })
    expect(await reader.send(2, { cursor: 'MjA=' })).toMatchObject({
      status_code: 2,
      data: { code: 'validation_error' },
    })
    expect(await reader.send(1, { id: 2 })).toMatchObject({ status_code: 0 })
    reader.close()
  })

  it('a frame that is not JSON is answered, and the connection goes on', async () => {
    const socket = new WebSocket(example.socketUrl)
    const frames: unknown[] = []
    socket.on('message', (text) => frames.push(JSON.parse(String(text))))
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'auth', token: `bearer ${tokens.reader}` }))
    socket.send('not JSON')
    socket.send(
      JSON.stringify({ pkg_id: 1, req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55', method: '', data: { id: 1 } }),
    )
    await expect.poll(() => frames.length).toBe(3)
    expect(frames).toMatchObject([
      { type: 'auth_ok', identity: expect.any(String), expires_at: expect.any(Number), max_message_bytes: 262_144 },
      { req_id: '00000000-0000-0000-0000-000000000000', status_code: 2, data: { code: 'malformed_request' } },
      { status_code: 0 },
    ])
    socket.close()
  })

  it('authors.routes.ts is one route for both wires, with pages and a role', async () => {
    const { getPaginatedAuthors }: { getPaginatedAuthors: AnyRoute } = await import(`${page.folder}/authors.routes.ts`)
    const issuer = await createTestIssuer({ algorithms: ['ES256'] })
    onTestFinished(() => issuer.stop())
    const { request, client, close } = await createTestApp({
      pkgIds: { GET_PAGINATED_AUTHORS: 2 },
      routes: { GET_PAGINATED_AUTHORS: getPaginatedAuthors },
      plugins: [
        auth({ issuer: issuer.issuer, audience: issuer.audience, clientId: issuer.clientId }),
        database({
          url: 'pglite://memory',
          onStart: async (db) => {
            await db.execute(sql`create table authors (id serial primary key, name text not null unique)`)
            await db.execute(sql`insert into authors (name) values ('Ada'), ('Bob'), ('Cem')`)
          },
        }),
      ],
    })
    onTestFinished(() => close())
    const as = (...roles: string[]) => ({
      headers: { authorization: `Bearer ${issuer.token({ username: 'ann', roles })}` },
    })
    const reader = as('get-authors')
    const path = 'GET /authors/paginated'
    const first = {
      items: [
        { id: 1, name: 'Ada' },
        { id: 2, name: 'Bob' },
      ],
      meta: { page: 1, per_page: 2, total: 3, pages: 2, next_cursor: null, has_more: true },
    }
    expect((await request(`${path}?per_page=2`, reader)).json()).toEqual(first)
    const socket = await client(reader)
    expect(await socket.call('GET_PAGINATED_AUTHORS', { per_page: 2 })).toEqual(first)
    const byCursor = (await request(`${path}?per_page=2&cursor=`, reader)).json()
    expect(byCursor).toMatchObject({ items: first.items, meta: { has_more: true, next_cursor: expect.any(String) } })
    const statuses = [await request(path), await request(path, as()), await request(`${path}?size=2`, reader)].map(
      ({ status }) => status,
    )
    expect(statuses).toEqual([401, 403, 422])
  })

  it('HTTP has one envelope', async () => {
    const url = example.url
    const names = { name: 'x' }
    const codes = async (path: string, method?: string, body?: object, token?: string) => {
      const { status, body: answer } = await httpCall(`${url}${path}`, method, body, token)
      return [status, (answer as { error?: { code: string } }).error?.code]
    }
    expect(await codes('/authors')).toEqual([401, 'authentication_failed'])
    expect(await codes('/authors', 'GET', undefined, 'forged')).toEqual([401, 'authentication_failed'])
    expect(await codes('/authors', 'POST', names, tokens.reader)).toEqual([403, 'permission_denied'])
    expect(await codes('/authors', 'POST', { name: '' }, tokens.admin)).toEqual([422, 'validation_error'])
    expect(await codes('/authors/999', 'PUT', names, tokens.admin)).toEqual([404, 'not_found'])
    expect(await codes('/nowhere')).toEqual([404, 'not_found'])
    expect(await codes('/authors', 'PATCH', {})).toEqual([405, 'method_not_allowed'])
    const { headers } = await httpCall(`${url}/authors?id=1`, 'GET', undefined, tokens.reader, {
      'x-correlation-id': 'longer-than-eight',
    })
    expect(headers.get('x-correlation-id')).toBe('longer-than-eight')
    const page = await httpCall(`${url}/authors/paginated?per_page=2`, 'GET', undefined, tokens.reader)
    expect(page.body).toMatchObject({ items: [{ id: 1 }, { id: 2 }], meta: { per_page: 2 } })
  })
})
