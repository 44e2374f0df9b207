import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { AnySchema } from '../base/schema.ts'
import { isPage, isReply, type Page, page, pageOf, type Reply, reply } from '../call/reply.ts'
import { compileOutput, unchecked } from './output.ts'

const Author = v.object({ id: v.number(), name: v.string() })
const row = { id: 1, name: 'Ursula', passwordHash: 'x' }
const sent = { id: 1, name: 'Ursula' }
const mismatch = 'The result does not match the output schema: '
const meta = { page: 1, per_page: 20, total: 1 }

describe.each([
  ['checked, as in development', true],
  ['projected only, as in production', false],
])('output, %s', (_name, validate) => {
  const compile = (schema: AnySchema | null) => compileOutput(schema, validate)

  it('lets only leave what the schema names', () => {
    expect(compile(Author)(row)).toEqual(sent)
    expect(compile(v.array(Author))([row])).toEqual([sent])
  })

  it('runs a schema that changes what it takes', () => {
    const schema = v.object({ id: v.pipe(v.number(), v.transform(String)), at: v.optional(v.string(), 'never') })
    expect(compile(schema)({ id: 1, more: 1 })).toEqual({ id: '1', at: 'never' })
    expect(() => compile(schema)({ id: 'x' })).toThrow(mismatch)
  })

  it('runs a schema of another vendor, and one that takes its time', async () => {
    const other: AnySchema = { '~standard': { version: 1, vendor: 'other', validate: () => ({ value: { at: 1n } }) } }
    expect(compile(other)({})).toEqual({ at: '1' })
    const slow = compile(
      v.pipeAsync(
        Author,
        v.checkAsync(async ({ id }) => id === 1, 'No'),
      ),
    )
    expect(slow(row)).toBeInstanceOf(Promise)
    expect(await slow(row)).toEqual(sent)
    await expect(slow({ ...row, id: 2 })).rejects.toThrow('The result does not match the output schema: (whole): No')
  })

  it('projects the items of pages', () => {
    const made = compile(pageOf(Author))(page([row], meta)) as Page<unknown>
    expect(isPage(made)).toBe(true)
    expect(made).toEqual(page([sent], meta))
    expect(() => compile(pageOf(Author))([row])).toThrow(mismatch)
    expect(() => compile(pageOf(Author))({ items: [row], meta })).toThrow('return page(items, meta)')
  })

  it('projects the items of pages, asynchronously', async () => {
    const Slow = v.pipeAsync(
      v.number(),
      v.transformAsync(async (n) => n + 1),
    )
    expect(await compile(pageOf(Slow))(page([1, 2], meta))).toEqual(page([2, 3], meta))
  })

  it('projects the values of replies', () => {
    const made = compile(Author)(reply(row, { status: 201, headers: { location: '/1' } })) as Reply<unknown>
    expect(isReply(made)).toBe(true)
    expect(made).toEqual(reply(sent, { status: 201, headers: { location: '/1' } }))
    expect(compile(Author)(reply(row))).toEqual(reply(sent))
  })

  it('leaves text, bytes and streams alone', () => {
    for (const special of [reply.text('x'), reply.bytes(new Uint8Array([1])), reply.stream(['x'])]) {
      expect(compile(Author)(special)).toBe(special)
    }
  })

  it('waits in a reply too', async () => {
    const Slow = v.pipeAsync(
      v.number(),
      v.transformAsync(async (n) => n + 1),
    )
    expect(await compile(Slow)(reply(1, { status: 202 }))).toEqual(reply(2, { status: 202 }))
  })

  it('unchecked lets everything leave, in its JSON form', () => {
    expect(compile(unchecked(Author))({ ...row, at: 1n })).toEqual({ ...row, at: '1' })
    expect(compile(unchecked(Author))('anything')).toBe('anything')
    expect(compile(unchecked(pageOf(Author)))(page([row], meta))).toEqual(page([row], meta))
    expect(compile(pageOf(unchecked(Author)))(page([{ n: 1n }], meta))).toEqual(page([{ n: '1' }], meta))
    expect(unchecked(Author)['~standard'].validate(row)).toMatchObject({ value: sent })
    expect(compile(Author)(row)).toEqual(sent)
  })

  it('without a schema has the JSON form of what there is', () => {
    expect(compile(null)({ at: new Date(0), n: 1n })).toEqual({ at: new Date(0), n: '1' })
    expect(compile(null)(page([1n], meta))).toEqual(page(['1'], meta))
    expect(compile(null)(undefined)).toBeUndefined()
    expect(() => compile(null)({ map: new Map() })).toThrow(TypeError)
  })
})

describe('a mismatch', () => {
  it('names every place', () => {
    const output = compileOutput(Author, true)
    expect(() => output({ id: '1' })).toThrow(/^The result does not match the output schema: id: .*; name: /)
    expect(() => output(reply({ id: '1' }))).toThrow(mismatch)
    expect(() => compileOutput(pageOf(Author), true)(page([{ id: 1 }], meta))).toThrow(mismatch)
    try {
      output({ id: 1 })
    } catch (error) {
      expect((error as { issues: unknown }).issues).toEqual([{ path: 'name', message: expect.any(String) }])
    }
  })

  it('is not looked for in production', () => {
    expect(compileOutput(Author, false)({ id: '1', more: 1 })).toEqual({ id: '1' })
  })
})
