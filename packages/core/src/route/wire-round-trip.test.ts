import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { createTestApp, type TransportName } from '../testing/create-test-app.ts'
import { route } from './route.ts'
import type { HttpRouteText } from './route-types.ts'

vi.setConfig({ testTimeout: 120_000 })

/** A schema, and values that fit it. */
interface Case {
  readonly schema: v.GenericSchema<unknown, unknown>
  readonly value: fc.Arbitrary<unknown>
}

const dates: Case = { schema: v.date(), value: fc.date({ noInvalidDate: true }) }
const bigints: Case = {
  schema: v.bigint(),
  value: fc.oneof(fc.bigInt(), fc.bigInt({ min: 10n ** 40n, max: 10n ** 400n })),
}
const bytes: Case = { schema: v.instance(Uint8Array), value: fc.uint8Array({ maxLength: 40 }) }
const wireTypes = fc.constantFrom(dates, bigints, bytes)

// JSON has no negative zero.
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n))
const scalars = fc.oneof(
  { weight: 3, arbitrary: wireTypes },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Case>(
      { schema: v.string(), value: fc.string({ unit: 'grapheme' }) },
      { schema: v.number(), value: numbers },
      { schema: v.boolean(), value: fc.boolean() },
      { schema: v.literal(7n), value: fc.constant(7n) },
      { schema: v.picklist([1n, 'a', 2]), value: fc.constantFrom(1n, 'a', 2) },
      { schema: v.pipe(v.date(), v.minValue(new Date(0))), value: fc.date({ min: new Date(0), noInvalidDate: true }) },
      {
        schema: v.union([dates.schema, bigints.schema, v.number()]),
        value: fc.oneof(dates.value, bigints.value, numbers),
      },
      { schema: v.union([v.string(), v.number()]), value: fc.oneof(dates.value.map(String), numbers) },
    ),
  },
)

const key = fc.constantFrom<string>('a', 'b', 'c', 'd', 'e')

/** Only schemas in which each text has one meaning. */
const { cases } = fc.letrec<{ cases: Case }>((tie) => {
  const entries = fc.dictionary(key, tie('cases'), { maxKeys: 4, noNullPrototype: true })
  const objectOf = (of: Record<string, Case>) => ({
    schemas: Object.fromEntries(Object.entries(of).map(([name, { schema }]) => [name, schema])),
    value: fc.record(Object.fromEntries(Object.entries(of).map(([name, { value }]) => [name, value])), {
      noNullPrototype: true,
    }),
  })
  return {
    cases: fc.oneof(
      { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
      scalars,
      entries.map(objectOf).map(({ schemas, value }) => ({ schema: v.object(schemas), value })),
      entries.map(objectOf).map(({ schemas, value }) => ({ schema: v.strictObject(schemas), value })),
      fc.tuple(entries.map(objectOf), wireTypes).map(([{ schemas, value }, rest]) => ({
        schema: v.objectWithRest(schemas, rest.schema),
        value: fc
          .tuple(fc.dictionary(fc.constantFrom('x', 'y'), rest.value, { noNullPrototype: true }), value)
          .map(([more, own]) => ({ ...more, ...own })),
      })),
      entries.map(objectOf).map(({ schemas, value }) => ({
        schema: v.partial(v.object(schemas)),
        value: fc.tuple(value, fc.array(key)).map(([all, without]) => {
          return Object.fromEntries(Object.entries(all).filter(([name]) => !without.includes(name)))
        }),
      })),
      tie('cases').map(({ schema, value }) => ({ schema: v.array(schema), value: fc.array(value, { maxLength: 3 }) })),
      tie('cases').map(({ schema, value }) => ({
        schema: v.record(v.string(), schema),
        value: fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true }),
      })),
      tie('cases').map(({ schema, value }) => ({ schema: v.nullable(schema), value: fc.option(value) })),
      tie('cases').map(({ schema, value }) => ({ schema: v.lazy(() => schema), value })),
      fc.array(tie('cases'), { minLength: 1, maxLength: 3 }).map((of) => ({
        schema: v.tuple(of.map(({ schema }) => schema)),
        value: fc.tuple(...of.map(({ value }) => value)),
      })),
      fc.array(tie('cases'), { minLength: 1, maxLength: 3 }).map((of) => ({
        schema: v.variant(
          'kind',
          of.map(({ schema }, index) => v.object({ kind: v.literal(index), it: schema })),
        ),
        value: fc.oneof(...of.map(({ value }, index) => value.map((it) => ({ kind: index, it })))),
      })),
      fc.array(tie('cases'), { minLength: 1, maxLength: 3 }).map((of) => ({
        schema: v.union(of.map(({ schema }, index) => v.strictObject({ [`key${index}`]: schema }))),
        value: fc.oneof(...of.map(({ value }, index) => value.map((it) => ({ [`key${index}`]: it })))),
      })),
    ),
  }
})

/** What a query or a path can carry: text that is not empty. */
const inPath = fc.constantFrom<Case>(
  dates,
  bigints,
  { schema: v.instance(Uint8Array), value: fc.uint8Array({ minLength: 1, maxLength: 40 }) },
  { schema: v.union([dates.schema, bigints.schema]), value: fc.oneof(dates.value, bigints.value) },
)

describe.each<{ transport: TransportName; numRuns: number }>([
  { transport: 'memory', numRuns: 150 },
  { transport: 'uws', numRuns: 30 },
])('a value comes back equal over $transport', ({ transport, numRuns }) => {
  it('in a package, a body, a path and a query alike', async () => {
    const one = fc.record({ body: cases, text: inPath }).chain(({ body, text }) =>
      fc.record({
        body: fc.constant(body),
        text: fc.constant(text),
        it: body.value,
        at: text.value,
        many: fc.array(text.value, { minLength: 1, maxLength: 3 }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(one, async ({ body, text, it, at, many }) => {
        let received: unknown
        const take = (http: HttpRouteText, schema: Case['schema']) =>
          route({
            http,
            input: schema,
            output: schema,
            handler: (input) => {
              received = input
              return input
            },
          })
        const entries = { at: text.schema, many: v.array(text.schema) }
        const { client, close } = await createTestApp(
          {
            pkgIds: { BODY: 1, QUERY: 2, PATH: 3, MIXED: 4 },
            routes: {
              BODY: take('POST /body', v.object({ it: body.schema })),
              QUERY: take('GET /query', v.object(entries)),
              PATH: take('GET /path/:at', v.object({ at: text.schema })),
              MIXED: take('PUT /mixed/:at', v.object({ ...entries, it: body.schema })),
            },
          },
          { transport },
        )
        const { call, http } = await client()
        const sent = { BODY: { it }, QUERY: { at, many }, PATH: { at }, MIXED: { at, many, it } } as const
        for (const name of ['BODY', 'QUERY', 'PATH', 'MIXED'] as const) {
          for (const send of [call, http]) {
            received = undefined
            const answer = await send(name, sent[name])
            expect(received).toStrictEqual(sent[name])
            // What the server sent, sent back.
            received = undefined
            expect(await send(name, answer)).toStrictEqual(answer)
            expect(received).toStrictEqual(sent[name])
          }
        }
        await close()
      }),
      { numRuns },
    )
  })
})
