import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test, vi } from 'vitest'
import type { AnySchema } from '../base/schema.ts'
import type { QueryRecord } from '../call/call.ts'
import { type Coercion, compileCoercion } from './coerce.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

/** What one value under the key `x` becomes. */
function coerceOne(schema: v.GenericSchema, text: string | readonly string[]): unknown {
  return compileCoercion(v.object({ x: schema }))({ x: text })['x']
}

const day = new Date('2024-02-29T00:00:00Z')
interface Tree {
  readonly value: number
  readonly children: readonly Tree[]
}
const tree: v.GenericSchema<Tree> = v.object({ value: v.number(), children: v.array(v.lazy(() => tree)) })
const endless: v.GenericSchema = v.lazy(() => v.union([v.number(), endless]))
const everNew = (): v.GenericSchema => v.lazy(() => v.union([everNew(), v.number()]))

describe('of a valibot schema', () => {
  test.each<[string, v.GenericSchema, string | string[], unknown]>([
    ['number', v.number(), '7', 7],
    ['number: no numeral', v.number(), '0x10', '0x10'],
    ['number: empty', v.number(), '', ''],
    ['number: not exact', v.number(), '9007199254740993', '9007199254740993'],
    ['boolean', v.boolean(), 'true', true],
    ['boolean 0', v.boolean(), '0', false],
    ['bigint', v.bigint(), '9007199254740993', 9007199254740993n],
    ['date', v.date(), '2024-02-29', day],
    ['date: none', v.date(), '2024-02-30', '2024-02-30'],
    ['string', v.string(), '7', '7'],
    ['unknown', v.unknown(), '7', '7'],
    ['custom', v.custom<`${number}`>((value) => typeof value === 'string'), '7', '7'],
    ['optional', v.optional(v.number(), 1), '7', 7],
    ['exactOptional', v.exactOptional(v.number()), '7', 7],
    ['undefinedable', v.undefinedable(v.number()), '7', 7],
    ['nullable', v.nullable(v.number()), '7', 7],
    ['nullish', v.nullish(v.number()), '7', 7],
    ['nonNullish', v.nonNullish(v.nullish(v.number())), '7', 7],
    ['null is a string', v.nullish(v.number()), 'null', 'null'],
    ['null alone', v.null(), 'null', 'null'],
    ['pipe: its first schema', v.pipe(v.number(), v.integer(), v.minValue(1)), '7', 7],
    ['pipe: a number made of a string', v.pipe(v.string(), v.transform(Number), v.number()), '7', '7'],
    ['pipe in pipe', v.pipe(v.optional(v.pipe(v.number(), v.integer())), v.description('n')), '7', 7],
    ['fallback', v.fallback(v.number(), 0), '7', 7],
    ['union with string', v.union([v.number(), v.string()]), '7', '7'],
    ['union', v.union([v.number(), v.boolean()]), 'true', true],
    ['union: 1 is a number first', v.union([v.boolean(), v.number()]), '1', 1],
    ['union of number and bigint', v.union([v.bigint(), v.number()]), '7', 7],
    ['union of number and bigint, large', v.union([v.number(), v.bigint()]), '9007199254740993', 9007199254740993n],
    ['union with literals', v.union([v.literal('all'), v.number()]), 'all', 'all'],
    ['union with literals, number', v.union([v.literal('all'), v.number()]), '7', 7],
    ['union with the same literal', v.union([v.literal('7'), v.number()]), '7', '7'],
    ['union of null and number', v.union([v.null(), v.number()]), '7', 7],
    ['union with custom', v.union([v.custom(() => true), v.number()]), '7', '7'],
    ['literal', v.literal(7), '7', 7],
    ['literal: another', v.literal(7), '8', '8'],
    ['literal true', v.literal(true), 'true', true],
    ['literal true, false given', v.literal(true), 'false', 'false'],
    ['literal bigint', v.literal(7n), '7', 7n],
    ['picklist of numbers', v.picklist([10, 20]), '20', 20],
    ['picklist of numbers: another', v.picklist([10, 20]), '30', '30'],
    ['picklist of strings', v.picklist(['1', '2']), '1', '1'],
    ['enum', v.enum({ Low: 1, High: 2 }), '2', 2],
    ['array', v.array(v.number()), ['1', 'x', '3'], [1, 'x', 3]],
    ['array of one', v.array(v.number()), '1', [1]],
    ['array of strings', v.array(v.string()), '1', ['1']],
    ['array with an empty text', v.array(v.number()), '', ['']],
    ['optional array', v.optional(v.array(v.boolean())), ['1', '0'], [true, false]],
    ['array in a pipe', v.pipe(v.array(v.number()), v.maxLength(3)), '1', [1]],
    ['number or array', v.union([v.number(), v.array(v.number())]), '1', 1],
    ['number or array: array', v.union([v.number(), v.array(v.number())]), ['1', '2'], [1, 2]],
    ['string or array', v.union([v.string(), v.array(v.number())]), '1', '1'],
    ['one of two arrays', v.union([v.array(v.number()), v.array(v.string())]), ['1'], ['1']],
    ['tuple', v.tuple([v.number(), v.string(), v.boolean()]), ['1', '2', '1'], [1, '2', true]],
    ['tuple with rest', v.tupleWithRest([v.string()], v.number()), ['1', '2', '3'], ['1', 2, 3]],
    ['no array wanted', v.number(), ['1', '2'], ['1', '2']],
    ['an object has no text', v.object({ a: v.number() }), '1', '1'],
    ['intersect', v.intersect([v.number(), v.unknown()]), '7', 7],
    ['lazy', v.lazy(() => v.number()), '7', 7],
    ['lazy that contains itself', endless, '7', 7],
    ['lazy that is ever new', everNew(), '7', 7],
    ['lazy that wants an input', v.lazy((input) => (input === undefined ? raise() : v.number())), '7', '7'],
  ])('%s', (_name, schema, text, expected) => {
    expect(coerceOne(schema, text)).toEqual(expected)
  })

  test.each<[string, AnySchema, QueryRecord, Record<string, unknown>]>([
    ['object', v.object({ a: v.number(), b: v.string() }), { a: '1', b: '2', c: '3' }, { a: 1, b: '2', c: '3' }],
    ['strictObject', v.strictObject({ a: v.number() }), { a: '1', c: '3' }, { a: 1, c: '3' }],
    ['looseObject', v.looseObject({ a: v.number() }), { a: '1', c: '3' }, { a: 1, c: '3' }],
    ['objectWithRest', v.objectWithRest({ a: v.string() }, v.number()), { a: '1', c: '3' }, { a: '1', c: 3 }],
    ['record', v.record(v.string(), v.number()), { a: '1', b: 'x' }, { a: 1, b: 'x' }],
    ['partial', v.partial(v.object({ a: v.number() })), { a: '1' }, { a: 1 }],
    [
      'pipe',
      v.pipe(
        v.object({ a: v.number() }),
        v.check(() => true),
      ),
      { a: '1' },
      { a: 1 },
    ],
    ['optional', v.optional(v.object({ a: v.number() }), { a: 1 }), { a: '1' }, { a: 1 }],
    ['lazy', v.lazy(() => v.object({ a: v.number() })), { a: '1' }, { a: 1 }],
    ['recursive', tree, { value: '1', children: '2' }, { value: 1, children: ['2'] }],
    [
      'intersect',
      v.intersect([v.object({ a: v.number() }), v.looseObject({ b: v.boolean() }), v.object({ a: v.unknown() })]),
      { a: '1', b: '1' },
      { a: 1, b: true },
    ],
    [
      'union',
      v.union([v.object({ a: v.number() }), v.object({ b: v.number(), a: v.optional(v.string()) }), v.string()]),
      { a: '1', b: '1' },
      { a: '1', b: 1 },
    ],
    ['string', v.string(), { a: '1' }, { a: '1' }],
    ['a key like toString', v.object({ a: v.number() }), { toString: '1' }, { toString: '1' }],
  ])('the whole input: %s', (_name, schema, strings, expected) => {
    expect(compileCoercion(schema)(strings)).toEqual(expected)
  })

  test('a variant is known by its key', () => {
    const shape = v.variant('kind', [
      v.object({ kind: v.literal('circle'), size: v.number() }),
      v.object({ kind: v.picklist(['text', 'label']), size: v.string() }),
      v.variant('sides', [
        v.object({ kind: v.literal('poly'), sides: v.literal(3), size: v.bigint() }),
        v.object({ kind: v.literal('poly'), sides: v.literal(4), size: v.boolean() }),
      ]),
    ])
    const coerce = compileCoercion(shape)
    expect(coerce({ kind: 'circle', size: '1' })).toEqual({ kind: 'circle', size: 1 })
    expect(coerce({ kind: 'label', size: '1' })).toEqual({ kind: 'label', size: '1' })
    expect(coerce({ kind: 'poly', sides: '3', size: '1' })).toEqual({ kind: 'poly', sides: 3, size: 1n })
    expect(coerce({ kind: 'poly', sides: '4', size: '1' })).toEqual({ kind: 'poly', sides: 4, size: true })
    expect(coerce({ kind: 'other', size: '1' })).toEqual({ kind: 'other', size: '1' })
    expect(coerce({ size: '1' })).toEqual({ size: '1' })
  })

  test('__proto__ goes nowhere', () => {
    const strings: QueryRecord = JSON.parse('{"__proto__":["1"],"a":"1"}')
    const input = compileCoercion(v.record(v.string(), v.number()))(strings)
    expect(Object.getPrototypeOf(input)).toBe(Object.prototype)
    expect(input).toEqual({ a: 1 })
  })
})

describe('of other schemas', () => {
  const foreign = (jsonSchema?: () => Record<string, unknown>): AnySchema => {
    const base = { version: 1, vendor: 'other', validate: (value: unknown) => ({ value }) } as const
    return {
      '~standard':
        jsonSchema === undefined
          ? base
          : Object.assign(base, { jsonSchema: { input: jsonSchema, output: jsonSchema } }),
    }
  }
  const coerceBy = (document: Record<string, unknown>): Coercion => compileCoercion(foreign(() => document))

  test.each<[string, Record<string, unknown>, string | string[], unknown]>([
    ['number', { type: 'number' }, '1.5', 1.5],
    ['integer', { type: 'integer' }, '1', 1],
    ['boolean', { type: 'boolean' }, 'false', false],
    ['string', { type: 'string' }, '1', '1'],
    ['a format is a string', { type: 'string', format: 'date-time' }, '2024-02-29', '2024-02-29'],
    ['null', { type: 'null' }, 'null', 'null'],
    ['two types', { type: ['number', 'null'] }, '1', 1],
    ['two types with string', { type: ['number', 'string'] }, '1', '1'],
    ['no type', {}, '1', '1'],
    ['enum', { enum: [1, 'a', null] }, '1', 1],
    ['typed enum', { type: 'number', enum: [1, 2] }, '3', '3'],
    ['enum of strings', { type: 'string', enum: ['1'] }, '1', '1'],
    ['const', { type: 'number', const: 1 }, '1', 1],
    ['anyOf', { anyOf: [{ type: 'number' }, { type: 'null' }] }, '1', 1],
    ['oneOf with string', { oneOf: [{ type: 'number' }, { type: 'string' }] }, '1', '1'],
    ['allOf', { allOf: [{ type: 'number' }, { minimum: 1 }] }, '1', 1],
    ['type beside anyOf', { type: 'number', anyOf: [{ minimum: 1 }, { maximum: -1 }] }, '1', 1],
    ['array', { type: 'array', items: { type: 'number' } }, '1', [1]],
    ['array of anything', { type: 'array' }, '1', ['1']],
    ['tuple', { type: 'array', prefixItems: [{ type: 'number' }], items: { type: 'boolean' } }, ['1', '1'], [1, true]],
    ['object', { type: 'object' }, '1', '1'],
    ['reference', { $ref: '#/$defs/a~1b' }, '1', 1],
    ['a reference to itself', { $ref: '#/$defs/loop' }, '1', '1'],
    ['a reference to nothing', { $ref: '#/$defs/none' }, '1', '1'],
    ['a reference elsewhere', { $ref: 'https://example.com' }, '1', '1'],
  ])('by JSON Schema: %s', (_name, property, text, expected) => {
    const $defs = { 'a/b': { type: 'number' }, loop: { $ref: '#/$defs/loop' } }
    expect(coerceBy({ type: 'object', properties: { x: property }, $defs })({ x: text })).toEqual({ x: expected })
  })

  test('by JSON Schema: the whole input', () => {
    const a = { type: 'object', properties: { a: { type: 'number' } } }
    const b = { type: 'object', properties: { b: { type: 'boolean' } }, additionalProperties: { type: 'number' } }
    expect(coerceBy({ allOf: [a, b] })({ a: '1', b: '1', c: '1' })).toEqual({ a: 1, b: true, c: 1 })
    expect(coerceBy({ anyOf: [a, { properties: { b: true } }] })({ a: '1', b: '1' })).toEqual({ a: 1, b: '1' })
    expect(coerceBy({ $ref: '#/$defs/a', $defs: { a } })({ a: '1' })).toEqual({ a: 1 })
  })

  test('a vendor that cannot describe its input leaves strings', () => {
    const unable = foreign(() => {
      throw new Error('bigint cannot be represented')
    })
    for (const schema of [unable, foreign(), null]) expect(compileCoercion(schema)({ a: '1' })).toEqual({ a: '1' })
  })

  test('unless the route names their types', () => {
    const types = { a: 'int', b: 'number', c: 'boolean', d: 'bigint', e: 'date' } as const
    const coerce = compileCoercion(foreign(), types)
    expect(coerce({ a: '1', b: '1.5', c: '1', d: '1', e: '2024-02-29', f: '1' })).toEqual({
      a: 1,
      b: 1.5,
      c: true,
      d: 1n,
      e: day,
      f: '1',
    })
    expect(coerce({ a: '1.0', b: 'x', c: '', d: '1.5', e: 'x' })).toEqual({ a: '1.0', b: 'x', c: '', d: '1.5', e: 'x' })
    expect(coerce({ a: ['1', 'x'] })).toEqual({ a: [1, 'x'] })
  })

  test('what the route names goes before the schema', () => {
    const schema = v.object({ a: v.string(), b: v.array(v.string()) })
    expect(compileCoercion(schema, { a: 'int', b: 'int' })({ a: '1', b: '2' })).toEqual({ a: 1, b: [2] })
  })

  test('a type that is none does not boot', () => {
    // A caller without types.
    const bad = { a: 'float' as 'number' }
    expect(() => compileCoercion(null, bad)).toThrow(
      `http.params.a must be one of int, number, boolean, bigint, date, received 'float'`,
    )
  })
})

describe('for every schema and every text', () => {
  const scalar = fc.constantFrom<v.GenericSchema>(
    v.number(),
    v.pipe(v.number(), v.integer(), v.minValue(0)),
    v.string(),
    v.pipe(v.string(), v.regex(/^\d+$/)),
    v.boolean(),
    v.bigint(),
    v.date(),
    v.literal(1),
    v.literal('1'),
    v.literal(true),
    v.literal(0n),
    v.picklist([0, 1, 2.5]),
    v.picklist(['1', 'true', 'x']),
    v.null(),
    v.unknown(),
  )
  const { schema } = fc.letrec<{ schema: v.GenericSchema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar,
      tie('schema').map((inner) => v.nullish(inner)),
      tie('schema').map((inner) => v.optional(inner)),
      tie('schema').map((inner) => v.lazy(() => inner)),
      fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((options) => v.union(options)),
      scalar.map((item) => v.array(item)),
      fc
        .array(scalar, { minLength: 1, maxLength: 2 })
        .map((items) => v.tuple([items[0] ?? v.never(), ...items.slice(1)])),
    ),
  }))
  const text = fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '1',
      '-1',
      '01',
      '1.0',
      '2.5',
      '1e3',
      'true',
      'false',
      'null',
      'x',
      'NaN',
      'Infinity',
      '0x1',
      '9007199254740993',
    ),
    fc.double().map(String),
    fc.bigInt().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.string({ unit: 'binary' }),
  )
  const runs = { numRuns: 5000 }

  test('a string that the schema takes as it is stays as it is', () => {
    fc.assert(
      fc.property(schema, text, (type, raw) => {
        if (v.safeParse(type, raw).success) expect(coerceOne(type, raw)).toBe(raw)
      }),
      runs,
    )
  })

  test('what is made of a string means what the string says', () => {
    const check = (made: unknown, raw: string): void => {
      if (typeof made === 'string') expect(made).toBe(raw)
      else if (typeof made === 'number') expect(JSON.parse(raw)).toBe(made)
      else if (typeof made === 'bigint') expect(BigInt(raw)).toBe(made)
      else if (typeof made === 'boolean') expect(made ? ['1', 'true'] : ['0', 'false']).toContain(raw)
      else expect((made as Date).getTime()).toBe(Date.parse(raw))
    }
    fc.assert(
      fc.property(schema, fc.oneof(text, fc.array(text, { maxLength: 3 })), (type, raw) => {
        const made = coerceOne(type, raw)
        const [strings, values] = [[raw].flat(), [made].flat()]
        expect(values).toHaveLength(strings.length)
        for (const [index, one] of strings.entries()) check(values[index], one)
      }),
      runs,
    )
  })

  test('numbers, booleans and bigints come back as they were', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.bigInt(),
        fc.string(),
        (n, b, i, s) => {
          const coerce = compileCoercion(v.object({ n: v.number(), b: v.boolean(), i: v.bigint(), s: v.string() }))
          expect(coerce({ n: String(n), b: String(b), i: String(i), s })).toEqual({ n: n === 0 ? 0 : n, b, i, s })
        },
      ),
      runs,
    )
  })
})

function raise(): never {
  throw new Error('no input yet')
}
