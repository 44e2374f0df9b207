// The blocks of docs_site/routes.md that its commands do not run: a webhook, builders of routes, and functions around them.
import { createHmac } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { type AnyEndpoint, type AnyRoute, type App, NotFoundError } from '@twinwire/core'
import { type Database, database, type WithDatabase } from '@twinwire/core/database'
import { createTestApp, onTransports } from '@twinwire/core/testing'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('routes', 'routes-page')
const { folder } = page

interface Functions {
  getById(path: string, output: unknown, find: (id: number, db: Database) => Promise<object>): AnyRoute
  readingRoute(definition: {
    http: string
    output?: unknown
    handler: (input: undefined, call: WithDatabase) => unknown
  }): AnyRoute
}

describe('the blocks of the page about routes', () => {
  testBlocks(page)

  onTransports({ describe, afterEach }, ({ start }) => {
    it('webhook.ts accepts what is signed, and report.csv is text', async () => {
      const { paid, report }: { paid: AnyEndpoint; report: AnyEndpoint } = await import(`${folder}/webhook.ts`)
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [paid, report] })
      const body = '{ "order": 7 }'
      const send = async (signature?: string) => {
        const headers = {
          'content-type': 'application/json',
          ...(signature !== undefined && { 'x-signature': signature }),
        }
        const { status, text } = await request('POST /webhooks/paid', { headers, body })
        return [status, text]
      }
      const sign = (text: string, secret = 'of the service that calls'): string =>
        createHmac('sha256', secret).update(text).digest('hex')
      expect(await send(sign(body))).toEqual([204, ''])
      const denied = [403, expect.stringContaining('"permission_denied"')]
      // Of the same JSON in other bytes, of another secret, of half a length, and none.
      for (const wrong of [sign('{"order":7}'), sign(body, 'another'), sign(body).slice(0, 32), undefined])
        expect(await send(wrong)).toEqual(denied)

      const csv = await request('GET /report.csv')
      expect([csv.status, csv.headers['content-type'], csv.text]).toEqual([
        200,
        'text/csv; charset=utf-8',
        'id,name\n1,Ada\n',
      ])
    })
  })

  it('builders.ts guards what its builders make, and what a group adds to', async () => {
    const issuer = await createTestIssuer({
      realm: 'notes',
      audience: 'notes-api',
      clientId: 'notes-api',
      algorithms: ['ES256'],
    })
    onTestFinished(() => issuer.stop())
    const block = page.blocks.find(({ name }) => name === 'builders.ts')?.code ?? ''
    await writeFile(`${folder}/builders.ts`, block.replace('https://sso.example.com', issuer.url))
    const { app }: { app: App } = await import(`${folder}/builders.ts`)
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const send = async (target: string, user?: Parameters<typeof issuer.token>[0]) => {
      const [method = '', path = ''] = target.split(' ')
      const headers: Record<string, string> =
        user === undefined ? {} : { authorization: `Bearer ${issuer.token(user)}` }
      const answer = await fetch(url + path, { method, headers })
      return [answer.status, await answer.json()]
    }
    const ada = { username: 'ada', id: 'u-1' }
    const refused = (code: string) => expect.objectContaining({ error: expect.objectContaining({ code }) })
    expect(await send('GET /me', ada)).toEqual([200, 'ada'])
    expect(await send('DELETE /me', ada)).toEqual([200, 'u-1'])
    for (const target of ['GET /me', 'DELETE /me', 'POST /admin/caches/purge'])
      expect(await send(target)).toEqual([401, refused('authentication_failed')])
    expect(await send('POST /admin/caches/purge', ada)).toEqual([403, refused('permission_denied')])
    expect(await send('POST /admin/caches/purge', { ...ada, roles: ['admin'] })).toEqual([200, null])
    expect(await send('POST /caches/purge', { ...ada, roles: ['admin'] })).toEqual([404, refused('not_found')])
    const steps = Object.fromEntries(
      app
        .describe()
        .routes.map(({ name, steps: list }): [string, readonly string[]] => [name, list.map((step) => step.name)]),
    )
    expect(steps).toMatchObject({
      WHO_AM_I: ['auth.authenticated'],
      CLOSE_ACCOUNT: ['auth.authenticated', 'database.transaction'],
    })
  })

  it('functions.ts makes routes of schemas, with a database', async () => {
    const { getById, readingRoute }: Functions = await import(`${folder}/functions.ts`)
    const find = async (id: number, db: Database): Promise<object> => {
      const found: unknown = await db.execute(sql`select id, name, born from authors where id = ${id}`)
      const [row] = v.parse(v.object({ rows: v.array(v.looseObject({})) }), found).rows
      if (row === undefined) throw new NotFoundError(`There is no author ${id}`)
      return row
    }
    const { request, client, close } = await createTestApp({
      pkgIds: { GET_AUTHOR: 1, COUNT: 2 },
      routes: {
        GET_AUTHOR: getById('authors', v.object({ id: v.number(), name: v.string() }), find),
        COUNT: readingRoute({
          http: 'GET /count',
          output: v.object({ authors: v.number() }),
          handler: async (_input, { db }) => {
            const found: unknown = await db.execute(sql`select count(*)::int as authors from authors`)
            return v.parse(v.object({ rows: v.array(v.object({ authors: v.number() })) }), found).rows[0]
          },
        }),
      },
      plugins: [
        database({
          url: 'pglite://memory',
          onStart: async (db) => {
            await db.execute(sql`create table authors (id int primary key, name text, born int)`)
            await db.execute(sql`insert into authors values (1, 'Ada', 1815)`)
          },
        }),
      ],
    })
    onTestFinished(() => close())
    // Without `born`, which the schema does not name.
    const ada = { id: 1, name: 'Ada' }
    expect((await request('GET /authors/1')).json()).toEqual(ada)
    const socket = await client()
    expect(await socket.call('GET_AUTHOR', { id: 1 })).toEqual(ada)
    expect((await request('GET /authors/2')).json()).toMatchObject({ error: { code: 'not_found' } })
    expect((await request('GET /authors/x')).status).toBe(422)
    expect((await request('GET /count')).json()).toEqual({ authors: 1 })
  })
})
