// Documents that are wrong, or made to do harm: the program says what is wrong, and ends.

import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { runTwinwire } from '../run.fixtures.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinwire-hostile-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let files = 0
async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(folder, `${++files}.json`)
  await writeFile(path, content)
  return path
}

const api = (paths: unknown, more: object = {}): string => JSON.stringify({ openapi: '3.1.0', paths, ...more })
const diff = (old: string, now: string, ...more: readonly string[]) => runTwinwire(['api', 'diff', old, now, ...more])
const posting = (schema: unknown) => ({
  '/a': { post: { requestBody: { content: { 'application/json': { schema } } } } },
})
const empty = api({})

describe('files that are not documents', () => {
  it.each<readonly [string, string | Uint8Array, string]>([
    ['nothing', '', 'is not JSON'],
    ['YAML', 'openapi: 3.1.0\npaths: {}\n', 'it looks like YAML, convert it first'],
    ['a list', '[]', 'is not an object'],
    ['null', 'null', 'is not an object'],
    [
      'another object',
      '{}',
      'has to be OpenAPI 3.1 or AsyncAPI 3.0, as @twinwire/plugin-openapi serves them; it is neither',
    ],
    ['OpenAPI 3.0', '{"openapi":"3.0.3"}', 'it is OpenAPI 3.0.3'],
    ['Swagger', '{"swagger":"2.0"}', 'it is Swagger 2'],
    ['AsyncAPI 2', '{"asyncapi":"2.6.0"}', 'it is AsyncAPI 2.6.0'],
    ['a version that is a number', '{"openapi":3.1}', 'it is neither'],
    ['UTF-16', Buffer.from(`\uFEFF${empty}`, 'utf16le'), 'is not UTF-8'],
    [
      '100,000 levels',
      `{"openapi":"3.1.0","x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'is nested deeper than 200 levels',
    ],
  ])('%s', async (_name, content, message) => {
    const good = await fileOf(empty)
    const bad = await fileOf(content)
    for (const { code, out, err } of [await diff(bad, good), await diff(good, bad)]) {
      expect([code, out]).toEqual([2, ''])
      expect(err).toContain(message)
    }
  })

  it('a file that does not exist, and a folder', async () => {
    expect(await diff(join(folder, 'none.json'), folder)).toMatchObject({
      code: 2,
      err: expect.stringContaining('no such file'),
    })
    expect(await diff(folder, folder)).toMatchObject({ code: 2, err: expect.stringContaining('cannot be read') })
  })

  it('more bytes than any description has', async () => {
    const path = join(folder, 'large.json')
    const file = await open(path, 'w')
    await file.truncate(64 * 1024 * 1024 + 1)
    await file.close()
    expect(await diff(path, path)).toMatchObject({ code: 2, err: expect.stringContaining('is larger than 64 MiB') })
  })

  it.each([
    ['a missing reference', posting({ $ref: '#/components/schemas/None' }), '#/components/schemas/None does not exist'],
    ['a reference to __proto__', posting({ $ref: '#/__proto__' }), '#/__proto__ does not exist'],
    [
      'a reference to another file',
      posting({ $ref: 'other.json' }),
      'is in another document: bundle them into one first',
    ],
    ['a circle of references', { '/a': { $ref: '#/paths/~1a' } }, 'refers to itself'],
    ['a schema that is a number', posting(7), 'a schema is an object or a boolean, not 7'],
  ])('%s', async (_name, paths, message) => {
    const { code, err } = await diff(await fileOf(api(posting({ type: 'string' }))), await fileOf(api(paths)))
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })
})

describe('documents that are valid, but strange', () => {
  it('keys such as __proto__ are keys', async () => {
    const keys = (type: string) =>
      `{"openapi":"3.1.0","__proto__":{"paths":{}},"paths":{"__proto__":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"__proto__":{"type":"${type}"},"constructor":{"type":"${type}"}}}}}}}}}}`
    const { code, out } = await diff(await fileOf(keys('string')), await fileOf(keys('number')))
    expect(code).toBe(1)
    expect(out).toContain('`body.__proto__` was text, now a number')
    expect(out).toContain('`body.constructor` was text, now a number')
    expect(Object.prototype).not.toHaveProperty('type')
  })

  it('members of the wrong type say nothing', async () => {
    for (const paths of [
      null,
      7,
      [],
      { '/a': null },
      { '/a': { get: 7, post: [], put: { parameters: 'x', responses: [], security: {}, 'x-steps': 5 } } },
    ]) {
      const file = await fileOf(api(paths, { components: [], servers: 7, 'x-error-codes': 'x' }))
      expect((await diff(file, file)).code).toBe(0)
      expect((await diff(await fileOf(empty), file)).code).toBe(0)
    }
    for (const wrong of [
      { channels: 5, operations: [] },
      { channels: { a: 1 }, operations: { a: 2 } },
    ]) {
      const file = await fileOf(JSON.stringify({ asyncapi: '3.0.0', ...wrong }))
      expect((await diff(file, file)).code).toBe(0)
    }
  })

  it('schemas that contain themselves in every way end', async () => {
    const A = '#/components/schemas/A'
    const loops = [
      { allOf: [{ $ref: A }] },
      {
        anyOf: [
          { $ref: A },
          { type: 'object', properties: { a: { $ref: A }, b: { oneOf: [{ $ref: A }, { not: { $ref: A } }] } } },
        ],
      },
      { items: { $ref: A }, additionalProperties: { $ref: A } },
    ]
    for (const old of loops)
      for (const now of loops) {
        const documents = [old, now].map((schema) =>
          api(posting({ $ref: A }), { components: { schemas: { A: schema } } }),
        )
        const [before = '', after = ''] = documents
        expect((await diff(await fileOf(before), await fileOf(after))).code).not.toBe(2)
      }
  })

  it('a schema that is only itself is an error', async () => {
    const $ref = '#/components/schemas/A'
    const file = await fileOf(api(posting({ $ref }), { components: { schemas: { A: { $ref } } } }))
    const { code, err } = await diff(await fileOf(api(posting({ type: 'string' }))), file)
    expect([code, err]).toEqual([2, expect.stringContaining(`the reference ${$ref} refers to itself`)])
  })

  it('a chain of references that is longer than the stack is to be reviewed', async () => {
    const chain = (type: string) =>
      api(posting({ $ref: '#/components/schemas/S0' }), {
        components: {
          schemas: Object.fromEntries(
            Array.from({ length: 20_000 }, (_, i) => [
              `S${i}`,
              i === 19_999
                ? { type }
                : { type: 'object', properties: { a: { $ref: `#/components/schemas/S${i + 1}` } } },
            ]),
          ),
        },
      })
    const { code, out } = await diff(await fileOf(chain('string')), await fileOf(chain('number')))
    expect(code).toBe(1)
    expect(out).toContain('input-unclear POST /a')
  })

  it('names cannot draw in the terminal, nor write Markdown', async () => {
    const path = '/\u001b[2Ja\n# `b` <img> @team \u202ex'
    const file = await fileOf(api({ [path]: { get: {} } }))
    const { out } = await diff(file, await fileOf(empty))
    for (const character of ['\u001b', '\u202e']) expect(out).not.toContain(character)
    expect(out).toContain('\\u001b[2Ja\\u000a# ')
    const markdown = await diff(file, await fileOf(empty), '--format', 'markdown')
    const [, outside = ''] = /\*\*(.*)\*\*/.exec(markdown.out) ?? []
    expect(outside).not.toMatch(/[<>@]/)
    expect(markdown.out.split('\n').filter((line) => line.startsWith('#'))).toHaveLength(2)
  })
})

describe('addresses', () => {
  async function serve(status: number, headers: Readonly<Record<string, string>>, body: string) {
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      response.writeHead(status, headers).end(body)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/openapi.json`, seen }
  }

  it('are fetched, with the headers that they need', async () => {
    const { url, seen } = await serve(200, {}, empty)
    const { code, out } = await diff(url, url, '--header', 'Authorization: Bearer a:b')
    expect([code, out, seen]).toEqual([0, 'OpenAPI: no changes\n', ['Bearer a:b', 'Bearer a:b']])
  })

  it('that refuse, redirect or do not answer are errors, and no token goes elsewhere', async () => {
    const refused = await serve(401, {}, 'no')
    expect((await diff(refused.url, refused.url)).err).toContain('answers with status 401: give --header')
    const other = await serve(200, {}, empty)
    const moved = await serve(302, { location: other.url }, '')
    const { code, err } = await diff(moved.url, moved.url, '--header', 'authorization: Bearer x')
    expect([code, other.seen]).toEqual([2, []])
    expect(err).toContain(`redirects to ${other.url}: give that address`)
    expect((await diff('http://127.0.0.1:1/', other.url)).err).toContain('cannot be fetched')
  })
})
