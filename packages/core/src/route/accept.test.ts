import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import type { AnySchema } from '../base/schema.ts'
import { compileAccept } from './accept.ts'
import { compileValidate } from './pipeline.ts'

vi.setConfig({ testTimeout: 120_000 })

type AnyValibot = v.GenericSchema<unknown, unknown>

/** A schema, and values of which most fit it. */
interface Case {
  readonly schema: AnyValibot
  readonly value: fc.Arbitrary<unknown>
}

const strings = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('a', 'abc', ' a ', 'ABC', '7', 'a@b.co', '2026-01-31'),
)
const numbers = fc.oneof(fc.integer({ min: -3, max: 12 }), fc.double({ noNaN: true }))
const nil = fc.constantFrom(null, undefined)

const stringActions = [
  v.minLength<string, 2>(2),
  v.maxLength<string, 5>(5),
  v.length<string, 3>(3),
  v.notLength<string, 3>(3),
  v.nonEmpty<string>(),
  v.empty<string>(),
  v.regex<string>(/^[a-z]*$/u),
  v.email<string>(),
  v.uuid<string>(),
  v.digits<string>(),
  v.isoDate<string>(),
  v.startsWith<string, 'a'>('a'),
  v.endsWith<string, 'c'>('c'),
  v.includes<string, 'b'>('b'),
  v.excludes<string, 'b'>('b'),
  v.trim(),
  v.trimStart(),
  v.trimEnd(),
  v.toLowerCase(),
  v.toUpperCase(),
  v.description<string, 'd'>('d'),
  v.brand<string, 'b'>('b'),
  v.readonly<string>(),
  v.check<string>((text) => text !== 'abc'),
  v.transform<string, string>((text) => `${text}!`),
] as const
const numberActions = [
  v.integer<number>(),
  v.safeInteger<number>(),
  v.finite<number>(),
  v.minValue<number, 1>(1),
  v.maxValue<number, 9>(9),
  v.gtValue<number, 0>(0),
  v.ltValue<number, 10>(10),
  v.multipleOf<number, 2>(2),
  v.notValue<number, 4>(4),
  v.toMaxValue<number, 5>(5),
  v.title<number, 't'>('t'),
] as const

const scalars: fc.Arbitrary<Case> = fc.oneof(
  fc.constantFrom<Case>(
    { schema: v.boolean(), value: fc.boolean() },
    { schema: v.null(), value: fc.constant(null) },
    { schema: v.unknown(), value: fc.jsonValue({ maxDepth: 1 }) },
    { schema: v.literal('on'), value: fc.constantFrom('on', 'off') },
    { schema: v.literal(0), value: fc.constantFrom(0, -0, 1) },
    { schema: v.picklist(['a', 'b', 3]), value: fc.constantFrom('a', 'b', 3, 'c') },
    { schema: v.enum({ Up: 'up', Down: 1 }), value: fc.constantFrom('up', 1, 'Up') },
    { schema: v.date(), value: fc.date() },
    { schema: v.nan(), value: fc.constant(Number.NaN) },
    { schema: v.pipe(v.pipe(v.string(), v.minLength(1)), v.maxLength(5)), value: strings },
    { schema: v.pipe(v.pipe(v.string(), v.trim()), v.maxLength(5)), value: strings },
    { schema: v.pipe(v.string(), v.picklist(['a', 'abc'])), value: strings },
  ),
  fc.array(fc.constantFrom(...stringActions), { maxLength: 3 }).map((actions) => ({
    schema: v.pipe(v.string(), ...(actions as [])),
    value: strings,
  })),
  fc.array(fc.constantFrom(...numberActions), { maxLength: 3 }).map((actions) => ({
    schema: v.pipe(v.number(), ...(actions as [])),
    value: numbers,
  })),
)

const key = fc.constantFrom('a', 'b', 'c', 'd', '1', 'constructor', 'toString', '__proto__', 'prototype')
const usualKey = fc.constantFrom('a', 'b', 'c', 'd', '1')

const { schemaCase } = fc.letrec<{ schemaCase: Case }>((tie) => {
  const entries = fc.dictionary(
    fc.oneof({ weight: 30, arbitrary: usualKey }, { weight: 1, arbitrary: key }),
    tie('schemaCase'),
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  )
  const objectOf = (of: Record<string, Case>) => ({
    schemas: Object.fromEntries(Object.entries(of).map(([name, { schema }]) => [name, schema])),
    value: fc
      .tuple(
        fc.record(Object.fromEntries(Object.entries(of).map(([name, { value }]) => [name, value]))),
        fc.dictionary(key, fc.jsonValue({ maxDepth: 0 }), { maxKeys: 1 }),
        fc.nat({ max: 5 }),
      )
      .map(([known, more, kind]) => (kind === 0 ? { ...more, ...known } : kind === 1 ? { ...known, ...more } : known)),
  })
  const lists = fc.array(tie('schemaCase'), { maxLength: 3 }).map((of) => ({
    schemas: of.map(({ schema }) => schema),
    value: fc.tuple(...of.map(({ value }) => value)),
  }))
  return {
    schemaCase: fc.oneof(
      { maxDepth: 4, depthSize: 'small', withCrossShrink: true },
      scalars,
      entries.map(objectOf).map(({ schemas, value }) => ({ schema: v.object(schemas), value })),
      entries.map(objectOf).map(({ schemas, value }) => ({ schema: v.strictObject(schemas), value })),
      entries.map(objectOf).map(({ schemas, value }) => ({ schema: v.looseObject(schemas), value })),
      fc.tuple(entries.map(objectOf), scalars).map(([{ schemas, value }, { schema }]) => ({
        schema: v.objectWithRest(schemas, schema),
        value,
      })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.optional(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({
        schema: v.optional(schema, 'preset'),
        value: fc.oneof(value, nil),
      })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.exactOptional(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.undefinedable(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.nullable(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.nullish(schema, 3), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.nullish(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.nonNullish(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.nonOptional(schema), value: fc.oneof(value, nil) })),
      tie('schemaCase').map(({ schema, value }) => ({ schema: v.fallback(schema, 'fallback'), value })),
      tie('schemaCase').map(({ schema, value }) => ({
        schema: v.array(schema),
        value: fc.array(value, { maxLength: 3 }),
      })),
      tie('schemaCase').map(({ schema, value }) => ({
        schema: v.pipe(v.array(schema), v.minLength(1), v.maxLength(2)),
        value: fc.array(value, { maxLength: 3 }),
      })),
      fc.tuple(scalars, tie('schemaCase')).map(([{ schema: name }, { schema, value }]) => ({
        schema: v.record(v.union([v.pipe(v.string(), v.maxLength(4)), name]) as v.GenericSchema<string>, schema),
        value: fc.dictionary(fc.oneof(usualKey, key, strings), value, { maxKeys: 3 }),
      })),
      lists.map(({ schemas, value }) => ({ schema: v.tuple(schemas), value })),
      lists.map(({ schemas, value }) => ({ schema: v.strictTuple(schemas), value })),
      lists.map(({ schemas, value }) => ({ schema: v.looseTuple(schemas), value })),
      fc.tuple(lists, scalars).map(([{ schemas, value }, { schema }]) => ({
        schema: v.tupleWithRest(schemas, schema),
        value: fc.tuple(value, strings).map(([list, more]) => [...list, more]),
      })),
      fc.tuple(fc.array(scalars, { minLength: 1, maxLength: 2 }), tie('schemaCase')).map(([first, last]) => ({
        schema: v.union([...first, last].map(({ schema }) => schema)),
        value: fc.oneof(...[...first, last].map(({ value }) => value)),
      })),
      fc.tuple(entries.map(objectOf), entries.map(objectOf), tie('schemaCase')).map(([one, two, { schema }]) => ({
        schema: v.variant('kind', [
          v.object({ kind: v.literal('one'), ...one.schemas }),
          v.object({ kind: v.optional(v.literal('two')), ...two.schemas }),
          v.looseObject({ kind: v.literal('three'), of: schema }),
        ] as never),
        value: fc
          .tuple(fc.constantFrom('one', 'two', 'three', undefined), fc.oneof(one.value, two.value))
          .map(([kind, rest]) => (kind === undefined ? rest : { kind, ...rest })),
      })),
    ),
  }
})

/** Also values of other shapes than the schema's: what a client may send instead. */
const decoded = schemaCase.chain(({ schema, value }) =>
  fc.record({
    schema: fc.constant(schema),
    value: fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) }),
  }),
)

/** The order of keys counts. */
function isSame(one: unknown, two: unknown): boolean {
  return isDeepStrictEqual(one, two) && orderOf(one) === orderOf(two)
}
function orderOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) =>
    part === undefined ? 'undefined' : typeof part === 'bigint' ? String(part) : part,
  )
}

describe('compileAccept', () => {
  it('accepts what valibot returns unchanged, and nothing else: decoded values of generated schemas', () => {
    const seen = { accepted: 0, rejected: 0, changed: 0 }
    // An array index as a key of a loose object: it is first in any order.
    let missed = 0
    fc.assert(
      fc.property(decoded, ({ schema, value: raw }) => {
        const value: unknown = raw === undefined ? undefined : JSON.parse(JSON.stringify(raw) ?? 'null')
        const accepts = compileAccept(schema)
        const result = v.safeParse(schema, value)
        const unchanged = result.success && isSame(result.output, value)
        if (accepts === null) return
        if (accepts(value)) {
          seen.accepted++
          expect(unchanged).toBe(true)
        } else if (unchanged) missed++
        else if (result.success) seen.changed++
        else seen.rejected++
      }),
      { numRuns: 20_000 },
    )
    // Each kind has been seen often.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(300)
    expect(missed).toBeLessThan(seen.accepted / 100)
  })

  it('accepts nothing that valibot changes or rejects: any value of JavaScript', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withSparseArray: true,
      withTypedArray: true,
      withBoxedValues: true,
      maxDepth: 3,
      key: fc.oneof(usualKey, key),
    })
    const cases = schemaCase.chain(({ schema, value }) =>
      fc.record({ schema: fc.constant(schema), value: fc.oneof(value, anything) }),
    )
    fc.assert(
      fc.property(cases, ({ schema, value }) => {
        if (!(compileAccept(schema)?.(value) ?? false)) return
        const result = v.safeParse(schema, value)
        expect(result.success && isSame(result.output, value)).toBe(true)
      }),
      { numRuns: 20_000 },
    )
  })

  it('gives a route the same input and the same issues as valibot alone [defect 78]', () => {
    fc.assert(
      fc.property(decoded, ({ schema, value: raw }) => {
        const value: unknown = raw === undefined ? undefined : JSON.parse(JSON.stringify(raw) ?? 'null')
        expect(answerOf(compileValidate(schema), value)).toEqual(answerOf(compileValidate(schema, false), value))
      }),
      { numRuns: 2000 },
    )
  })

  const unknown: readonly (readonly [string, AnySchema])[] = [
    [
      'a check of the application',
      v.pipe(
        v.string(),
        v.check(() => true),
      ),
    ],
    [
      'a check deep inside',
      v.object({
        a: v.array(
          v.object({
            b: v.pipe(
              v.string(),
              v.check(() => true),
            ),
          }),
        ),
      }),
    ],
    ['a transformation', v.object({ a: v.pipe(v.string(), v.transform(Number)) })],
    ['a transformation in an inner pipe', v.pipe(v.pipe(v.string(), v.transform(Number)), v.minValue(1))],
    ['a fallback', v.object({ a: v.fallback(v.string(), '') })],
    ['a recursion', v.object({ a: v.lazy(() => v.string()) })],
    ['custom', v.custom(() => true)],
    ['an asynchronous schema', v.objectAsync({ a: v.string() })],
    ['a stateful expression', v.pipe(v.string(), v.regex(/a/g))],
    ['a key of every object', v.object({ toString: v.optional(v.string()) })],
    [
      'objects of which the first may be incomplete',
      v.union([v.object({ a: v.string() }), v.object({ b: v.string() })]),
    ],
    ['another vendor', { '~standard': { version: 1, vendor: 'other', validate: (value: unknown) => ({ value }) } }],
  ]
  it.each(unknown)('does not compile %s', (_name, schema) => {
    expect(compileAccept(schema)).toBeNull()
  })

  it('returns the input itself where nothing changes, and a copy of valibot where a key is dropped', () => {
    const validate = compileValidate(v.object({ a: v.string(), b: v.optional(v.number()) }))
    const input = { a: 'x' }
    expect(validate?.(input)).toBe(input)
    expect(validate?.({ a: 'x', c: 1 })).toEqual({ a: 'x' })
    expect(Object.keys(validate?.({ b: 1, a: 'x' }) ?? {})).toEqual(['a', 'b'])
  })

  it('leaves an input alone that may be shared: what a mapping returned', () => {
    const shared = Object.freeze({ a: 'x' })
    const input = compileValidate(v.object({ a: v.string() }), false)?.(shared)
    expect(input).toEqual(shared)
    expect(input).not.toBe(shared)
  })
})

function answerOf(validate: ReturnType<typeof compileValidate>, value: unknown): unknown {
  try {
    return { value: validate?.(value) }
  } catch (error) {
    return { error: String(error), details: error instanceof Error && 'details' in error ? error.details : null }
  }
}
