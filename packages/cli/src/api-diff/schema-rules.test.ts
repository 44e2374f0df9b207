import { describe, expect, it } from 'vitest'
import { describeDiffer, differ } from './changes.fixtures.ts'

const object = (properties: object, required: readonly string[] = [], more: object = {}) => ({
  type: 'object',
  properties,
  required,
  ...more,
})
const text = { type: 'string' }
const number = { type: 'number' }
const ref = (name: string) => ({ $ref: `#/$defs/${name}` })

/** What differs, as an input from old to new, and as an output from old to new. */
const rows: readonly (readonly [string, unknown, unknown, readonly string[], readonly string[]])[] = [
  ['another type', number, text, ['input-type body'], ['output-type body']],
  ['an integer that may have a fraction', { type: 'integer' }, number, ['input-relaxed body'], ['output-type body']],
  ['null as well', text, { type: ['string', 'null'] }, ['input-relaxed body'], ['output-type body']],
  ['null no longer', { anyOf: [text, { type: 'null' }] }, text, ['input-type body'], ['output-narrowed body']],
  ['null written otherwise', { anyOf: [text, { type: 'null' }] }, { type: ['null', 'string'] }, [], []],
  ['a value less', { enum: ['a', 'b'] }, { enum: ['a'] }, ['input-value body'], ['output-narrowed body']],
  ['a value more', { enum: ['a'] }, { enum: ['b', 'a'] }, ['input-relaxed body'], ['output-value body']],
  [
    'one value for another',
    { const: 1 },
    { const: 2 },
    ['input-value body', 'input-relaxed body'],
    ['output-value body', 'output-narrowed body'],
  ],
  ['values in another order', { enum: ['a', 'b'] }, { enum: ['b', 'a'] }, [], []],
  ['values instead of any text', text, { enum: ['a'] }, ['input-value body'], ['output-narrowed body']],
  [
    'a longer minimum',
    { ...text, minLength: 1 },
    { ...text, minLength: 2 },
    ['input-length body'],
    ['output-narrowed body'],
  ],
  [
    'a longer maximum',
    { ...text, maxLength: 1 },
    { ...text, maxLength: 2 },
    ['input-relaxed body'],
    ['output-length body'],
  ],
  [
    'a higher minimum',
    { ...number, minimum: 1 },
    { ...number, minimum: 2 },
    ['input-range body'],
    ['output-narrowed body'],
  ],
  [
    'an open minimum',
    { ...number, minimum: 1 },
    { ...number, exclusiveMinimum: 1 },
    ['input-range body'],
    ['output-narrowed body'],
  ],
  ['a minimum of integers', { type: 'integer', minimum: 1 }, { type: 'integer', exclusiveMinimum: 0 }, [], []],
  [
    'a lower maximum',
    { ...number, maximum: 9 },
    { ...number, maximum: 8 },
    ['input-range body'],
    ['output-narrowed body'],
  ],
  [
    'other steps',
    { ...number, multipleOf: 4 },
    { ...number, multipleOf: 2 },
    ['input-relaxed body'],
    ['output-check body'],
  ],
  [
    'another pattern',
    { ...text, pattern: '^a' },
    { ...text, pattern: '^b' },
    ['input-pattern body'],
    ['output-pattern body'],
  ],
  ['a pattern less', { ...text, pattern: '^a' }, text, ['input-relaxed body'], ['output-pattern body']],
  [
    'another format',
    { ...text, format: 'date' },
    { ...text, format: 'uuid' },
    ['input-format body'],
    ['output-format body'],
  ],
  ['a check in words', text, { ...text, 'x-note': 'The server also applies: check' }, ['input-check body'], []],
  [
    'a keyword of its own',
    { type: 'array' },
    { type: 'array', contains: text },
    ['input-check body'],
    ['output-narrowed body'],
  ],
  [
    'more items',
    { type: 'array', maxItems: 1 },
    { type: 'array', maxItems: 2 },
    ['input-relaxed body'],
    ['output-count body'],
  ],
  [
    'items that differ',
    { type: 'array' },
    { type: 'array', uniqueItems: true },
    ['input-check body'],
    ['output-narrowed body'],
  ],
  [
    'other items',
    { type: 'array', items: text },
    { type: 'array', items: number },
    ['input-type body[]'],
    ['output-type body[]'],
  ],
  [
    'a tuple of draft-07',
    { type: 'array', items: [text], additionalItems: false },
    { type: 'array', prefixItems: [text], items: false },
    [],
    [],
  ],
  [
    'a longer tuple',
    { type: 'array', prefixItems: [text], items: false },
    { type: 'array', prefixItems: [text, text], items: false },
    ['input-relaxed body'],
    ['output-count body'],
  ],
  [
    'a required key',
    object({ a: text }),
    object({ a: text }, ['a']),
    ['input-required body.a'],
    ['output-narrowed body.a'],
  ],
  [
    'a key that may be left out',
    object({ a: text }, ['a']),
    object({ a: text }),
    ['input-relaxed body.a'],
    ['output-required body.a'],
  ],
  [
    'a new required key',
    object({}),
    object({ a: text }, ['a']),
    ['input-required body.a'],
    ['output-key-added body.a'],
  ],
  ['a new key', object({}), object({ a: text }), ['input-key-added body.a'], ['output-key-added body.a']],
  ['a key less', object({ a: text }), object({}), ['input-key-removed body.a'], ['output-key-removed body.a']],
  [
    'a required key less',
    object({ a: text }, ['a']),
    object({}),
    ['input-key-removed body.a'],
    ['output-required body.a'],
  ],
  ['no other keys', object({ a: text }), object({ a: text }, [], { additionalProperties: false }), [], []],
  [
    'a key less of a strict object',
    object({ a: text, b: text }, [], { additionalProperties: false }),
    object({ a: text }, [], { additionalProperties: false }),
    ['input-closed body.b'],
    ['output-key-removed body.b'],
  ],
  [
    'a key more of a strict object',
    object({ a: text }, [], { additionalProperties: false }),
    object({ a: text, b: text }, [], { additionalProperties: false }),
    ['input-key-added body.b'],
    ['output-closed body.b'],
  ],
  [
    'any keys no longer',
    object({}, [], { additionalProperties: true }),
    object({}, [], { additionalProperties: false }),
    ['input-closed body'],
    ['output-narrowed body'],
  ],
  [
    'a named key of a record',
    object({}, [], { additionalProperties: text }),
    object({ a: number }, [], { additionalProperties: text }),
    ['input-type body.a'],
    ['output-type body.a'],
  ],
  [
    'another record',
    { type: 'object', additionalProperties: text },
    { type: 'object', additionalProperties: number },
    ['input-type body.*'],
    ['output-type body.*'],
  ],
  [
    'fewer keys',
    { type: 'object', maxProperties: 3 },
    { type: 'object', maxProperties: 2 },
    ['input-count body'],
    ['output-narrowed body'],
  ],
  ['an alternative more', { anyOf: [text] }, { anyOf: [text, number] }, ['input-relaxed body'], ['output-option body']],
  [
    'an alternative less',
    { anyOf: [text, number] },
    { anyOf: [text] },
    ['input-option body'],
    ['output-narrowed body'],
  ],
  [
    'alternatives in another order',
    { anyOf: [text, object({ a: text })] },
    { anyOf: [object({ a: text }), text] },
    [],
    [],
  ],
  ['another default', { ...text, default: 'a' }, { ...text, default: 'b' }, ['input-default body'], []],
  ['deprecated', text, { ...text, deprecated: true }, ['deprecated body'], ['deprecated body']],
  [
    'other strings for people',
    { ...text, title: 'A', description: 'a', examples: ['a'] },
    { ...text, title: 'B' },
    [],
    [],
  ],
  ['never', text, { not: {} }, ['input-type body'], ['output-narrowed body']],
  ['not a value', text, { ...text, not: { const: 'no' } }, ['input-value body'], ['output-narrowed body']],
  ['other allOf', { allOf: [object({ a: text }), object({ b: text })] }, object({ a: text, b: text }), [], []],
]

describe.each(rows)('%s', (_name, old, now, asInput, asOutput) => {
  it('as an input', () => expect(differ('input', old, now)).toEqual(asInput))
  it('as an output', () => expect(differ('output', old, now)).toEqual(asOutput))
})

describe('variants', () => {
  const variant = (kind: unknown, more: object = {}) => object({ kind, ...more }, ['kind'])
  const old = { oneOf: [variant({ const: 'a' }, { n: number }), variant({ const: 'b' })] }

  it('are compared by the key that tells them apart', () => {
    const now = { oneOf: [variant({ const: 'b' }), variant({ const: 'a' }, { n: text })] }
    expect(differ('input', old, now)).toEqual(['input-type body.n'])
  })
  it('are one more, or one less', () => {
    const now = { oneOf: [...old.oneOf, variant({ const: 'c' })] }
    expect(differ('input', old, now)).toEqual(['input-relaxed body'])
    expect(differ('output', old, now)).toEqual(['output-option body'])
    expect(differ('input', now, old)).toEqual(['input-option body'])
  })
  it('may be written as one object', () => {
    expect(
      differ('input', variant({ enum: ['a', 'b'] }), { oneOf: [variant({ const: 'a' }), variant({ const: 'b' })] }),
    ).toEqual([])
  })
  it('that overlap are to be reviewed', () => {
    expect(differ('input', number, { oneOf: [number, { ...number, minimum: 1 }] })).toEqual(['input-unclear body'])
  })
})

describe('references', () => {
  const tree = (value: object, name: string) =>
    object({ value, children: { type: 'array', items: ref(name) } }, ['value'])

  it('may have other names', () => {
    expect(
      differ('input', ref('Tree'), ref('Node'), [{ Tree: tree(text, 'Tree') }, { Node: tree(text, 'Node') }]),
    ).toEqual([])
  })
  it('that lead back are followed once', () => {
    const trees = [{ Tree: tree(text, 'Tree') }, { Tree: tree(number, 'Tree') }] as const
    expect(differ('input', ref('Tree'), ref('Tree'), trees)).toEqual(['input-type body.value'])
  })
  it('may be a round longer', () => {
    const longer = { A: tree(text, 'B'), B: tree(text, 'A') }
    expect(differ('output', ref('A'), ref('A'), [{ A: tree(text, 'A') }, longer])).toEqual([])
    const wrong = { A: tree(text, 'B'), B: tree(number, 'A') }
    expect(differ('output', ref('A'), ref('A'), [{ A: tree(text, 'A') }, wrong])).toEqual([
      'output-type body.children[].value',
    ])
  })
  it('that name themselves say nothing', () => {
    const loops = [{ A: { anyOf: [ref('A'), text] } }, { A: { allOf: [ref('A')], type: 'string' } }] as const
    expect(differ('input', ref('A'), ref('A'), loops)).toEqual(expect.any(Array))
  })
  it('have to exist', () => {
    expect(() => differ('input', ref('A'), text)).toThrow('The old document: #/$defs/A does not exist')
    expect(() => differ('input', { $ref: 'other.json#/A' }, text)).toThrow('is in another document')
  })
})

it('says what was, what is, and what follows', () => {
  const old = object({
    id: number,
    kind: { enum: ['a', 'b', 'c'] },
    name: { ...text, maxLength: 80 },
    '__proto__ x': text,
  })
  const now = object(
    { id: text, kind: { enum: ['a'] }, name: { ...text, minLength: 1, maxLength: 60 }, country: text },
    ['country'],
  )
  expect(describeDiffer('input', old, now).map(([, message]) => message)).toMatchInlineSnapshot(`
    [
      "\`body.country\` is now required: clients that do not send it get 422",
      "\`body.id\` was a number, now text: clients that send the former get 422",
      "\`body.kind\` no longer takes \`"b"\`, \`"c"\`: now \`"a"\`; the others get 422",
      "\`body.name\` was up to 80 characters, now 1 to 60 characters: clients that send the former get 422",
      "\`body["__proto__ x"]\` is no longer read: what clients send there is ignored",
    ]
  `)
  expect(describeDiffer('output', old, now).map(([, message]) => message)).toMatchInlineSnapshot(`
    [
      "\`body.id\` was a number, now text",
      "\`body.country\` is new",
      "\`body.kind\` is no longer \`"b"\`, \`"c"\`",
      "\`body.name\` was up to 80 characters, now 1 to 60 characters",
      "\`body["__proto__ x"]\` was removed from the description",
    ]
  `)
})

it.each([
  ['output', text, { type: ['string', 'null'] }, '`body` was text, is text or null now'],
  ['output', text, { anyOf: [text, { type: 'null' }] }, '`body` was text, is text or null now'],
  ['output', text, { type: 'null' }, '`body` was text, now null'],
  [
    'input',
    { type: ['string', 'null'] },
    text,
    '`body` was text or null, now text: clients that send anything else get 422',
  ],
  ['input', text, { type: ['string', 'null'] }, '`body` was text, now text or null'],
  ['output', text, { ...text, contentEncoding: 'base64' }, '`body` now has the check `contentEncoding base64`'],
  ['input', { ...text, contentEncoding: 'base64' }, text, '`body` no longer has the check `contentEncoding base64`'],
  [
    'output',
    { ...text, format: 'email' },
    { ...text, format: 'uri' },
    '`body` has another format: was `email`, now `uri`. Check that clients read it',
  ],
] as const)('says of an %s %j that is %j now: %s', (side, before, after, message) => {
  expect(describeDiffer(side, before, after).map(([, each]) => each)).toEqual([message])
})

it('schemas with too many alternatives are to be reviewed', () => {
  const many = (n: number) => ({
    allOf: Array.from({ length: n }, (_, i) => ({
      anyOf: [object({ [`a${i}`]: text }), object({ [`b${i}`]: number })],
    })),
  })
  expect(differ('input', many(20), many(20))).toEqual([])
  expect(differ('input', many(20), many(21))).toEqual(['input-unclear body'])
})
