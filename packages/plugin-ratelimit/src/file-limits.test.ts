import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AuthenticationError, type RouteInfo, route, staticFiles } from '@twinwire/core'
import type { IncomingRequest } from '@twinwire/core/plugin'
import { fakeIdentity, onTransports } from '@twinwire/core/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FilePaths } from './file-paths.ts'
import { rateLimit } from './ratelimit-plugin.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'twinwire-limits-'))
  for (let i = 0; i < 90; i++) await writeFile(join(root, `asset-${i}.js`), `${i}`)
})
afterAll(() => rm(root, { recursive: true }))

const app = { pkgIds: {}, routes: {} }
const hello = route({ http: 'GET /hello', access: 'public', handler: () => 'hello' })
/** Each request is an attempt, so a 401 is one that fails. */
const identity = fakeIdentity(({ headers }) => {
  if (headers.authorization !== undefined) throw new AuthenticationError()
  return null
})

describe('files', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('a page with 90 assets is served again and again, and calls keep their limits', async () => {
      const { request } = await start({
        ...app,
        endpoints: [hello, staticFiles({ root, prefix: '/', access: 'public' })],
        plugins: [rateLimit({ preAuthentication: { points: 70, failureCost: 0 } })],
      })
      const load = async (path: (i: number) => string, count: number): Promise<Record<number, number>> => {
        const statuses: Record<number, number> = {}
        for (let i = 0; i < count; i++) {
          const { status } = await request(`GET ${path(i)}`)
          statuses[status] = (statuses[status] ?? 0) + 1
        }
        return statuses
      }
      for (let i = 0; i < 3; i++) expect(await load((n) => `/asset-${n}.js`, 90)).toEqual({ 200: 90 })
      expect(await load(() => '/hello', 72)).toMatchObject({ 200: expect.any(Number), 429: expect.any(Number) })
      expect((await request('GET /asset-1.js')).status).toBe(200)
    })

    it('have a limit that is said, and refuses', async () => {
      const { request } = await start({
        ...app,
        endpoints: [staticFiles({ root, prefix: '/assets', access: 'public' })],
        plugins: [rateLimit({ files: { points: 3, per: '1h' } })],
      })
      const statuses: number[] = []
      for (const path of ['asset-1.js', 'asset-1.js', 'none.js', 'asset-2.js'])
        statuses.push((await request(`GET /assets/${path}`)).status)
      expect(statuses).toEqual([200, 200, 404, 429])
      const refused = await request('GET /assets/asset-1.js')
      expect(refused.headers['ratelimit-policy']).toContain('"files";q=3')
      expect(refused.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } })
    })

    it('are not a way to guess tokens, and other methods and spellings count as before', async () => {
      const { request } = await start({
        ...app,
        endpoints: [staticFiles({ root, prefix: '/assets', access: 'authenticated' })],
        plugins: [identity, rateLimit({ preAuthentication: { points: 60, failureCost: 20 } })],
      })
      const statuses: number[] = []
      for (let i = 0; i < 4; i++)
        statuses.push((await request('GET /assets/asset-1.js', { headers: { authorization: 'Bearer bad' } })).status)
      expect(statuses).toEqual([401, 401, 401, 429])
      expect((await request('POST /assets/asset-1.js')).status).toBe(429)
      expect((await request('GET /assets/%2e%2e/asset-1.js')).status).toBe(429)
    })
  })
})

describe('paths of files', () => {
  const of = (path: string, files = false): RouteInfo => ({
    name: path,
    pkgId: null,
    method: 'GET',
    path,
    access: 'public',
    summary: '',
    files,
  })
  const paths = new FilePaths([
    of('/*', true),
    of('/assets/*', true),
    of('/authors/:id'),
    of('/assets/upload'),
    of('/health'),
  ])
  const has = (path: string, method = 'GET', wire: 'http' | 'ws' = 'http') =>
    paths.has({ wire, method, path } as IncomingRequest)

  it.each([
    ['/', true],
    ['/favicon.svg', true],
    ['/assets/a.js', true],
    ['/assets/a%20b.js', true],
    ['/authors', false],
    ['/authors/7', false],
    ['/authors.css', true],
    ['/assets/upload', false],
    ['/health', false],
    ['//a', false],
    ['/a/../authors/7', false],
    ['/%2e%2e/a', false],
    ['/a%5cb', false],
    ['/a"b', false],
  ])('%s: %j', (path, isFile) => {
    expect(has(path)).toBe(isFile)
  })

  it('are of GET and HEAD, and none of an app without files', () => {
    expect([has('/a', 'HEAD'), has('/a', 'POST'), has('/a', 'GET', 'ws')]).toEqual([true, false, false])
    expect(new FilePaths([of('/:id')]).has({ wire: 'http', method: 'GET', path: '/a' } as IncomingRequest)).toBe(false)
    expect(
      new FilePaths([of('/*', true), of('/:id')]).has({ wire: 'http', method: 'GET', path: '/a' } as IncomingRequest),
    ).toBe(false)
  })
})
