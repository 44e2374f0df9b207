import fc from 'fast-check'
import * as v from 'valibot'

/** A schema with inputs that are likely to fit it. */
export interface Sample {
  readonly schema: v.GenericSchema
  readonly inputs: fc.Arbitrary<unknown>
}

type Samples = fc.Arbitrary<Sample>

const sample = (schema: v.GenericSchema, inputs: fc.Arbitrary<unknown>): Sample => ({ schema, inputs })
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 6 })
const textLike = fc.oneof(
  text,
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.constantFrom('', ' a ', 'AB', 'a.b@c.de', '12', '2024-02-29', '09:30', '1.2.3.4', 'x'.repeat(40)),
)

const strings: Samples = fc.constantFrom(
  sample(v.string(), textLike),
  sample(v.pipe(v.string(), v.minLength(2), v.maxLength(4)), textLike),
  sample(v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(2)), textLike),
  sample(v.pipe(v.string(), v.maxLength(3), v.toLowerCase(), v.maxLength(2)), textLike),
  sample(v.pipe(v.string(), v.length(2)), textLike),
  sample(v.pipe(v.string(), v.nonEmpty()), textLike),
  sample(v.pipe(v.string(), v.regex(/^[a-c]+$/i)), fc.oneof(textLike, fc.constantFrom('abC', 'd', 'A'))),
  sample(v.pipe(v.string(), v.regex(/^[\w-.]+$/)), fc.oneof(textLike, fc.constantFrom('a-b.c', '!'))),
  sample(v.pipe(v.string(), v.regex(/^a/), v.regex(/b$/u)), fc.constantFrom('ab', 'a', 'b', 'acb')),
  sample(v.pipe(v.string(), v.startsWith('a.'), v.endsWith('(b')), fc.constantFrom('a.(b', 'ax(b', 'a.b', 'a.x(b')),
  sample(v.pipe(v.string(), v.includes('$')), fc.constantFrom('$', 'a$b', 'ab')),
  sample(v.pipe(v.string(), v.email()), fc.oneof(textLike, fc.emailAddress())),
  sample(
    v.pipe(v.string(), v.uuid()),
    fc.oneof(
      textLike,
      fc.uuid(),
      fc.uuid().map((id) => id.toUpperCase()),
    ),
  ),
  sample(v.pipe(v.string(), v.ip()), fc.oneof(textLike, fc.ipV4(), fc.ipV6())),
  sample(v.pipe(v.string(), v.ipv6()), fc.oneof(textLike, fc.ipV6(), fc.constantFrom('::1', '::G'))),
  sample(v.pipe(v.string(), v.url()), fc.oneof(textLike, fc.webUrl())),
  sample(v.pipe(v.string(), v.isoDate()), fc.constantFrom('2024-02-29', '2024-02-31', '2024-13-01', 'x')),
  sample(v.pipe(v.string(), v.isoTime()), fc.constantFrom('09:30', '09:30:00', '9:30', '25:00')),
  sample(
    v.pipe(v.string(), v.isoDateTime()),
    fc.constantFrom('2024-02-29T09:30', '2024-02-29 09:30', '2024-02-29T09:30:00Z'),
  ),
  sample(
    v.pipe(v.string(), v.isoTimestamp()),
    fc.constantFrom('2024-02-29T09:30:00Z', '2024-02-29T09:30:00.123+02:00', '2024-02-29'),
  ),
  sample(v.pipe(v.string(), v.base64()), fc.oneof(textLike, fc.base64String())),
  sample(v.pipe(v.string(), v.hexColor()), fc.constantFrom('#fff', '#FFAA00', 'fff', '#ggg')),
  sample(v.pipe(v.string(), v.ulid()), fc.oneof(textLike, fc.ulid())),
  sample(
    v.pipe(
      v.string(),
      v.check((value) => value !== 'no', 'Not no'),
    ),
    fc.constantFrom('no', 'yes'),
  ),
  sample(v.pipe(v.string(), v.brand('Name'), v.readonly()), textLike),
  sample(v.pipe(v.string(), v.transform(Number), v.number(), v.minValue(3)), fc.constantFrom('1', '4', 'x')),
  sample(v.pipe(v.string(), v.notValue('x'), v.description('Not x')), fc.constantFrom('x', 'y')),
  sample(v.pipe(v.string(), v.values(['a', 'b'])), fc.constantFrom('a', 'b', 'c')),
)

const numberLike = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, 1, 1.5, 2, 3, 6, -1, 2 ** 53, 0.3),
)
const numbers: Samples = fc.constantFrom(
  sample(v.number(), numberLike),
  sample(v.pipe(v.number(), v.integer()), numberLike),
  sample(v.pipe(v.number(), v.safeInteger()), numberLike),
  sample(v.pipe(v.number(), v.minValue(1), v.maxValue(5)), numberLike),
  sample(v.pipe(v.number(), v.gtValue(1), v.ltValue(5)), numberLike),
  sample(v.pipe(v.number(), v.integer(), v.multipleOf(2), v.multipleOf(3)), numberLike),
  sample(v.pipe(v.number(), v.finite(), v.notValues([1, 2])), numberLike),
  sample(
    v.pipe(
      v.number(),
      v.check((value) => value !== 3),
    ),
    numberLike,
  ),
  sample(v.pipe(v.number(), v.toMaxValue(5), v.minValue(2)), numberLike),
)

const scalars: Samples = fc.oneof(
  strings,
  numbers,
  fc.constantFrom(
    sample(v.boolean(), fc.boolean()),
    sample(v.null(), fc.constant(null)),
    sample(v.literal('on'), fc.constantFrom('on', 'off')),
    sample(v.literal(7), fc.constantFrom(7, 8, '7')),
    sample(v.literal(7n), fc.constantFrom(7, '7', '8')),
    sample(v.picklist(['a', 'b']), fc.constantFrom('a', 'b', 'c')),
    sample(v.picklist([1, 'b', 2]), fc.constantFrom(1, 2, 3, 'b')),
    sample(v.picklist([1n, 2n]), fc.constantFrom(1, '1', '2', '3')),
    sample(v.enum({ One: 'one', Two: 'two' }), fc.constantFrom('one', 'One')),
    sample(v.bigint(), fc.constantFrom('12', '-3', '012', 'x', 12, '1.0')),
    sample(
      v.date(),
      fc.constantFrom(
        '2024-02-29',
        '2024-02-29T12:00:00Z',
        '2024-02-29T12:00Z',
        '2024-02-29T12:00:00',
        'x',
        5,
        '2024-02-29T12:00:00.123456789+01:00',
      ),
    ),
    sample(v.pipe(v.date(), v.minValue(new Date('2024-01-01'))), fc.constantFrom('2024-02-29', '2023-01-01')),
    sample(v.unknown(), fc.jsonValue({ maxDepth: 1 })),
    sample(v.any(), fc.jsonValue({ maxDepth: 1 })),
    sample(
      v.custom<string>((value) => value === 'secret'),
      fc.constantFrom('secret', 'other'),
    ),
    sample(v.fallback(v.number(), 3), fc.oneof(fc.integer(), fc.string())),
  ),
)

interface Tree {
  value: number
  left?: Tree | undefined
  right?: Tree | null | undefined
}
const tree: v.GenericSchema<Tree> = v.object({
  value: v.number(),
  left: v.optional(v.lazy(() => tree)),
  right: v.nullish(v.lazy(() => tree)),
})
const trees = sample(
  tree,
  fc.constantFrom(
    { value: 1 },
    { value: 1, left: { value: 2 } },
    { value: 1, right: null },
    { value: 1, left: {} },
    { value: 1, left: null },
  ),
)

const keys = ['a', 'b', 'c'] as const

function entriesOf(entries: readonly Sample[]): {
  schemas: Record<string, v.GenericSchema>
  inputs: fc.Arbitrary<object>
} {
  const schemas = Object.fromEntries(entries.map(({ schema }, i) => [keys[i] ?? 'z', schema]))
  const full = fc.record(Object.fromEntries(entries.map(({ inputs }, i) => [keys[i] ?? 'z', inputs])))
  const partial = fc.record(Object.fromEntries(entries.map(({ inputs }, i) => [keys[i] ?? 'z', inputs])), {
    requiredKeys: [],
  })
  return {
    schemas,
    inputs: fc.oneof(
      { weight: 3, arbitrary: full },
      partial,
      full.map((value) => ({ ...value, extra: 1 })),
    ),
  }
}

// A union of bytes and bigints is a boot error, so bytes are never an option of one.
const bytes = sample(
  v.strictObject({ bytes: v.instance(Uint8Array) }),
  fc.record({ bytes: fc.constantFrom('AQID', 'AQ==', 'AR==', 'AQ', '', '====', 3) }),
)

/** Schemas of any JSON value, three levels deep at most. */
export const samples: Samples = fc.letrec<{ any: Sample; object: Sample }>((tie) => {
  const inner: Samples = tie('any')
  const wrapped = inner.chain(({ schema, inputs }) =>
    fc.constantFrom<Sample>(
      sample(v.optional(schema), inputs),
      sample(v.nullable(schema), fc.oneof(inputs, fc.constant(null))),
      sample(v.nullish(schema), fc.oneof(inputs, fc.constant(null))),
      sample(v.exactOptional(schema), inputs),
      sample(v.nonOptional(v.optional(schema)), inputs),
      sample(v.nonNullish(v.nullish(schema)), fc.oneof(inputs, fc.constant(null))),
      sample(v.nonNullable(v.nullable(schema)), fc.oneof(inputs, fc.constant(null))),
    ),
  )
  const defaults = fc.constantFrom<Sample>(
    sample(v.optional(v.string(), 'x'), textLike),
    sample(
      v.optional(v.number(), () => 3),
      numberLike,
    ),
    sample(v.nullish(v.number(), null), fc.oneof(numberLike, fc.constant(null))),
    sample(v.optional(v.date(), new Date(0)), fc.constantFrom('2024-02-29', 'x')),
  )
  const lists = inner.chain(({ schema, inputs }) =>
    fc.constantFrom<Sample>(
      sample(v.array(schema), fc.array(inputs, { maxLength: 3 })),
      sample(v.pipe(v.array(schema), v.minLength(1), v.maxLength(2)), fc.array(inputs, { maxLength: 3 })),
      sample(
        v.tuple([schema, v.optional(v.number())]),
        fc.oneof(
          fc.tuple(inputs),
          fc.tuple(inputs, numberLike),
          fc.tuple(inputs, numberLike, fc.string()),
          fc.constant([]),
        ),
      ),
      sample(v.strictTuple([schema]), fc.oneof(fc.tuple(inputs), fc.tuple(inputs, numberLike))),
      sample(
        v.tupleWithRest([schema], v.number()),
        fc.oneof(fc.tuple(inputs, numberLike, numberLike), fc.tuple(inputs, fc.string())),
      ),
      sample(v.record(v.string(), schema), fc.dictionary(fc.constantFrom('x', 'y'), inputs)),
      sample(v.record(v.picklist(['x', 'y']), schema), fc.dictionary(fc.constantFrom('x', 'y', 'z'), inputs)),
      sample(
        v.pipe(v.record(v.pipe(v.string(), v.maxLength(1)), schema), v.maxEntries(1)),
        fc.dictionary(fc.constantFrom('x', 'y', 'zz'), inputs),
      ),
    ),
  )
  const unions = fc
    .tuple(inner, inner)
    .chain(([a, b]) =>
      fc.constantFrom<Sample>(
        sample(v.union([a.schema, b.schema]), fc.oneof(a.inputs, b.inputs)),
        sample(
          v.variant('kind', [
            v.object({ kind: v.literal('a'), value: a.schema }),
            v.strictObject({ kind: v.picklist(['b', 'c']), value: b.schema }),
          ]),
          fc.record({ kind: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.oneof(a.inputs, b.inputs) }),
        ),
        sample(
          v.intersect([v.object({ a: a.schema }), v.object({ b: b.schema })]),
          fc.record({ a: a.inputs, b: b.inputs }, { requiredKeys: ['a'] }),
        ),
      ),
    )
  return {
    any: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'schema' },
      scalars,
      wrapped,
      defaults,
      lists,
      unions,
      tie('object'),
      fc.constant(trees),
      fc.constant(bytes),
    ),
    object: fc.array(inner, { minLength: 1, maxLength: 3 }).chain((entries) => {
      const { schemas, inputs } = entriesOf(entries)
      return fc.constantFrom<Sample>(
        sample(v.object(schemas), inputs),
        sample(v.strictObject(schemas), inputs),
        sample(v.looseObject(schemas), inputs),
        sample(v.objectWithRest(schemas, v.number()), inputs),
        sample(v.partial(v.object(schemas)), inputs),
        sample(v.required(v.partial(v.object(schemas))), inputs),
        sample(v.pipe(v.object(schemas), v.title('Thing'), v.description('A thing')), inputs),
        sample(
          v.pipe(
            v.object(schemas),
            v.check(() => true),
            v.maxEntries(4),
          ),
          inputs,
        ),
      )
    }),
  }
}).any

/** Inputs of a sample: most fit it, some are anything. */
export function inputsOf({ inputs }: Sample): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: inputs }, fc.jsonValue({ maxDepth: 2 }))
}
