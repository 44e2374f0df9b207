// A model of once(): whatever is called, in any order and at the same time, each key has at most one effect, and its successes are one reply.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Isolation, marksDdl, type OnceApp, onceDdl, startOnceApp } from '../support/once-app.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const oneCall = fc.record({
  key: fc.nat(2),
  input: fc.nat(1),
  node: fc.nat(1),
  wire: fc.constantFrom('ws' as const, 'http' as const),
  who: fc.constantFrom('ann', 'bob'),
  route: fc.constantFrom('MARK' as const, 'FAIL_FIRST' as const),
  delayMs: fc.constantFrom(0, 0, 3),
})
/** Calls of a group are made at once, groups one after the other. */
const groups = fc.array(fc.array(oneCall, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 })

describe.skipIf(!(await hasPostgres()))('once()', () => {
  let server: TestPostgres
  let query: postgres.Sql
  beforeAll(async () => {
    server = await startPostgres()
    query = postgres(server.url, { max: 1, onnotice: () => {} })
    await query.unsafe(onceDdl + marksDdl)
  })
  afterAll(async () => {
    await query.end()
    await server.stop()
  })

  test.each<Isolation>(['read committed', 'serializable'])(
    'has one effect for each key, at %s',
    async (isolation) => {
      const options = { url: server.url, isolation, retries: 3, max: 3 }
      const nodes: readonly OnceApp[] = [await startOnceApp(options), await startOnceApp(options)]
      try {
        await fc.assert(
          fc.asyncProperty(groups, async (list) => {
            const run = randomUUID()
            const keys = [0, 1, 2].map(() => randomUUID())
            const seen = new Map<string, { readonly ids: Set<unknown>; readonly names: Set<string> }>()
            for (const group of list) {
              await Promise.all(
                group.map(async ({ key, input, node, wire, who, route, delayMs }) => {
                  const name = `${run} ${input}`
                  const id = `${who} ${route} ${key}`
                  const call = { wire, route, who, key: keys[key] ?? '', input: { name, delayMs } }
                  const answer = await nodes[node]?.call(call)
                  const known = seen.get(id) ?? { ids: new Set(), names: new Set() }
                  seen.set(id, known)
                  if (answer?.ok === true) {
                    known.ids.add(Object(answer.data).id)
                    known.names.add(Object(answer.data).name)
                    expect(Object(answer.data).name).toBe(name)
                  } else expect(['idempotency_mismatch', 'conflict']).toContain(Object(answer?.data).code)
                }),
              )
            }
            const done = [...seen.values()].filter(({ ids }) => ids.size > 0)
            for (const { ids, names } of done) expect([ids.size, names.size]).toEqual([1, 1])
            const rows = await query<{ id: number }[]>`select id from marks where name like ${`${run}%`} order by id`
            const expected = done.flatMap(({ ids }) => [...ids]).toSorted((a, b) => Number(a) - Number(b))
            expect(rows.map(({ id }) => id)).toEqual(expected)
          }),
          { numRuns: Number(process.env.ONCE_MODEL_RUNS ?? 15), interruptAfterTimeLimit: 60_000 },
        )
      } finally {
        for (const node of nodes) await node.close()
      }
    },
    120_000,
  )
})
