// One key of once() over protobuf, JSON and HTTP, with tokens that are renewed in between: directly, and through a PgBouncer.
import { randomUUID } from 'node:crypto'
import { jsonCodec, route } from '@twinwire/core'
import { database, once, transaction } from '@twinwire/core/database'
import { protobufCodec } from '@twinwire/core/protobuf'
import { createTestApp, type RawSocket } from '@twinwire/core/testing'
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { onceDdl } from '../support/once-app.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pg-bouncer.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { readResponse, writeMessage } from '../support/protobuf-oracle.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const pkgIds = { ORDER: 1 } as const
const users = ['ada', 'bob'].map((username) => ({ username, id: `u-${username}` }))
const postgresThere = await hasPostgres()

describe.each([
  ['directly', postgresThere],
  ['behind a PgBouncer in transaction mode', postgresThere && hasPgBouncer()],
] as const)('once() on PostgreSQL, %s', (way, isThere) => {
  const start = async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const admin = postgres(server.url, { max: 1, onnotice: () => {} })
    onTestFinished(() => admin.end())
    await admin.unsafe(
      `create table orders (id serial primary key, item text not null, owner text not null); ${onceDdl}`,
    )
    const pgBouncer = way !== 'directly'
    const bouncer = pgBouncer ? await startPgBouncer(server.url) : null
    onTestFinished(() => bouncer?.stop())
    const issuer = await createTestIssuer({ users })
    onTestFinished(() => issuer.stop())
    const startNode = async () => {
      const app = await createTestApp(
        {
          pkgIds,
          routes: {
            ORDER: route({
              http: { route: 'POST /orders', status: 201 },
              use: [once({ retention: 60_000 }), transaction({ retries: 2 })],
              input: v.object({ item: v.string(), count: v.optional(v.number(), 1) }),
              handler: async ({ item, count }, { db, identity }) => {
                const rows = await db.execute(
                  sql`insert into orders (item, owner) values (${item}, ${identity?.id}) returning id`,
                )
                return { id: Object(rows)[0].id, item, count, owner: identity?.id }
              },
            }),
          },
          codecs: [jsonCodec, protobufCodec()],
          plugins: [
            database({ url: bouncer?.url ?? server.url, pool: { max: 5, pgBouncer } }),
            auth({
              issuer: issuer.issuer,
              audience: issuer.clientId,
              clientId: issuer.clientId,
              allowInsecureIssuer: true,
            }),
          ],
        },
        { leftovers: 'allow' },
      )
      onTestFinished(() => app.close())
      return app
    }
    const [one, other] = [await startNode(), await startNode()]
    const count = async () => (await admin<{ n: number }[]>`select count(*)::int as n from orders`)[0]?.n
    return { issuer, one, other, count }
  }

  const signIn = async (socket: RawSocket, token: string) => {
    socket.send(JSON.stringify({ type: 'auth', token: `Bearer ${token}` }))
    expect(JSON.parse(String((await socket.next(30_000)).data))).toMatchObject({ type: 'auth_ok' })
  }

  test.skipIf(!isThere)('the reply is the same over protobuf, JSON and HTTP, whatever the token', async () => {
    const { issuer, one, other, count } = await start()
    const key = randomUUID()
    const data = { count: 2, item: 'ink' }
    const overProtobuf = async (socket: RawSocket, input: object) => {
      socket.send(writeMessage('Request', { pkg_id: 1, req_id: key, method: '', data_json: JSON.stringify(input) }))
      return readResponse(new Uint8Array((await socket.next(30_000)).data as Uint8Array))
    }
    const overJson = async (socket: RawSocket, input: object) => {
      socket.send(JSON.stringify({ pkg_id: 1, req_id: key, data: input }))
      return JSON.parse(String((await socket.next(30_000)).data))
    }
    const overHttp = (token: string) =>
      one.request('POST /orders', {
        json: data,
        headers: { authorization: `Bearer ${token}`, 'idempotency-key': `"${key.toUpperCase()}"` },
      })
    const binary = await one.connect({ path: '/ws?format=protobuf' })
    await signIn(binary, issuer.token('ada'))
    const first = await overProtobuf(binary, data)
    expect(first).toMatchObject({ status_code: 0, data: { item: 'ink', count: 2, owner: 'u-ada' } })

    // The same user, by tokens that the issuer has made later.
    await signIn(binary, issuer.token('ada', { lifetimeMs: 200_000 }))
    expect(await overProtobuf(binary, data)).toEqual(first)
    const text = await other.connect()
    await signIn(text, issuer.token('ada', { lifetimeMs: 100_000 }))
    const { status_code, data: replied } = first
    // The order of keys is not part of the input.
    expect(await overJson(text, { item: 'ink', count: 2 })).toMatchObject({ status_code, data: replied })
    await signIn(text, issuer.token('ada', { lifetimeMs: 150_000 }))
    expect(await overJson(text, data)).toMatchObject({ status_code, data: replied })
    const answer = await overHttp(issuer.token('ada', { lifetimeMs: 250_000 }))
    expect([answer.status, answer.json()]).toEqual([201, replied])
    expect(await count()).toBe(1)

    expect(await overProtobuf(binary, { item: 'pen' })).toMatchObject({ data: { code: 'idempotency_mismatch' } })
    // Another user has keys of its own.
    const ofBob = await overHttp(issuer.token('bob'))
    expect([ofBob.status, ofBob.json()]).toEqual([201, expect.objectContaining({ owner: 'u-bob' })])
    expect(await count()).toBe(2)
  })
})
