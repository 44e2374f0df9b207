import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BootError, guard, PermissionDeniedError, route } from '@twinwire/core'
import { createTestApp, fakeIdentity, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { openapi } from '../index.ts'
import type { OpenApiOptions } from '../options.ts'
import { readPages } from './built-pages.ts'

const ping = route({ http: 'GET /ping', access: 'public', handler: () => 'pong' })
const base = { pkgIds: { PING: 1 }, routes: { PING: ping } } as const
const policy = (connect: string): string =>
  `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src ${connect}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
const html = 'text/html; charset=utf-8'

/** Paths of the files that the pages of an app load, and the pages. */
const all = ['/docs', '/docs/websocket', ...[...readPages().assets.keys()].map((name) => `/docs/${name}`)]

describe('the pages', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are served with their files, headers of their own, and addresses that are filled in', async () => {
      const { request } = await start({ ...base, plugins: [openapi()] })
      const page = await request('GET /docs')
      expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([
        200,
        html,
        'no-cache',
      ])
      expect(page.text).toContain('data-openapi="./openapi.json"')
      expect(page.text).toContain('data-websocket="./docs/websocket" data-root="./"')
      expect((await request('GET /docs/websocket')).text).toContain('data-asyncapi="../asyncapi.json"')
      for (const path of all) {
        const { status, headers } = await request(`GET ${path}`)
        expect([path, status, headers['content-security-policy']]).toEqual([path, 200, policy("'self'")])
        expect(headers['x-content-type-options']).toBe('nosniff')
      }
      const { headers } = await request('GET /docs/http/page.js')
      expect([headers['content-type'], headers['cache-control']]).toEqual([
        'text/javascript; charset=utf-8',
        'no-cache',
      ])
      const again = await request('GET /docs/http/page.js', { headers: { 'if-none-match': headers['etag'] ?? '' } })
      expect(again.status).toBe(304)
    })

    it('have no other files', async () => {
      const { request } = await start({ ...base, plugins: [openapi()] })
      const names = ['', 'http', 'http/', 'http/index.html', 'websocket/', 'websocket/index.html', 'console/index.html']
      for (const name of [...names, 'console/page.js', 'http/none.js'])
        expect([name, (await request(`GET /docs/${name}`)).status]).toEqual([name, 404])
    })

    it('are compressed for clients that accept it', async () => {
      const { request } = await start({ ...base, plugins: [openapi()] })
      for (const [accepted, encoding] of [
        ['br, gzip', 'br'],
        ['gzip', 'gzip'],
        ['identity', undefined],
      ] as const) {
        const { headers } = await request('HEAD /docs/swagger/swagger-ui-bundle.js', {
          headers: { 'accept-encoding': accepted },
        })
        expect([headers['content-encoding'], headers['vary']?.toLowerCase()]).toEqual([encoding, 'accept-encoding'])
      }
    })

    it('have the access of the documents', async () => {
      const developers = guard({
        name: 'developers',
        identity: 'required',
        run: ({ identity }) => {
          if (identity?.id !== 'developer') throw new PermissionDeniedError()
        },
      })
      const plugins = [fakeIdentity(), openapi({ access: { use: [developers] } })]
      const { request } = await start({ ...base, plugins })
      const inside = await start({ ...base, plugins: [openapi({ access: { networks: ['127.0.0.1', '::1'] } })] })
      const outside = await start({ ...base, plugins: [openapi({ access: { networks: ['203.0.113.0/24'] } })] })
      for (const path of [...all, '/openapi.json', '/asyncapi.json']) {
        const as = async (name: string) =>
          (await request(`GET ${path}`, { headers: { authorization: `Bearer ${name}` } })).status
        expect([path, (await request(`GET ${path}`)).status]).toEqual([path, 401])
        expect([path, await as('ann'), await as('developer')]).toEqual([path, 403, 200])
        expect([path, (await inside.request(`GET ${path}`)).status]).toEqual([path, 200])
        expect([path, (await outside.request(`GET ${path}`)).status]).toEqual([path, 403])
      }
    })

    it('are at a path of their own, or left out', async () => {
      const plugins = [openapi({ paths: { docs: '/api/pages', openapi: '/api/http.json' } })]
      const { request } = await start({ ...base, plugins })
      const { text } = await request('GET /api/pages')
      expect(text).toContain('data-openapi="./http.json" data-asyncapi="../asyncapi.json"')
      expect(text).toContain('src="./pages/http/page.js"')
      expect((await request('GET /api/pages/http/page.js')).status).toBe(200)
      expect((await request('GET /docs')).status).toBe(404)
      const without = await start({ ...base, plugins: [openapi({ paths: { docs: false } })] })
      for (const path of all) expect((await without.request(`GET ${path}`)).status).toBe(404)
      expect((await without.request('GET /openapi.json')).status).toBe(200)
    })

    it('link to no page about a WebSocket without packages, and send requests to the servers of the documents', async () => {
      const servers = [{ url: 'https://api.example.com/v1' }, { url: 'http://localhost:8000' }]
      const endpoints = [route({ http: 'GET /ping', access: 'public', handler: () => 'pong' })]
      const http = { securityHeaders: { 'content-security-policy': false, 'x-frame-options': false } } as const
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints, http, plugins: [openapi({ servers })] })
      const { text, headers } = await request('GET /docs')
      expect([text, headers['x-frame-options']]).toEqual([expect.stringContaining('data-websocket=""'), 'DENY'])
      expect(headers['content-security-policy']).toBe(
        policy("'self' https://api.example.com wss://api.example.com http://localhost:8000 ws://localhost:8000"),
      )
    })
  })

  it('are on a port of their own, with their files, and not on that of the app', async () => {
    const options: OpenApiOptions = { access: { port: 0 }, servers: [{ url: 'https://api.example.com' }] }
    const { request, logs, close } = await createTestApp({ ...base, plugins: [openapi(options)] })
    onTestFinished(() => close())
    const { fields } = logs.find(({ message }) => message === 'Serving the descriptions of the app') ?? { fields: null }
    const url = String(fields?.['url'])
    for (const path of all) {
      const answer = await fetch(url + path)
      expect([path, answer.status, answer.headers.get('content-security-policy')]).toEqual([
        path,
        200,
        policy("'self' https://api.example.com wss://api.example.com"),
      ])
      expect((await answer.text()).length).toBeGreaterThan(10)
      expect((await request(`GET ${path}`)).status).toBe(404)
    }
    // There is no app at that address.
    expect(await (await fetch(`${url}/docs`)).text()).toContain('data-root=""')
    const script = `${url}/docs/http/page.js`
    const { headers } = await fetch(script)
    expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect((await fetch(script, { headers: { 'if-none-match': headers.get('etag') ?? '' } })).status).toBe(304)
    const head = await fetch(script, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      headers.get('content-length'),
      '',
    ])
    expect((await fetch(script, { method: 'POST' })).status).toBe(405)
    for (const path of ['/docs/', '/docs/http/index.html', '/docs/console/page.js', '/docs/..%2fpackage.json'])
      expect([path, (await fetch(url + path)).status]).toEqual([path, 404])
  })

  it('that were not built are an error that says what to run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-pages-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const read = (): unknown => readPages(() => pathToFileURL(`${folder}/`))
    expect(read).toThrow(BootError)
    expect(read).toThrow('run "node packages/plugin-openapi/build-pages.mjs"')
    // In a bundle for `require` there is no URL of a module.
    const inBundle = (): unknown => readPages(() => new URL('../pages/', ''))
    expect(inBundle).toThrow(BootError)
    expect(inBundle).toThrow('the pages are not beside the bundle of the app')
  })
})
