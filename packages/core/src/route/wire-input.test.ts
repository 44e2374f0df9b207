import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { AppError } from '../errors/app-error.ts'
import { compileValidate } from './pipeline.ts'
import { compileWireInput } from './wire-input.ts'

const text = '2024-02-29T12:00:00.000Z'
const noon = new Date(text)
const bytes = Uint8Array.of(1, 2, 3)

function convert(schema: v.GenericSchema<unknown, unknown>, value: unknown): unknown {
  const wire = compileWireInput(schema, 'The input')
  return wire === null ? value : wire.convert(value)
}

/** The issues of a rejected input. */
function issuesOf(schema: v.GenericSchema<unknown, unknown>, value: unknown): unknown {
  try {
    compileValidate(schema)?.(value)
  } catch (error) {
    if (AppError.is(error)) return error.details
    throw error
  }
  return null
}

describe('text becomes what the schema expects', () => {
  test.each<[string, v.GenericSchema<unknown, unknown>, unknown, unknown]>([
    ['a date-time', v.date(), text, noon],
    ['a date', v.date(), '2024-02-29', new Date('2024-02-29T00:00:00Z')],
    ['with an offset', v.date(), '2024-02-29T13:00:00+01:00', noon],
    ['a year of six digits', v.date(), '+012024-02-29T12:00:00Z', new Date('+012024-02-29T12:00:00Z')],
    ['an instance of Date', v.instance(Date), text, noon],
    ['a bigint', v.bigint(), '9007199254740993', 9007199254740993n],
    ['a negative one', v.bigint(), '-7', -7n],
    ['a zero with a sign', v.bigint(), '-0', 0n],
    ['the longest one', v.bigint(), '9'.repeat(1024), BigInt('9'.repeat(1024))],
    ['a literal', v.literal(7n), '7', 7n],
    ['an option of a picklist', v.picklist([1n, 2n, 'none']), '2', 2n],
    ['bytes', v.instance(Uint8Array), 'AQID', bytes],
    ['no bytes', v.instance(Uint8Array), '', new Uint8Array()],
    ['a Buffer', v.instance(Buffer), 'AQID', Buffer.of(1, 2, 3)],
  ])('%s', (_name, schema, sent, value) => {
    expect(convert(schema, sent)).toStrictEqual(value)
    expect(v.is(schema, convert(schema, sent))).toBe(true)
    // At any depth.
    expect(convert(v.object({ a: v.array(v.object({ b: schema })) }), { a: [{ b: sent }] })).toStrictEqual({
      a: [{ b: value }],
    })
  })

  test.each<[string, v.GenericSchema<unknown, unknown>, unknown]>([
    ['a day that does not exist', v.date(), '2024-02-30'],
    ['a time without an offset', v.date(), '2024-02-29T12:00:00'],
    ['space around it', v.date(), ` ${text}`],
    ['another form of a date', v.date(), 'Thu, 29 Feb 2024 12:00:00 GMT'],
    ['a number of milliseconds', v.date(), 1709208000000],
    ['an empty text', v.date(), ''],
    ['an exponent', v.bigint(), '1e3'],
    ['a fraction', v.bigint(), '1.0'],
    ['hexadecimal', v.bigint(), '0x10'],
    ['a leading zero', v.bigint(), '07'],
    ['a plus sign', v.bigint(), '+7'],
    ['space before it', v.bigint(), ' 7'],
    ['no digits', v.bigint(), ''],
    ['too many digits', v.bigint(), '9'.repeat(1025)],
    ['a JSON number', v.bigint(), 7],
    ['another literal', v.literal(7n), '8'],
    ['a string that is an option itself', v.picklist([1n, '1']), '1'],
    ['bytes without padding', v.instance(Uint8Array), 'AQ'],
    ['bytes of another alphabet', v.instance(Uint8Array), '-_-_'],
    ['bits that are left over', v.instance(Uint8Array), 'AR=='],
    ['a line break', v.instance(Uint8Array), 'AQ\nID'],
    ['too much padding', v.instance(Uint8Array), 'AQID===='],
    ['another class', v.instance(Uint16Array), 'AQID'],
    ['an array of numbers', v.instance(Uint8Array), [1, 2, 3]],
  ])('but not %s', (_name, schema, sent) => {
    expect(convert(schema, sent)).toBe(sent)
  })

  test('and what is a value already stays it', () => {
    for (const [schema, value] of [
      [v.date(), noon],
      [v.bigint(), 7n],
      [v.instance(Uint8Array), bytes],
    ] as const)
      expect(convert(schema, value)).toBe(value)
  })
})

describe('everywhere in a schema', () => {
  const d = v.date()
  test.each<[string, v.GenericSchema<unknown, unknown>, unknown, unknown]>([
    ['optional', v.object({ a: v.optional(d), b: v.optional(d) }), { a: text }, { a: noon }],
    ['nullable', v.array(v.nullable(d)), [null, text], [null, noon]],
    ['nullish with a default', v.nullish(d, noon), undefined, undefined],
    ['required again', v.nonNullish(v.nullish(d)), text, noon],
    ['a tuple', v.tuple([v.string(), d]), [text, text], [text, noon]],
    ['the rest of a tuple', v.tupleWithRest([v.string()], d), [text, text, text], [text, noon, noon]],
    ['a record', v.record(v.string(), d), { a: text, b: text }, { a: noon, b: noon }],
    ['a strict object', v.strictObject({ at: d }), { at: text }, { at: noon }],
    ['a loose object', v.looseObject({ at: d }), { at: text, on: text }, { at: noon, on: text }],
    ['the rest of an object', v.objectWithRest({ a: v.string() }, d), { a: text, b: text }, { a: text, b: noon }],
    ['the first of a pipe', v.pipe(d, v.minValue(new Date(0))), text, noon],
    ['a pipe of pipes', v.pipe(v.pipe(v.bigint(), v.minValue(0n)), v.brand('id')), '7', 7n],
    [
      'all of several',
      v.intersect([v.object({ a: d }), v.object({ b: v.bigint() })]),
      { a: text, b: '7' },
      { a: noon, b: 7n },
    ],
    ['what has a fallback', v.object({ at: v.fallback(d, new Date(0)) }), { at: text }, { at: noon }],
    ['an asynchronous object', v.objectAsync({ at: d }) as unknown as typeof d, { at: text }, { at: noon }],
  ])('%s', (_name, schema, sent, value) => {
    const before = structuredClone(sent)
    expect(convert(schema, sent)).toStrictEqual(value)
    expect(sent, 'what was sent is not changed').toStrictEqual(before)
  })

  test('the order of keys stays', () => {
    const schema = v.looseObject({ b: d, a: d })
    expect(Object.keys(convert(schema, { x: 1, a: text, y: 2, b: text }) as object)).toEqual(['x', 'a', 'y', 'b'])
  })

  test('recursion', () => {
    interface Tree {
      readonly at: Date
      readonly children: readonly Tree[]
    }
    const Tree: v.GenericSchema<Tree> = v.object({ at: d, children: v.array(v.lazy(() => Tree)) })
    const sent = { at: text, children: [{ at: text, children: [{ at: text, children: [] }] }] }
    const value = { at: noon, children: [{ at: noon, children: [{ at: noon, children: [] }] }] }
    expect(convert(Tree, sent)).toStrictEqual(value)
    // A schema that is new each time.
    const fresh = (): v.GenericSchema<unknown> => v.object({ at: d, children: v.array(v.lazy(fresh)) })
    expect(convert(fresh(), sent)).toStrictEqual(value)
    // One that depends on the input.
    const either = v.lazy((input) => (typeof input === 'string' ? d : v.object({ at: d })))
    expect(convert(v.array(either), [text, { at: text }])).toStrictEqual([noon, { at: noon }])
  })

  test('recursion without these types is not looked at', () => {
    const Plain: v.GenericSchema<unknown> = v.object({ name: v.string(), children: v.array(v.lazy(() => Plain)) })
    expect(compileWireInput(Plain, '')).toBeNull()
    const fresh = (): v.GenericSchema<unknown> => v.object({ a: v.lazy(fresh), b: v.lazy(fresh), c: v.lazy(fresh) })
    expect(compileWireInput(fresh(), '')).toBeNull()
  })

  test('a key that would be a prototype is not changed', () => {
    const sent = JSON.parse(`{"__proto__":"${text}","at":"${text}"}`)
    const made = convert(v.record(v.string(), d), sent) as object
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
    expect(made).toHaveProperty('at', noon)
  })
})

describe('of several types', () => {
  const d = v.date()
  test.each<[string, v.GenericSchema<unknown, unknown>, unknown, unknown]>([
    ['a string stays one', v.union([v.string(), d]), text, text],
    ['in any order', v.union([d, v.string()]), text, text],
    ['where the schema takes the string', v.union([v.pipe(v.string(), v.email()), d]), text, noon],
    ['and not otherwise', v.union([v.pipe(v.string(), v.email()), d]), 'a@b.co', 'a@b.co'],
    ['a literal string', v.union([v.literal('now'), d]), 'now', 'now'],
    ['a number stays one', v.union([v.number(), v.bigint()]), 7, 7],
    ['by the form of the text', v.array(v.union([d, v.bigint()])), [text, '7'], [noon, 7n]],
    ['a value or a list', v.union([d, v.array(d)]), [text], [noon]],
    [
      'by a key',
      v.array(
        v.variant('kind', [
          v.object({ kind: v.literal('a'), it: d }),
          v.object({ kind: v.literal('b'), it: v.string() }),
          v.object({ kind: v.picklist(['c', 'd']), it: v.bigint() }),
        ]),
      ),
      [
        { kind: 'a', it: text },
        { kind: 'b', it: text },
        { kind: 'd', it: '7' },
      ],
      [
        { kind: 'a', it: noon },
        { kind: 'b', it: text },
        { kind: 'd', it: 7n },
      ],
    ],
    [
      'by a key in a variant',
      v.variant('kind', [
        v.variant('type', [
          v.object({ kind: v.literal('a'), type: v.literal('x'), it: d }),
          v.object({ kind: v.literal('a'), type: v.literal('y'), it: v.string() }),
        ]),
        v.object({ kind: v.literal('b'), it: v.bigint() }),
      ]),
      { kind: 'a', type: 'y', it: text },
      { kind: 'a', type: 'y', it: text },
    ],
    [
      'by what fits',
      v.array(v.union([v.strictObject({ at: d }), v.strictObject({ id: v.bigint() }), v.null()])),
      [{ at: text }, { id: '7' }, null],
      [{ at: noon }, { id: 7n }, null],
    ],
    [
      'by the first that fits',
      v.union([v.object({ a: d }), v.object({ b: v.optional(v.string()) })]),
      { a: text },
      { a: noon },
    ],
    [
      'also without deciding, where the schema is asynchronous',
      v.unionAsync([
        v.pipeAsync(
          d,
          v.checkAsync(async () => true),
        ),
        v.null(),
      ]) as unknown as typeof d,
      text,
      noon,
    ],
  ])('%s', (_name, schema, sent, value) => {
    expect(convert(schema, sent)).toStrictEqual(value)
  })

  test('a union of bytes and bigints does not boot', () => {
    const inner = v.object({ list: v.array(v.nullable(v.union([v.instance(Uint8Array), v.optional(v.bigint())]))) })
    expect(() => compileWireInput(inner, 'Route X: its input')).toThrow(BootError)
    expect(() => compileWireInput(inner, 'Route X: its input')).toThrow(
      'Route X: its input.list.* is a union of bytes and bigints, and text such as 1234 may be both: send each under a key of its own',
    )
    expect(compileWireInput(v.union([v.instance(Uint8Array), v.object({ id: v.bigint() })]), '')).not.toBeNull()
    // Where any string is valid, it stays one.
    expect(convert(v.union([v.instance(Uint8Array), v.bigint(), v.string()]), '1234')).toBe('1234')
  })
})

describe('costs nothing', () => {
  test.each<[string, v.GenericSchema<unknown, unknown>]>([
    ['strings and numbers', v.object({ a: v.string(), b: v.optional(v.number()), c: v.array(v.boolean()) })],
    ['a date as text', v.pipe(v.string(), v.isoTimestamp())],
    [
      'a date that the schema makes',
      v.pipe(
        v.string(),
        v.isoTimestamp(),
        v.transform((it) => new Date(it)),
        v.date(),
      ),
    ],
    ['a file', v.object({ a: v.file(), b: v.blob() })],
    ['anything', v.unknown()],
  ])('where there is nothing to convert: %s', (_name, schema) => {
    expect(compileWireInput(schema, '')).toBeNull()
  })

  test('where the structure is not known', () => {
    const date = v.date()['~standard']
    expect(compileWireInput({ '~standard': { ...date, vendor: 'other' } }, '')).toBeNull()
  })
})

describe('what does not fit is answered with what to send', () => {
  const date = 'Must be an ISO 8601 date-time such as 2024-02-29T12:00:00Z, or a date such as 2024-02-29'
  const integer = 'Must be a decimal integer as text, such as "42"'
  const base64 = 'Must be base64 with padding, such as "AQID"'

  test('by path', () => {
    const schema = v.object({
      at: v.date(),
      ids: v.array(v.bigint()),
      file: v.object({ bytes: v.instance(Uint8Array) }),
      name: v.string(),
      maybe: v.nullish(v.date()),
    })
    expect(issuesOf(schema, { at: 17, ids: ['7', 8, '1e3'], file: { bytes: 'AQ' }, name: 1, maybe: 'soon' })).toEqual([
      { path: 'at', message: date },
      { path: 'ids[1]', message: integer },
      { path: 'ids[2]', message: integer },
      { path: 'file.bytes', message: base64 },
      { path: 'name', message: 'Invalid type: Expected string but received 1' },
      { path: 'maybe', message: date },
    ])
    expect(issuesOf(schema, { ids: [], file: { bytes: '' }, name: '' })).toEqual([
      { path: 'at', message: 'Invalid key: Expected "at" but received undefined' },
    ])
  })

  test('in a union', () => {
    expect(issuesOf(v.union([v.date(), v.number()]), 'soon')).toEqual([
      {
        path: '',
        message:
          'Must be one of: an ISO 8601 date-time such as 2024-02-29T12:00:00Z, or a date such as 2024-02-29; number',
      },
    ])
    // What was right is not in the answer.
    const option = v.object({ at: v.date(), n: v.number() })
    expect(issuesOf(v.union([option, v.null()]), { at: text, n: 'x' })).toHaveLength(1)
    expect(
      issuesOf(v.variant('kind', [v.object({ kind: v.literal('a'), at: v.date(), n: v.number() })]), {
        kind: 'a',
        at: text,
        n: 'x',
      }),
    ).toEqual([{ path: 'n', message: 'Invalid type: Expected number but received "x"' }])
  })

  test('unless the application has a message of its own', () => {
    expect(issuesOf(v.object({ at: v.date('When?') }), { at: 'soon' })).toEqual([{ path: 'at', message: 'When?' }])
    const late = v.pipe(v.date(), v.maxValue(new Date(0), 'Too late'))
    expect(issuesOf(v.object({ at: late }), { at: text })).toEqual([{ path: 'at', message: 'Too late' }])
  })
})
