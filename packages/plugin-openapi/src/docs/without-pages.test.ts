import { route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { afterEach, expect, it, vi } from 'vitest'
import type { OpenApiOptions } from '../options.ts'

const folder = vi.hoisted(() => ({ read: (): URL => new URL('file:///no/such/folder/') }))
vi.mock('../page-folder.ts', () => ({ pageFolder: () => folder.read() }))
const { openapi } = await import('../openapi-plugin.ts')

const start = (options: OpenApiOptions) =>
  createTestApp({
    pkgIds: { PING: 1 },
    routes: { PING: route({ http: 'GET /ping', access: 'public', handler: () => 'pong' }) },
    defaultAccess: 'public',
    plugins: [openapi(options)],
  })
const apps: Awaited<ReturnType<typeof start>>[] = []
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
})

it('an app that is bundled without the pages has its documents, and a warning', async () => {
  const app = await start({})
  apps.push(app)
  expect((await app.request('GET /openapi.json')).status).toBe(200)
  expect((await app.request('GET /docs')).status).toBe(404)
  const warnings = app.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
  expect(warnings).toEqual([expect.stringMatching(/pages are not in .*The documents are served without pages$/)])
})

it('one that asks for them does not start', async () => {
  await expect(start({ paths: { docs: '/docs' } })).rejects.toMatchObject({
    code: 'bad_option',
    message: expect.stringContaining('set paths.docs to false'),
  })
})
