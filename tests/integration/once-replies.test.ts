// What a repeated call gets, and what keys may be: on PGlite and on PostgreSQL.
import { randomUUID } from 'node:crypto'
import type { Database } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { marksDdl, type OnceApp, onceDdl, startOnceApp } from '../support/once-app.ts'
import type { OnceCall } from '../support/once-calls.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const wires = ['ws', 'http'] as const
const zero = '00000000-0000-0000-0000-000000000000'

const kinds = (await hasPostgres()) ? ['PGlite', 'PostgreSQL'] : ['PGlite']

describe.each(kinds)('once() on %s', (kind) => {
  describe('a repeated call', () => {
    let server: TestPostgres | null = null
    let app: OnceApp
    beforeAll(async () => {
      server = kind === 'PostgreSQL' ? await startPostgres() : null
      const prepare = async (db: Database): Promise<void> => {
        for (const statement of `${onceDdl}${marksDdl}`.split(';'))
          if (statement.trim() !== '') await db.execute(sql.raw(statement))
      }
      app = await startOnceApp({ url: server?.url ?? 'pglite://memory', retries: 3, prepare })
    })
    afterAll(async () => {
      await app.close()
      await server?.stop()
    })

    const call = (parts: Partial<OnceCall>) =>
      app.call({ wire: 'ws', route: 'MARK', input: { name: 'x' }, key: randomUUID(), ...parts })
    const runs = (name: string) => app.runs.get(name) ?? 0

    test.each(['value', 'text', 'bytes', 'nothing', 'null', 'date'])(
      'gets a reply of kind %s as it was sent, on either wire',
      async (shape) => {
        const first: Record<string, unknown> = {}
        for (const wire of wires) {
          const name = randomUUID()
          const input = { name, kind: shape }
          const key = randomUUID()
          const other = wire === 'ws' ? 'http' : 'ws'
          const made = await call({ wire, route: 'REPLIES', input, key })
          expect(made.ok).toBe(true)
          const crossed = await call({ wire: other, route: 'REPLIES', input, key })
          const { date: _, 'x-correlation-id': __, ...headers } = made.headers
          const again = await call({ wire, route: 'REPLIES', input, key })
          expect({ ...again, headers: expect.objectContaining(headers) }).toEqual({ ...again })
          expect({ ...again, headers: null }).toEqual({ ...made, headers: null })
          expect(runs(name)).toBe(1)
          first[wire] = strip(made, name)
          expect(strip(crossed, name)).toEqual(first[other] ?? strip(crossed, name))
        }
        expect(first.http).toMatchObject({ headers: { 'x-added': 'one, two' } })
        if (shape === 'value')
          expect(first.http).toMatchObject({
            status: 202,
            headers: { location: '/marks/NAME' },
            data: { name: 'NAME' },
          })
      },
    )

    test('gets a page with its meta', async () => {
      const key = randomUUID()
      const input = { name: randomUUID() }
      const made = await call({ route: 'PAGES', input, key })
      expect(made).toMatchObject({ ok: true, data: [{ name: input.name }], meta: { total: 1 } })
      expect(await call({ route: 'PAGES', input, key })).toEqual(made)
      const http = await call({ wire: 'http', route: 'PAGES', input, key })
      expect(http.data).toEqual({ items: made.data, meta: made.meta })
    })

    test('of a DELETE does not fail the check of its own row', async () => {
      const { data } = await call({ input: { name: randomUUID() } })
      const id = Object(data).id
      const key = randomUUID()
      for (const wire of ['ws', 'http', 'ws'] as const)
        expect(await call({ wire, route: 'REMOVE', input: { id }, key })).toMatchObject({ ok: true, data: null })
      expect(runs(`remove ${id}`)).toBe(1)
      const fresh = await call({ route: 'REMOVE', input: { id } })
      expect(fresh).toMatchObject({ ok: false, data: { code: 'permission_denied' } })
    })

    test.each(['SECRET', 'LARGE'] as const)('of %s is told that it was done', async (route) => {
      const key = randomUUID()
      const input = { name: randomUUID() }
      const made = await call({ route, input, key })
      expect(made).toMatchObject({ ok: true, data: { name: input.name } })
      expect(await call({ route, input, key })).toMatchObject({ ok: true, data: null })
      expect(await call({ wire: 'http', route, input, key })).toMatchObject({ status: 204, data: null })
      expect(runs(input.name)).toBe(1)
      const rows = await app.rows(sql`select reply from twinwire_once where reply like '%hunter2%'`)
      expect(rows).toEqual([])
    })

    test('with another input is refused, and the order of keys and defaults are not another input', async () => {
      const key = randomUUID()
      const name = randomUUID()
      const made = await call({ input: { name }, key })
      const same = await call({ wire: 'http', input: { delayMs: 0, name, unknown: 1 }, key })
      expect(same.data).toEqual(made.data)
      for (const wire of wires) {
        const other = await call({ wire, input: { name, delayMs: 1 }, key })
        expect(other).toMatchObject({ ok: false, data: { code: 'idempotency_mismatch' } })
        if (wire === 'http') expect(other.status).toBe(422)
      }
      expect(runs(name)).toBe(1)
    })

    test('of another identity, or of another route, is independent', async () => {
      const key = randomUUID()
      const name = randomUUID()
      const ids = new Set<unknown>()
      for (const who of ['ann', 'bob']) {
        for (const route of ['MARK', 'OTHER'] as const) {
          const { ok, data } = await call({ route, input: { name }, key, who })
          expect(ok).toBe(true)
          ids.add(Object(data).id)
        }
      }
      expect([ids.size, runs(name)]).toEqual([4, 4])
    })

    test('without a key runs over HTTP, unless the route demands one', async () => {
      const name = randomUUID()
      for (let i = 0; i < 2; i++) expect((await call({ wire: 'http', input: { name }, key: null })).ok).toBe(true)
      expect(runs(name)).toBe(2)
      const refused = await call({ wire: 'http', route: 'STRICT', input: { name }, key: null })
      expect(refused).toMatchObject({ status: 400, data: { code: 'idempotency_key_required' } })
      expect(await call({ wire: 'http', route: 'STRICT', input: { name }, key: '"k"' })).toMatchObject({ status: 200 })
      expect(await call({ route: 'STRICT', input: { name } })).toMatchObject({ ok: true })
    })

    test.each(['k'.repeat(10_240), '"', '""', '"a', 'a b', 'a,b', '"\\x"', zero, `"${zero}"`])(
      'with the header %.20s is malformed',
      async (key) => {
        const name = randomUUID()
        const answer = await call({ wire: 'http', input: { name }, key })
        expect(answer).toMatchObject({ status: 400, data: { code: 'malformed_request' } })
        expect(runs(name)).toBe(0)
      },
    )

    test('with the zero UUID is malformed over WebSocket too', async () => {
      expect(await call({ key: zero })).toMatchObject({ ok: false, data: { code: 'malformed_request' } })
    })

    test('of a handler that returns a stream was rolled back', async () => {
      const name = randomUUID()
      const answer = await call({ wire: 'ws', route: 'STREAMS', input: { name } })
      expect(answer).toMatchObject({ ok: false, data: { code: 'internal_error' } })
      expect(await app.rows(sql`select id from marks where name = ${name}`)).toEqual([])
    })

    test('publishes nothing', async () => {
      const listener = await app.client({ headers: { authorization: 'Bearer listener' } })
      const key = randomUUID()
      const [name, last] = [randomUUID(), randomUUID()]
      for (let i = 0; i < 3; i++) await call({ input: { name }, key })
      await call({ input: { name: last } })
      expect((await listener.nextEvent('MARKED')).name).toBe(name)
      expect((await listener.nextEvent('MARKED')).name).toBe(last)
      listener.terminate()
    })
  })
})

/** Without what differs between two calls. */
function strip(answer: { readonly headers: Readonly<Record<string, string>> }, name: string): unknown {
  const { date: _, 'x-correlation-id': __, connection: ___, 'keep-alive': ____, ...headers } = answer.headers
  return JSON.parse(
    JSON.stringify({ ...answer, headers })
      .replaceAll(name, 'NAME')
      .replaceAll(btoa(name), 'NAME'),
  )
}
