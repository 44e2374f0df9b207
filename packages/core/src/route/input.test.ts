import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test, vi } from 'vitest'
import type { QueryRecord } from '../call/call.ts'
import type { InputReader, ParsedBody } from '../call/compiled-route.ts'
import { ConflictError } from '../errors/app-error.ts'
import { compileInput, type InputOptions } from './input.ts'
import { parseQuery } from './query.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const Author = v.object({ id: v.optional(v.number()), name: v.optional(v.string()), dry: v.optional(v.boolean()) })
const empty: ParsedBody = { kind: 'empty' }
const json = (value: unknown): ParsedBody => ({ kind: 'json', value, hadEscapes: true })
const form = (raw: string): ParsedBody => ({ kind: 'form', value: query(raw) })

function query(raw: string): QueryRecord {
  const result = parseQuery(raw)
  if (!result.ok) throw result.error
  return result.value
}
function reader(options: Partial<InputOptions>): InputReader {
  return compileInput({ schema: Author, pattern: '/authors', hasBody: false, queryKeys: [], ...options })
}
const ok = (value: unknown): object => ({ ok: true, value })
const refused = (path: string): object => ({ ok: false, error: { code: 'validation_error', details: [{ path }] } })

describe('without a body', () => {
  const list = reader({})
  const get = reader({ pattern: '/authors/:id' })

  test('no parameter and no query is an empty object', () => {
    expect(list({}, query(''), empty)).toEqual(ok({}))
  })

  test('path and query are one input, coerced', () => {
    expect(get({ id: '7' }, query('name=8&dry=true&more=1'), empty)).toEqual(
      ok({ id: 7, name: '8', dry: true, more: '1' }),
    )
  })

  test('a key of the path may stand in the query with the same value only', () => {
    expect(get({ id: '7' }, query('id=7'), empty)).toEqual(ok({ id: 7 }))
    expect(get({ id: '7' }, query('id=8'), empty)).toMatchObject(refused('id'))
    expect(get({ id: '7' }, query('id=7&id=8'), empty)).toMatchObject(refused('id'))
    expect(get({ id: '7' }, query('id=07'), empty)).toMatchObject(refused('id'))
  })

  test('a route without input gets undefined, whatever the query says', () => {
    expect(reader({ schema: null })({}, query('utm=1'), empty)).toEqual(ok(undefined))
  })

  test('types that the route names', () => {
    const read = reader({ schema: null, map: (record) => record, overrides: { page: 'int' } })
    expect(read({}, query('page=2'), empty)).toEqual(ok({ page: 2 }))
  })
})

describe('keys that the input does not know', () => {
  const Strict = v.strictObject({ id: v.optional(v.number()), name: v.optional(v.string()) })
  const strict = (options: Partial<InputOptions>) => reader({ schema: Strict, unknownKeys: 'ignore', ...options })
  /** What the schema is given. */
  const given = (options: Partial<InputOptions>, raw: string, body: ParsedBody = empty) =>
    strict(options)({}, query(raw), body)

  test('are left out of a query when they are to be ignored', () => {
    expect(given({}, 'id=7&utm_source=mail&status=active')).toEqual(ok({ id: 7 }))
    expect(given({ unknownKeys: 'validate' }, 'id=7&status=active')).toEqual(ok({ id: 7, status: 'active' }))
    expect(strict({ pattern: '/authors/:id' })({ id: '7' }, query('status=active'), empty)).toEqual(ok({ id: 7 }))
  })

  test('are left out of a body, and of the query beside it', () => {
    const post = { hasBody: true }
    expect(given(post, 'utm=1', json({ name: 'a', age: 3 }))).toEqual(ok({ name: 'a' }))
    expect(given(post, 'utm=1&id=7', form('name=a&age=3'))).toEqual(ok({ name: 'a' }))
    expect(given({ hasBody: true, queryKeys: ['id'] }, 'utm=1&id=7', json({ name: 'a', age: 3 }))).toEqual(
      ok({ id: 7, name: 'a' }),
    )
    // Known ones are still compared, and a body that is not an object is rejected by the schema.
    expect(given({ hasBody: true, queryKeys: ['id'] }, 'id=7', json({ id: 8 }))).toMatchObject(refused('id'))
    expect(given(post, '', json([1]))).toEqual(ok([1]))
  })

  test('are left out of what a mapping makes', () => {
    const map = ({ search, ...rest }: Readonly<Record<string, unknown>>) => ({ name: search, ...rest })
    expect(given({ map }, 'search=a&status=active')).toEqual(ok({ name: 'a' }))
  })

  test.each<[name: string, schema: NonNullable<InputOptions['schema']>, kept: object]>([
    ['an object that keeps them', v.looseObject({ id: v.number() }), { id: 1, x: '2' }],
    ['an object that drops them itself', v.object({ id: v.number() }), { id: 1, x: '2' }],
    ['an object with a rest', v.objectWithRest({ id: v.number() }, v.number()), { id: 1, x: 2 }],
    ['a record', v.record(v.string(), v.number()), { id: 1, x: 2 }],
    ['a strict object that may be left out', v.optional(v.strictObject({ id: v.number() })), { id: 1 }],
    [
      'a strict object in a pipe',
      v.pipe(
        v.strictObject({ id: v.number() }),
        v.check(() => true),
      ),
      { id: 1 },
    ],
    ['a strict object made on demand', v.lazy(() => v.strictObject({ id: v.number() })), { id: 1 }],
    [
      'one of two strict objects',
      v.union([v.strictObject({ id: v.number() }), v.strictObject({ x: v.string() })]),
      { id: 1, x: '2' },
    ],
    [
      'one strict and one loose object',
      v.union([v.strictObject({ id: v.number() }), v.looseObject({})]),
      { id: 1, x: '2' },
    ],
    [
      'both of a strict and a loose object',
      v.intersect([v.strictObject({ id: v.number() }), v.looseObject({})]),
      { id: 1 },
    ],
    ['a variant', v.variant('id', [v.strictObject({ id: v.literal(1) })]), { id: 1 }],
  ])('of %s', (_name, schema, kept) => {
    expect(given({ schema }, 'id=1&x=2')).toEqual(ok(kept))
  })

  test.each<[document: object, kept: object]>([
    [{ type: 'object', properties: { id: { type: 'number' } }, additionalProperties: false }, { id: 1 }],
    [
      { type: 'object', properties: { id: { type: 'number' } } },
      { id: 1, x: '2' },
    ],
    [
      {
        $ref: '#/$defs/input',
        $defs: { input: { properties: { id: { type: 'number' } }, additionalProperties: false } },
      },
      { id: 1 },
    ],
  ])('of JSON Schema %j', (document, kept) => {
    const schema: InputOptions['schema'] = Object.assign(
      { '~standard': { version: 1 as const, vendor: 'other', validate: (value: unknown) => ({ value }) } },
      {},
    )
    Object.assign(schema['~standard'], { jsonSchema: { input: () => document, output: () => document } })
    expect(given({ schema }, 'id=1&x=2')).toEqual(ok(kept))
  })
})

describe('with a body', () => {
  const create = reader({ hasBody: true })
  const update = reader({ hasBody: true, pattern: '/authors/:id', queryKeys: ['dry'] })

  test('a JSON body alone is the input as it is', () => {
    const body = { id: '7', name: 'a' }
    const result = create({}, query(''), json(body))
    expect(result).toEqual(ok(body))
    expect(result).toSatisfy((success: { value: unknown }) => success.value === body)
  })

  test('no body is an empty object', () => {
    expect(create({}, query(''), empty)).toEqual(ok({}))
    expect(update({ id: '7' }, query('dry=1'), empty)).toEqual(ok({ id: 7, dry: true }))
  })

  test('path, named query keys and body are one input; only strings are converted', () => {
    const body = { name: 'a', other: '5' }
    expect(update({ id: '7' }, query('dry=1'), json(body))).toEqual(ok({ id: 7, dry: true, name: 'a', other: '5' }))
    expect(body).toEqual({ name: 'a', other: '5' })
  })

  test('a key that is said twice has to be said the same', () => {
    expect(update({ id: '7' }, query(''), json({ id: 7 }))).toEqual(ok({ id: 7 }))
    expect(update({ id: '7' }, query(''), json({ id: 8 }))).toMatchObject(refused('id'))
    expect(update({ id: '7' }, query(''), json({ id: '7' }))).toMatchObject(refused('id'))
    expect(update({ id: '7' }, query(''), json({ id: null }))).toMatchObject(refused('id'))
    expect(update({ id: '7' }, query('dry=1'), json({ dry: false }))).toMatchObject(refused('dry'))
    expect(update({ id: '7' }, query(''), form('id=8'))).toMatchObject(refused('id'))
    expect(update({ id: '7' }, query('dry=1'), form('dry=0'))).toMatchObject(refused('dry'))
  })

  test('lists and dates are compared by what they hold', () => {
    const schema = v.object({ ids: v.array(v.number()), at: v.date() })
    const read = reader({ schema, hasBody: true, queryKeys: ['ids', 'at'] })
    expect(read({}, query('ids=1&ids=2'), json({ ids: [1, 2] }))).toEqual(ok({ ids: [1, 2] }))
    expect(read({}, query('ids=1&ids=2'), json({ ids: [1, 3] }))).toMatchObject(refused('ids'))
    expect(read({}, query('ids=1'), json({ ids: [1, 1] }))).toMatchObject(refused('ids'))
    expect(read({}, query('at=2024-02-29'), json({ at: new Date('2024-02-29') }))).toMatchObject({ ok: true })
  })

  test('every query key that is not named is refused by name, on a route without input too', () => {
    expect(create({}, query('a=1&b=2'), json({}))).toMatchObject({ error: { details: [{ path: 'a' }, { path: 'b' }] } })
    expect(update({ id: '7' }, query('dry=1&force=1'), json({}))).toMatchObject(refused('force'))
    expect(reader({ schema: null, hasBody: true })({}, query('a=1'), empty)).toMatchObject(refused('a'))
  })

  test.each([[[1, 2]], ['text'], [7], [null], [true]])(
    '%j is an input only where nothing else may be said',
    (value) => {
      expect(create({}, query(''), json(value))).toEqual(ok(value))
      expect(update({ id: '7' }, query(''), json(value))).toMatchObject(refused(''))
      expect(reader({ hasBody: true, queryKeys: ['dry'] })({}, query(''), json(value))).toMatchObject(refused(''))
    },
  )

  test('a form is coerced as a query is', () => {
    expect(create({}, query(''), form('id=7&dry=0&name=1'))).toEqual(ok({ id: 7, dry: false, name: '1' }))
    expect(update({ id: '7' }, query('dry=1'), form('name=a'))).toEqual(ok({ id: 7, dry: true, name: 'a' }))
  })

  test.each([
    ['{"__proto__":{"admin":true}}', '__proto__'],
    ['{"a":[{"constructor":{"prototype":{}}}]}', 'a[0].constructor'],
    ['{"a":1e999}', 'a'],
    ['{"a":"\\ud800"}', 'a'],
  ])('%s is refused on every route that takes input', (text, path) => {
    for (const read of [create, update]) {
      expect(read({ id: '7' }, query(''), json(JSON.parse(text)))).toMatchObject(refused(path))
    }
  })

  test('raw bytes are the key body', () => {
    const bytes = Uint8Array.of(1, 2)
    expect(update({ id: '7' }, query(''), { kind: 'raw', value: bytes })).toEqual(ok({ id: 7, body: bytes }))
    expect(create({}, query(''), { kind: 'raw', value: bytes })).toEqual(ok({ body: bytes }))
  })
})

describe('map', () => {
  test('gets path and query, coerced where the names are the same, and makes the input', () => {
    const schema = v.object({ search_term: v.string(), id: v.number() })
    const read = reader({ schema, map: ({ search, ...rest }) => ({ ...rest, search_term: search }) })
    expect(read({}, query('search=7&id=7'), empty)).toEqual(ok({ search_term: '7', id: 7 }))
  })

  test('gets the keys of the body too', () => {
    const read = reader({ hasBody: true, pattern: '/a/:id', map: (record) => ({ all: record }) })
    expect(read({ id: '7' }, query(''), json({ name: 'a' }))).toEqual(ok({ all: { id: 7, name: 'a' } }))
    expect(reader({ hasBody: true, map: (record) => record })({}, query(''), json([1]))).toMatchObject(refused(''))
  })

  test('what it throws is a value', () => {
    const refusing = reader({
      map: () => {
        throw new ConflictError('no')
      },
    })
    expect(refusing({}, query(''), empty)).toMatchObject({ ok: false, error: { code: 'conflict' } })
    const cause = new TypeError('x is undefined')
    const broken = reader({
      map: () => {
        throw cause
      },
    })
    expect(broken({}, query(''), empty)).toMatchObject({ ok: false, error: { code: 'internal_error', cause } })
  })
})

test('for every request: the path has its way or the request is refused, and nothing throws', () => {
  const read = reader({ hasBody: true, pattern: '/authors/:id', queryKeys: ['id', 'name'] })
  const key = fc.constantFrom('id', 'name', 'other')
  const text = fc.constantFrom('1', '2', 'x', '')
  const body = fc.oneof(
    fc.constant(empty),
    fc.jsonValue().map(json),
    fc.dictionary(key, fc.oneof(text, fc.integer({ min: 0, max: 3 }))).map(json),
    fc.dictionary(key, text).map((value): ParsedBody => ({ kind: 'form', value })),
  )
  fc.assert(
    fc.property(
      text,
      fc.dictionary(key, fc.oneof(text, fc.array(text, { minLength: 2, maxLength: 3 }))),
      body,
      (id, values, parsed) => {
        const result = read({ id }, values, parsed)
        if (!result.ok) {
          expect(result.error.code).toBe('validation_error')
          return
        }
        const value = /^\d$/.test(id) ? Number(id) : id
        expect(result.value).toHaveProperty('id', value)
        expect(Object.hasOwn(values, 'other')).toBe(false)
      },
    ),
    { numRuns: 3000 },
  )
})
