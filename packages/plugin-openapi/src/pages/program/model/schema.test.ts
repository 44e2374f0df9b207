import { describe, expect, it } from 'vitest'
import { exampleOf } from './example.ts'
import { isNullable, kindOf, propertiesOf, schemaOf, summaryOf, variantsOf, withoutNull } from './schema.ts'

const root = {
  components: {
    schemas: {
      Tree: {
        type: 'object',
        properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } },
      },
      Loop: { $ref: '#/components/schemas/Loop' },
      'a/b~c': { type: 'string', title: 'Odd' },
    },
  },
}
const of = (node: unknown) => schemaOf(root, node)

describe('schemas', () => {
  it.each([
    [{ const: 1 }, 'const'],
    [{ const: null }, 'null'],
    [{ enum: ['a'] }, 'enum'],
    [{ type: 'integer' }, 'integer'],
    [{ type: ['string', 'null'] }, 'choice'],
    [{ anyOf: [{ type: 'string' }, { type: 'integer' }] }, 'choice'],
    [{ oneOf: [{ type: 'string' }] }, 'string'],
    [{ properties: { a: true } }, 'object'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'map'],
    [{ type: 'object', properties: {}, additionalProperties: false }, 'object'],
    [{ $ref: '#/components/schemas/a~1b~0c' }, 'string'],
    [{ $ref: '#/components/schemas/None' }, 'unknown'],
    [{ $ref: 'https://other.example/schema' }, 'unknown'],
    [{ $ref: '#/components/schemas/Loop' }, 'unknown'],
    [{}, 'unknown'],
    [true, 'unknown'],
    [undefined, 'unknown'],
  ])('%j is of the kind %s', (node, kind) => {
    expect(kindOf(of(node))).toBe(kind)
  })

  it.each([
    [{ anyOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }], description: 'A' }],
    [{ type: ['string', 'null'], maxLength: 3, description: 'A' }],
  ])('%j may be null, and is a string otherwise', (node) => {
    expect(isNullable(of(node))).toBe(true)
    expect(withoutNull(of(node)).node).toMatchObject({ type: 'string', maxLength: 3, description: 'A' })
    expect(summaryOf(of(node))).toBe('text, at most 3 characters or null')
  })

  it('what is beside a reference, and allOf, are joined', () => {
    const joined = of({
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        { properties: { b: { type: 'string' } }, required: ['b'] },
      ],
      description: 'Both',
    })
    expect(propertiesOf(joined).map(({ name, isRequired }) => [name, isRequired])).toEqual([
      ['b', true],
      ['a', true],
    ])
    expect(joined.node['description']).toBe('Both')
    expect(of({ $ref: '#/components/schemas/a~1b~0c', title: 'Own' }).node).toEqual({ type: 'string', title: 'Own' })
  })

  it('a type beside alternatives holds for each of them', () => {
    const date = of({ type: 'string', anyOf: [{ format: 'date-time' }, { format: 'date' }] })
    expect(variantsOf(date).map((each) => each.node)).toEqual([
      { type: 'string', format: 'date-time' },
      { type: 'string', format: 'date' },
    ])
  })

  it.each([
    [{ type: 'integer', minimum: 1, maximum: 9 }, 'integer, 1 to 9'],
    [{ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER }, 'integer, at least 1'],
    [{ type: 'array', items: { type: 'string', minLength: 1 } }, 'list of text, at least 1 characters'],
    [{ const: 'a' }, 'always "a"'],
    [{ enum: ['a', 1] }, 'one of "a", 1'],
  ])('%j is said as %s', (node, said) => {
    expect(summaryOf(of(node))).toBe(said)
  })
})

describe('examples', () => {
  it.each([
    [{ type: 'string', examples: ['b'], default: 'c' }, 'b'],
    [{ type: 'integer', minimum: 3 }, 3],
    [
      { type: 'object', properties: { a: { const: 1 }, b: { enum: ['x', 'y'] } } },
      { a: 1, b: 'x' },
    ],
    [{ anyOf: [{ type: 'boolean' }, { type: 'string' }] }, true],
    [{}, null],
  ])('of %j', (node, example) => {
    expect(exampleOf(of(node))).toEqual(example)
  })

  it('of a schema that contains itself ends', () => {
    expect(JSON.stringify(exampleOf(of({ $ref: '#/components/schemas/Tree' }))).length).toBeLessThan(200)
  })
})
