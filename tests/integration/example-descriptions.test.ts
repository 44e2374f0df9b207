// The reference application describes itself, in documents that are valid.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseJson } from '../../packages/plugin-openapi/src/everything.fixtures.ts'
import { toNode } from '../../packages/plugin-openapi/src/schemas/node.ts'
import { findWrongExamples, lintAsyncApi, lintOpenApi } from '../../packages/plugin-openapi/src/validity.fixtures.ts'
import { startExample } from '../support/example.ts'

/** An embedded database takes its time on a busy machine. */
const startTimeoutMs = 180_000

test(
  'the example serves valid descriptions of both wires',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-example-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const example = await startExample({ databaseUrl: `pglite://${join(folder, 'data')}` })
    onTestFinished(async () => void (await example.stop()))
    const read = async (path: string) => parseJson(await (await fetch(`${example.url}${path}`)).text())
    const openApi = await read('/openapi.json')
    const asyncApi = await read('/asyncapi.json')
    expect(await lintOpenApi(openApi)).toEqual([])
    expect(await lintAsyncApi(asyncApi)).toEqual([])
    expect([...findWrongExamples(openApi), ...findWrongExamples(asyncApi)]).toEqual([])

    const paths = toNode(openApi['paths'])
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/asyncapi.json',
        '/authors',
        '/authors/paginated',
        '/authors/{id}',
        '/health',
        '/metrics',
      ]),
    )
    const list = toNode(toNode(paths['/authors'])['get'])
    expect(list).toMatchObject({ operationId: 'GetAuthors', security: [{ bearer: ['get-authors'] }], 'x-pkg-id': 1 })
    expect(list['parameters']).toMatchObject([{ name: 'id' }, { name: 'name' }, { name: 'search' }])
    const pages = toNode(toNode(paths['/authors/paginated'])['get'])
    const named = Array.isArray(pages['parameters']) ? pages['parameters'].map((each) => toNode(each)['name']) : []
    expect(named.toSorted()).toEqual(['cursor', 'eager_load', 'id', 'name', 'page', 'per_page'])

    expect(toNode(toNode(asyncApi['channels'])['websocket'])['address']).toBe('/web')
    expect(Object.keys(toNode(asyncApi['operations']))).toEqual(
      expect.arrayContaining(['GetAuthors', 'DeleteAuthor', 'AuthorChanged', 'subscribe', 'auth', 'auth_expiring']),
    )
  },
  startTimeoutMs,
)
