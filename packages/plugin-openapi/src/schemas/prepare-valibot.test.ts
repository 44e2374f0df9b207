import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { createSchemaConverter } from './json-schema.ts'
import type { Json, Side } from './node.ts'
import { toPattern } from './pattern.ts'

const converter = await createSchemaConverter((message) => {
  throw new Error(message)
})
const convert = (schema: v.GenericSchema, side: Side = 'input'): Json =>
  converter.convert(schema, side, 'draft-2020-12', 'A schema').schema

describe('a schema of valibot', () => {
  it.each<[string, v.GenericSchema, Json]>([
    [
      'trim',
      v.pipe(v.string(), v.minLength(1), v.trim(), v.minLength(3)),
      { type: 'string', minLength: 1, 'x-note': 'The server also applies: trim, min_length, to the result' },
    ],
    [
      'transform',
      v.pipe(v.string(), v.transform(Number)),
      { type: 'string', 'x-note': 'The server also applies: transform' },
    ],
    [
      'check',
      v.pipe(
        v.string(),
        v.check(() => true, 'Not free'),
      ),
      { type: 'string', 'x-note': 'The server also applies: check (Not free)' },
    ],
    ['brand, readonly', v.pipe(v.string(), v.brand('A'), v.readonly()), { type: 'string' }],
    [
      'two patterns',
      v.pipe(v.string(), v.regex(/^a/), v.endsWith('.b')),
      { type: 'string', pattern: '^a', allOf: [{ pattern: '\\.b$' }] },
    ],
    [
      'two multiples',
      v.pipe(v.number(), v.multipleOf(2), v.multipleOf(3)),
      { type: 'number', multipleOf: 2, allOf: [{ multipleOf: 3 }] },
    ],
    ['isoTime', v.pipe(v.string(), v.isoTime()), { type: 'string', pattern: '^(?:0\\d|1\\d|2[0-3]):[0-5]\\d$' }],
    ['literal(null)', v.literal(7n), { type: 'string', const: '7' }],
    [
      'a flag without an equivalent',
      v.pipe(v.string(), v.regex(/^a$/m)),
      { type: 'string', 'x-note': 'The server also applies: regex' },
    ],
    [
      'a default that is a function',
      v.optional(v.number(), () => 1),
      { type: 'number', 'x-note': 'The server chooses a value if it is left out' },
    ],
    ['a default', v.optional(v.bigint(), 3n), { ...convert(v.bigint()), default: '3' }],
    ['a custom schema', v.custom(() => true), { 'x-note': 'The server checks it with code: custom' }],
    [
      'metadata',
      v.pipe(v.string(), v.title('A'), v.description('B'), v.examples(['c'])),
      { type: 'string', title: 'A', description: 'B', examples: ['c'] },
    ],
  ])('%s', (_name, schema, expected) => {
    expect(convert(schema)).toEqual(expected)
  })

  it('is described as what is sent, on the side of the output', () => {
    expect(convert(v.optional(v.number(), 3), 'output')).toEqual({ type: 'number' })
    expect(convert(v.date(), 'output')).toEqual({ type: 'string', format: 'date-time' })
    expect(convert(v.pipe(v.string(), v.toDate()), 'output')).toEqual({ type: 'string', format: 'date-time' })
    expect(convert(v.pipe(v.string(), v.maxLength(9), v.trim(), v.minLength(1)), 'output')).toEqual({
      type: 'string',
      minLength: 1,
    })
    expect(convert(v.pipe(v.string(), v.transform(Number)), 'output')).toEqual({
      'x-note': 'What transform makes of it is not known',
    })
  })

  it('has a variant as anyOf, since options may overlap', () => {
    const schema = v.variant('a', [v.object({ a: v.string() }), v.object({ a: v.literal('x'), b: v.number() })])
    expect(Object.keys(convert(schema))).toEqual(['anyOf'])
  })

  it('has the optional items of a tuple not among those that are required, and keys of a picklist as names', () => {
    expect(convert(v.tuple([v.string(), v.optional(v.number())]))).toMatchObject({ minItems: 1 })
    expect(convert(v.record(v.picklist(['a', 'b']), v.number()))).toMatchObject({ propertyNames: { enum: ['a', 'b'] } })
  })

  it('has no end, or depends on the input: it is described as far as it can be', () => {
    const endless = (): v.GenericSchema => v.object({ next: v.lazy(endless) })
    expect(JSON.stringify(convert(endless()))).toContain('$ref')
    const dependent = v.lazy((input) => (input === 1 ? v.number() : v.string()))
    expect(convert(dependent)).toHaveProperty('$ref')
  })
})

describe('a regular expression', () => {
  it.each([
    [/^[a-f]+$/i, '^[a-fA-F]+$'],
    [/^\d(?:x|\w)$/i, '^\\d(?:[xX]|\\w)$'],
    [/^(?<year>\d{4})$/, '^(?<year>\\d{4})$'],
    [/^[\w-.]+$/, null],
    [/a/g, null],
    [/[A-z]/i, null],
    [/ß/i, null],
  ] as const)('%s is %s', (expression, pattern) => {
    expect(toPattern(expression)).toBe(pattern)
  })
})
