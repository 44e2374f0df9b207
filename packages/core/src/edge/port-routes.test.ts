import { NotFoundError, route } from '@twinwire/core'
import { openEndpointPort, PortRoutes, systemClock } from '@twinwire/core/plugin'
import { createTestApp, createTestLogger } from '@twinwire/core/testing'
import * as v from 'valibot'
import { expect, it, onTestFinished } from 'vitest'

const JobInput = v.strictObject({ id: v.number(), since: v.optional(v.date()) })

async function readJob({ id, since }: v.InferOutput<typeof JobInput>) {
  if (id === 404) throw new NotFoundError('Job with ID 404 not found')
  if (id === 500) throw new Error('with a password')
  return { id, since: since ?? null }
}

async function startPort(unknownKeys: 'validate' | 'ignore' = 'validate') {
  const log = createTestLogger()
  const routes = new PortRoutes({ log, clock: systemClock, unknownKeys })
  routes.get('/jobs/:id', JobInput, readJob)
  routes.get('/jobs', v.strictObject({}), async () => ({ items: [] }))
  const port = await openEndpointPort({
    owner: 'jobs()',
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    answer: (request, response) => routes.answer(request, response),
  })
  onTestFinished(() => port.close())
  const request = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port.port}${path}`, init)
  return { request, log }
}

it('answers as the same route of an app does', async () => {
  const { request } = await startPort()
  const app = await createTestApp({
    pkgIds: {},
    routes: {},
    endpoints: [
      route({
        http: 'GET /jobs/:id',
        access: 'public',
        input: JobInput,
        output: v.object({ id: v.number(), since: v.nullable(v.date()) }),
        handler: readJob,
      }),
    ],
  })
  onTestFinished(() => app.close())
  const paths = [
    '/jobs/7',
    '/jobs/7?since=2024-02-29',
    '/jobs/7?since=2024-02-30',
    '/jobs/seven',
    '/jobs/7?id=8',
    '/jobs/7?other=1',
    '/jobs/7?since=%ff',
    '/jobs/404',
    '/jobs/500',
  ]
  for (const path of paths) {
    const [own, ofApp] = [await request(path), await app.request(`GET ${path}`)]
    expect([path, own.status, await own.json()]).toEqual([path, ofApp.status, ofApp.json()])
    expect(own.headers.get('content-type')).toBe(ofApp.headers['content-type'])
    expect(own.headers.get('x-content-type-options')).toBe('nosniff')
    expect(own.headers.get('cache-control')).toBe('no-store')
  }
})

it('has no other path, and no other method', async () => {
  const { request } = await startPort()
  for (const path of ['/', '/job', '/jobs/', '/jobs/7/x', '/jobs/%ff']) {
    const answer = await request(path)
    expect([path, answer.status]).toEqual([path, 404])
    expect(await answer.json()).toMatchObject({ error: { code: 'not_found' } })
  }
  const refused = await request('/jobs', { method: 'DELETE' })
  expect(refused.status).toBe(405)
  expect(refused.headers.get('allow')).toBe('GET, HEAD')
  expect(await refused.json()).toMatchObject({ error: { code: 'method_not_allowed' } })
  const head = await request('/jobs', { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '12', ''])
})

it('ignores unknown keys where the app does', async () => {
  const { request } = await startPort('ignore')
  expect((await request('/jobs?other=1')).status).toBe(200)
})

it('logs what failed, and does not send it', async () => {
  const { request, log } = await startPort()
  const answer = await request('/jobs/500')
  expect(await answer.json()).toEqual({ error: { code: 'internal_error', msg: 'Internal error', details: null } })
  expect(JSON.stringify(log.lines)).toContain('A request to a port of its own failed')
})

it('aborts what it reads for a client that has disconnected', async () => {
  const routes = new PortRoutes({ log: createTestLogger(), clock: systemClock })
  const client = new AbortController()
  const aborted = new Promise<void>((resolve) => {
    routes.get('/jobs', v.strictObject({}), (_input, signal) => {
      signal.addEventListener('abort', () => resolve())
      client.abort()
      return new Promise(() => {})
    })
  })
  const port = await openEndpointPort({
    owner: 'jobs()',
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    answer: (request, response) => routes.answer(request, response),
  })
  onTestFinished(() => port.close())
  await expect(fetch(`http://127.0.0.1:${port.port}/jobs`, { signal: client.signal })).rejects.toThrow()
  await aborted
})
