import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { group } from './group.ts'
import { route } from './route.ts'
import { check, guard, interceptor } from './step.ts'

const step = (name: string) => guard({ name, run: () => {} })
const names = (made: { readonly definition: { readonly use: readonly { readonly name: string }[] } }) =>
  made.definition.use.map(({ name }) => name)
const handler = (): void => {}

describe('group', () => {
  const own = check({ name: 'own', run: () => {} })
  const tx = interceptor({ name: 'tx', run: (_call, next) => next() })
  const rename = route({
    http: { route: 'PUT /authors/:id', status: 202 },
    use: [step('limit'), own],
    input: v.object({ id: v.string() }),
    handler,
  })
  const ping = route({ handler })

  it('puts a prefix before the paths, and its steps before those of the same phase', () => {
    const grouped = group({ prefix: '/v1', use: [step('tenant'), tx] }, { RENAME: rename, PING: ping })
    expect(grouped.RENAME.definition.http).toEqual({ route: 'PUT /v1/authors/:id', status: 202 })
    expect(names(grouped.RENAME)).toEqual(['tenant', 'limit', 'own', 'tx'])
    expect(grouped.PING.definition.http).toBeNull()
    expect(names(grouped.PING)).toEqual(['tenant', 'tx'])
  })

  it('keeps a check of a route inside of the interceptor that it follows', () => {
    const inside = route({ use: [step('limit'), own, tx, check({ name: 'inside', run: () => {} })], handler })
    const outer = interceptor({ name: 'outer', run: (_call, next) => next() })
    const grouped = group(
      { use: [step('tenant'), check({ name: 'c', run: () => {} }), outer, check({ name: 'd', run: () => {} })] },
      { INSIDE: inside },
    )
    expect(names(grouped.INSIDE)).toEqual(['tenant', 'limit', 'c', 'own', 'outer', 'd', 'tx', 'inside'])
  })

  it('leaves the routes themselves as they are', () => {
    group({ prefix: '/v1', use: [step('tenant')] }, { RENAME: rename })
    expect(rename.definition.http?.route).toBe('PUT /authors/:id')
    expect(names(rename)).toEqual(['limit', 'own'])
  })

  it('goes into another group', () => {
    const inner = group({ prefix: '/b', use: [step('inner')] }, { RENAME: rename })
    const outer = group({ prefix: '/a', use: [step('outer')] }, inner)
    expect(outer.RENAME.definition.http?.route).toBe('PUT /a/b/authors/:id')
    expect(names(outer.RENAME)).toEqual(['outer', 'inner', 'limit', 'own'])
  })

  it('makes the path of a route at its root the prefix, without a slash at the end', () => {
    const root = route({ http: 'GET /', handler })
    const list = route({ http: { route: 'GET /', status: 202 }, handler })
    const inner = group({ prefix: '/b' }, { ROOT: root, LIST: list })
    expect(inner.LIST.definition.http?.route).toBe('GET /b')
    expect(group({ prefix: '/a' }, inner).ROOT.definition.http?.route).toBe('GET /a/b')
    expect(group({}, { ROOT: root }).ROOT.definition.http?.route).toBe('GET /')
  })

  it('refuses a prefix that ends with a slash', () => {
    expect(() => group({ prefix: '/a/' }, {})).toThrow(expect.objectContaining({ code: 'bad_path' }))
  })
})

describe('route', () => {
  it('fills in what is left out', () => {
    expect(route({ handler }).definition).toMatchObject({
      summary: '',
      access: null,
      http: null,
      use: [],
      input: null,
      output: null,
      errors: [],
      deadlineMs: null,
      ordered: false,
      command: null,
    })
    expect(route({ http: 'GET /a', handler }).definition.http).toEqual({ route: 'GET /a' })
  })

  it('begins with the steps of its base', () => {
    const base = route.with(step('a')).with(step('b'))
    expect(names(base({ use: [step('c')], handler }))).toEqual(['a', 'b', 'c'])
    expect(names(base({ handler }))).toEqual(['a', 'b'])
    expect(names(route({ handler }))).toEqual([])
  })

  it.each([
    ['an unknown option', { sumary: '', handler }, 'unknown_option'],
    ['an unknown option of http', { http: { route: 'GET /a', statsu: 1 }, handler }, 'unknown_option'],
    ['neither a handler nor a command', {}, 'bad_route'],
    ['both', { handler, command: handler }, 'bad_route'],
    ['a status that is not one of success', { http: { route: 'GET /a', status: 404 }, handler }, 'bad_option'],
    ['a part of a byte', { http: { route: 'GET /a', maxBodyBytes: 1.5 }, handler }, 'bad_option'],
    ['a deadline of days', { deadlineMs: 86_400_001, handler }, 'bad_option'],
    ['a deadline that is none', { deadlineMs: Number.NaN, handler }, 'bad_option'],
  ])('refuses %s', (_name, options, code) => {
    expect(() => (route as (options: object) => unknown)(options)).toThrow(expect.objectContaining({ code }))
  })
})
