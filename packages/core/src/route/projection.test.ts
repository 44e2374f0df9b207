import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { toJsonValue } from '../protocol/json-value.ts'
import { compileProjection, compileReplyProjection } from './output.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

type AnyValibot = v.GenericSchema<unknown, unknown>

/** A schema, values that fit it, and nothing that valibot would change. */
interface Case {
  readonly schema: AnyValibot
  readonly value: fc.Arbitrary<unknown>
}
const scalars: readonly Case[] = [
  { schema: v.string(), value: fc.string() },
  { schema: v.number(), value: fc.double({ noNaN: true }) },
  { schema: v.boolean(), value: fc.boolean() },
  { schema: v.null(), value: fc.constant(null) },
  { schema: v.date(), value: fc.date({ noInvalidDate: true }) },
  { schema: v.bigint(), value: fc.bigInt() },
  { schema: v.literal('on'), value: fc.constant('on') },
  { schema: v.literal(7n), value: fc.constant(7n) },
  { schema: v.picklist(['a', 'b', 3]), value: fc.constantFrom('a', 'b', 3) },
  { schema: v.picklist([1n, 'a']), value: fc.constantFrom(1n, 'a') },
  { schema: v.enum({ Up: 'up', Down: 'down' }), value: fc.constantFrom('up', 'down') },
  { schema: v.pipe(v.string(), v.maxLength(1000), v.description('a string')), value: fc.string() },
  { schema: v.instance(Uint8Array), value: fc.uint8Array({ maxLength: 6 }) },
  { schema: v.unknown(), value: fc.jsonValue({ maxDepth: 2 }) },
  { schema: v.any(), value: fc.bigInt() },
  { schema: v.union([v.string(), v.number(), v.null()]), value: fc.oneof(fc.string(), fc.nat(), fc.constant(null)) },
  { schema: v.union([v.bigint(), v.string()]), value: fc.oneof(fc.bigInt(), fc.string()) },
]
// Names that valibot itself leaves out of a record, and those of Object.prototype, are not compared.
const name = fc
  .string({ minLength: 1, maxLength: 5 })
  .filter((key) => !(key in Object.prototype) && key !== 'prototype')

const { schemaCase } = fc.letrec<{ schemaCase: Case }>((tie) => ({
  schemaCase: fc.oneof(
    { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...scalars),
    tie('schemaCase').map(({ schema, value }) => ({
      schema: v.array(schema),
      value: fc.array(value, { maxLength: 3 }),
    })),
    tie('schemaCase').map(({ schema, value }) => ({ schema: v.nullable(schema), value: fc.option(value) })),
    tie('schemaCase').map(({ schema, value }) => ({
      schema: v.record(v.string(), schema),
      value: fc.dictionary(name, value, { maxKeys: 3 }),
    })),
    fc
      .dictionary(name, fc.tuple(tie('schemaCase'), fc.boolean()), { maxKeys: 4, noNullPrototype: true })
      .map((entries) => ({
        schema: v.object(
          Object.fromEntries(
            Object.entries(entries).map(([key, [{ schema }, isOptional]]) => [
              key,
              isOptional ? v.optional(schema) : schema,
            ]),
          ),
        ),
        value: withExtras(entries),
      })),
  ),
}))

/** Values of an object, at times without what is optional, and with keys that the schema does not name. */
function withExtras(entries: Record<string, [Case, boolean]>): fc.Arbitrary<unknown> {
  const optional = new Set(Object.keys(entries).filter((key) => entries[key]?.[1]))
  const known = fc.record(Object.fromEntries(Object.entries(entries).map(([key, [{ value }]]) => [key, value])), {
    requiredKeys: Object.keys(entries).filter((key) => !optional.has(key)),
    noNullPrototype: true,
  })
  const extra = fc.dictionary(name, fc.constant('secret'), { maxKeys: 3, noNullPrototype: true })
  return fc.tuple(known, extra).map(([value, more]) => {
    const unknown = Object.entries(more).filter(([key]) => !Object.hasOwn(entries, key))
    return { ...value, ...Object.fromEntries(unknown) }
  })
}

const json = (value: unknown): string | undefined => JSON.stringify(sorted(value))

describe('a projection', () => {
  it('of a schema that transforms nothing is what its validation makes, in JSON form', () => {
    const cases = schemaCase.chain(({ schema, value }) => value.map((given) => ({ schema, given })))
    fc.assert(
      fc.property(cases, ({ schema, given }) => {
        const project = compileProjection(schema)
        const parsed = v.safeParse(schema, given)
        expect(parsed.issues).toBeUndefined()
        expect(project).not.toBeNull()
        const before = structuredClone(given)
        expect(json(project?.(given))).toBe(json(toJsonValue(parsed.output)))
        expect(given).toEqual(before)
      }),
      { numRuns: 2000 },
    )
  })

  it('lets no unknown key leave', () => {
    const schema = v.object({
      id: v.number(),
      owner: v.object({ name: v.string() }),
      books: v.array(v.strictObject({ title: v.nullish(v.string()) })),
      byName: v.record(v.string(), v.object({ n: v.number() })),
      last: v.optional(v.object({ at: v.date() })),
    })
    const at = new Date(0)
    const secret = 'x'
    const project = compileProjection(schema)
    expect(
      project?.({
        id: 1,
        secret,
        owner: { name: 'a', secret },
        books: [{ title: 'b', secret }, { secret }],
        byName: { k: { n: 1, secret } },
        last: { at, secret },
      }),
    ).toEqual({ id: 1, owner: { name: 'a' }, books: [{ title: 'b' }, {}], byName: { k: { n: 1 } }, last: { at } })
    expect(project?.({ id: 1, owner: { name: 'a' }, books: [], byName: {} })).toEqual({
      id: 1,
      owner: { name: 'a' },
      books: [],
      byName: {},
    })
  })

  it('reads what a class instance has', () => {
    class Author {
      readonly first = 'Ursula'
      readonly #secret = 'x'
      get name(): string {
        return `${this.first} ${this.#secret.length}`
      }
    }
    expect(compileProjection(v.object({ name: v.string() }))?.(new Author())).toEqual({ name: 'Ursula 1' })
  })

  it.each([
    ['exactOptional', v.object({ a: v.exactOptional(v.bigint()) }), { a: 1n, x: 1 }, { a: '1' }],
    ['nullish', v.nullish(v.object({ a: v.number() })), null, null],
    ['nullish, undefined', v.nullish(v.object({ a: v.number() })), undefined, undefined],
    ['undefinedable', v.undefinedable(v.object({ a: v.number() })), { a: 1, x: 1 }, { a: 1 }],
    ['nonNullable', v.nonNullable(v.nullable(v.object({ a: v.number() }))), { a: 1, x: 1 }, { a: 1 }],
    ['nonOptional', v.nonOptional(v.optional(v.object({ a: v.number() }))), { a: 1, x: 1 }, { a: 1 }],
    ['nonNullish', v.nonNullish(v.nullish(v.object({ a: v.number() }))), { a: 1, x: 1 }, { a: 1 }],
    ['partial', v.partial(v.object({ a: v.number() })), { x: 1 }, {}],
    ['pick', v.pick(v.object({ a: v.number(), b: v.number() }), ['a']), { a: 1, b: 2 }, { a: 1 }],
    ['custom', v.custom<{ a: bigint }>(() => true), { a: 1n }, { a: '1' }],
    [
      'a check behind an object',
      v.pipe(
        v.object({ a: v.number() }),
        v.check(() => true),
      ),
      { a: 1, x: 1 },
      { a: 1 },
    ],
  ])('knows %s', (_name, schema, value, projected) => {
    expect(compileProjection(schema)?.(value)).toEqual(projected)
  })

  it.each([
    ['a transformation', v.pipe(v.string(), v.trim())],
    ['one inside', v.object({ a: v.array(v.pipe(v.string(), v.transform(Number))) })],
    ['one in a pipe that begins another', v.pipe(v.pipe(v.string(), v.transform(Number)), v.minValue(1))],
    ['a second schema in a pipe', v.pipe(v.unknown(), v.object({ a: v.number() }))],
    ['a default', v.object({ a: v.optional(v.string(), 'x') })],
    ['a default of null', v.nullish(v.string(), null)],
    ['a made default', v.optional(v.string(), () => 'x')],
    ['a fallback', v.object({ a: v.fallback(v.number(), 0) })],
    ['a fallback of nothing', v.fallback(v.optional(v.number()), undefined)],
    ['a union of objects', v.union([v.object({ a: v.number() }), v.object({ b: v.number() })])],
    ['a variant', v.variant('kind', [v.object({ kind: v.literal('a') })])],
    ['an intersection', v.intersect([v.object({ a: v.number() }), v.object({ b: v.number() })])],
    ['lazy', v.lazy(() => v.string())],
    ['async', v.objectAsync({ a: v.string() })],
    [
      'async inside',
      v.object({
        a: v.pipeAsync(
          v.string(),
          v.checkAsync(async () => true),
        ),
      } as never),
    ],
    ['a loose object', v.looseObject({ a: v.string() })],
    ['an object with rest', v.objectWithRest({ a: v.string() }, v.number())],
    ['a tuple', v.tuple([v.string()])],
    ['a map', v.map(v.string(), v.string())],
    ['a record of chosen keys', v.record(v.picklist(['a', 'b']), v.number())],
    ['a record whose keys change', v.record(v.pipe(v.string(), v.toUpperCase()), v.number())],
  ])('leaves %s to the schema', (_name, schema) => {
    expect(compileProjection(schema as AnyValibot)).toBeNull()
  })

  it('leaves other vendors to themselves', () => {
    expect(
      compileProjection({ '~standard': { version: 1, vendor: 'other', validate: (value) => ({ value }) } }),
    ).toBeNull()
  })

  it('ends for a schema that is too deep', () => {
    let schema: AnyValibot = v.string()
    for (let i = 0; i < 40; i++) schema = v.array(schema)
    expect(compileProjection(schema)).toBeNull()
  })
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

describe('an object where the schema has a scalar', () => {
  const account = { id: 1, passwordHash: 'x' }
  it.each([
    ['in an object', v.object({ owner: v.string() }), { owner: account }],
    ['in an object of two kinds', v.object({ owner: v.string(), at: v.bigint() }), { owner: account, at: 1n }],
    ['behind a wrapper', v.object({ owner: v.nullish(v.string()) }), { owner: account }],
    ['in an array', v.object({ owners: v.array(v.string()) }), { owners: [account] }],
    ['in a record', v.object({ owners: v.record(v.string(), v.number()) }), { owners: { a: account } }],
    ['in a union', v.object({ owner: v.union([v.string(), v.bigint()]) }), { owner: account }],
  ])('does not leave: %s', (_, schema, value) => {
    expect(() => compileProjection(schema)?.(value)).toThrow('an object where the output schema has a scalar')
    expect(() => compileReplyProjection(schema)?.(value)).toThrow('an object where the output schema has a scalar')
  })
})
