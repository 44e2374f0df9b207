// A call that is repeated has one effect and one reply: over both wires, on two nodes that share a PostgreSQL, at each isolation level.
import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Isolation, marksDdl, type OnceApp, onceDdl, startOnceApp } from '../support/once-app.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const wires = ['ws', 'http'] as const

describe.skipIf(!(await hasPostgres()))('once() on PostgreSQL', () => {
  let server: TestPostgres
  let query: postgres.Sql
  beforeAll(async () => {
    server = await startPostgres()
    query = postgres(server.url, { max: 2, onnotice: () => {} })
    await query.unsafe(onceDdl + marksDdl)
  })
  afterAll(async () => {
    await query.end()
    await server.stop()
  })
  const countOf = async (name: string) => {
    const [row] = await query<[{ n: number }]>`select count(*)::int as n from marks where name = ${name}`
    return row.n
  }

  describe.each<Isolation>(['read committed', 'repeatable read', 'serializable'])('with isolation %s', (isolation) => {
    let nodes: readonly [OnceApp, OnceApp]
    beforeAll(async () => {
      const options = { url: server.url, isolation, retries: 0 }
      nodes = [await startOnceApp(options), await startOnceApp(options)]
    })
    afterAll(() => Promise.all(nodes.map((node) => node.close())))

    test.each(wires.flatMap((first) => wires.map((second) => [first, second] as const)))(
      'a call over %s is repeated over %s, on the other node',
      async (first, second) => {
        const key = randomUUID()
        const name = randomUUID()
        const made = await nodes[0].call({ wire: first, route: 'MARK', input: { name }, key })
        expect(made).toMatchObject({ ok: true, data: { name } })
        const again = await nodes[1].call({ wire: second, route: 'MARK', input: { name }, key: key.toUpperCase() })
        expect(again).toMatchObject({ ok: true, data: made.data, status: second === 'http' ? 201 : null })
        expect([await countOf(name), nodes[0].runs.get(name), nodes[1].runs.get(name)]).toEqual([1, 1, undefined])
      },
    )

    test.each([1, 2])('of 100 duplicates at once on %i nodes one is executed, and all get its reply', async (count) => {
      const key = randomUUID()
      const name = randomUUID()
      const used = nodes.slice(0, count)
      const answers = await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const node = used[i % count]
          return await node?.call({
            wire: i % 3 === 0 ? 'http' : 'ws',
            route: 'MARK',
            input: { name, delayMs: 50 },
            key,
          })
        }),
      )
      expect(new Set(answers.map((answer) => JSON.stringify([answer?.ok, answer?.data]))).size).toBe(1)
      expect(answers[0]).toMatchObject({ ok: true, data: { name } })
      expect(await countOf(name)).toBe(1)
      expect(nodes.reduce((sum, { runs }) => sum + (runs.get(name) ?? 0), 0)).toBe(1)
    })

    test('a rollback leaves no key: of duplicates at once the next one runs', async () => {
      const key = randomUUID()
      const name = randomUUID()
      const input = { name, delayMs: 30 }
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => nodes[0].call({ wire: 'ws', route: 'FAIL_FIRST', input, key })),
      )
      expect(answers.filter(({ ok }) => !ok)).toMatchObject([{ data: { code: 'conflict' } }])
      expect(new Set(answers.filter(({ ok }) => ok).map(({ data }) => JSON.stringify(data))).size).toBe(1)
      expect([await countOf(name), nodes[0].runs.get(name)]).toEqual([1, 2])
    })

    test('another input with the key of a call that runs is refused at once, on its node', async () => {
      const key = randomUUID()
      const name = randomUUID()
      const [node] = nodes
      const call = (input: { readonly name: string; readonly delayMs?: number }, wire: 'ws' | 'http' = 'http') =>
        node.call({ wire, route: 'FAIL_FIRST', input, key })
      const first = call({ name, delayMs: 6000 })
      await expect.poll(() => node.runs.get(name), { timeout: 15_000 }).toBe(1)
      const others = Promise.all(wires.map((wire) => call({ name: 'another' }, wire)))
      const mismatch = { ok: false, data: { code: 'idempotency_mismatch' } }
      expect(await Promise.race([others, first])).toMatchObject([mismatch, { ...mismatch, status: 422 }])
      expect(await first).toMatchObject({ data: { code: 'conflict' } })
      // The first one was rolled back, so the key is free.
      expect(await call({ name })).toMatchObject({ ok: true })
      expect(await call({ name: 'another' })).toMatchObject(mismatch)
      expect([await countOf(name), await countOf('another')]).toEqual([1, 0])
    })

    test('a call that waits for another node gets 409 at its own deadline, and the reply later', async () => {
      const impatient = await startOnceApp({ url: server.url, isolation, deadlineMs: 300 })
      try {
        const key = randomUUID()
        const name = randomUUID()
        const input = { name, delayMs: 2000 }
        const first = nodes[0].call({ wire: 'ws', route: 'MARK', input, key })
        await expect.poll(() => nodes[0].runs.get(name)).toBe(1)
        for (const wire of wires) {
          const second = await impatient.call({ wire, route: 'MARK', input, key })
          expect(second).toMatchObject({ ok: false, data: { code: 'idempotency_in_progress' } })
          if (wire === 'http') expect(second.status).toBe(409)
        }
        const made = await first
        expect(made).toMatchObject({ ok: true })
        expect(await impatient.call({ wire: 'http', route: 'MARK', input, key })).toMatchObject({ data: made.data })
        expect([await countOf(name), impatient.runs.get(name)]).toEqual([1, undefined])
      } finally {
        await impatient.close()
      }
    })
  })
})
