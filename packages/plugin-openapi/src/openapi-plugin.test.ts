import { type App, BootError, createApp, guard, PermissionDeniedError, type Plugin, route } from '@twinwire/core'
import { createTestApp, fakeIdentity, onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseJson } from './everything.fixtures.ts'
import { openapi } from './index.ts'
import type { OpenApiOptions } from './options.ts'
import { toNode } from './schemas/node.ts'

const ping = route({ http: 'GET /ping', access: 'public', output: v.string(), handler: () => 'pong' })
const base = { pkgIds: { PING: 1 }, routes: { PING: ping } } as const

describe('the documents', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are served as JSON, with HEAD and a 405 for other methods', async () => {
      const info = { title: 'Pings', version: '1.4.0', description: 'Answers' }
      const { request } = await start({
        ...base,
        plugins: [openapi({ info, servers: [{ url: 'https://a.example/v1/' }] })],
      })
      const { status, headers, text } = await request('GET /openapi.json')
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-cache'])
      expect(parseJson(text)).toMatchObject({ openapi: '3.1.0', info, servers: [{ url: 'https://a.example/v1/' }] })
      const events = parseJson((await request('GET /asyncapi.json')).text)
      expect(events).toMatchObject({
        asyncapi: '3.0.0',
        info,
        servers: { server1: { host: 'a.example', pathname: '/v1', protocol: 'wss' } },
        channels: { websocket: { address: '/ws' } },
      })
      expect((await request('HEAD /openapi.json')).text).toBe('')
      expect((await request('POST /asyncapi.json')).headers['allow']).toBe('GET, HEAD, OPTIONS')
    })

    it('are protected by guards: a role of an identity', async () => {
      const role = guard({
        name: 'role',
        identity: 'required',
        run: ({ identity }) => {
          if (identity?.id !== 'developer') throw new PermissionDeniedError()
        },
      })
      const { request } = await start({ ...base, plugins: [fakeIdentity(), openapi({ access: { use: [role] } })] })
      for (const path of ['/openapi.json', '/asyncapi.json']) {
        expect((await request(`GET ${path}`)).status).toBe(401)
        expect((await request(`GET ${path}`, { headers: { authorization: 'Bearer ann' } })).status).toBe(403)
        expect((await request(`GET ${path}`, { headers: { authorization: 'Bearer developer' } })).status).toBe(200)
      }
      expect((await request('GET /ping')).status).toBe(200)
    })

    it('are for addresses of some networks, at paths of their own', async () => {
      const paths = { openapi: '/api/http.json' } as const
      const elsewhere = await start({
        ...base,
        plugins: [openapi({ paths, access: { networks: ['203.0.113.0/24'] } })],
      })
      expect((await elsewhere.request('GET /api/http.json')).status).toBe(403)
      expect((await elsewhere.request('GET /asyncapi.json')).status).toBe(403)
      expect((await elsewhere.request('GET /openapi.json')).status).toBe(404)
      const here = await start({ ...base, plugins: [openapi({ access: { networks: ['127.0.0.1', '::1'] } })] })
      expect((await here.request('GET /openapi.json')).status).toBe(200)
    })
  })

  it('are on a port of their own, and not on that of the app', async () => {
    const { app, request, logs, close } = await createTestApp({ ...base, plugins: [openapi({ access: { port: 0 } })] })
    const { fields } = logs.find(({ message }) => message === 'Serving the descriptions of the app') ?? { fields: null }
    const url = String(fields?.['url'])
    const answer = await fetch(`${url}/openapi.json?x=1`)
    expect([answer.status, toNode(await answer.json())['openapi']]).toEqual([200, '3.1.0'])
    expect((await fetch(`${url}/other`)).status).toBe(404)
    expect((await fetch(`${url}/asyncapi.json`, { method: 'POST' })).status).toBe(405)
    expect(await (await fetch(`${url}/asyncapi.json`, { method: 'HEAD' })).text()).toBe('')
    expect((await request('GET /openapi.json')).status).toBe(404)
    expect(app.describe().routes.some(({ http }) => http === 'GET /openapi.json')).toBe(false)
    const taken = createApp({
      ...base,
      environment: 'test',
      log: 'fatal',
      plugins: [openapi({ access: { port: Number(new URL(url).port) } })],
    })
    await expect(taken.ready()).rejects.toMatchObject({ code: 'unavailable_port' })
    await close()
    await expect(fetch(`${url}/openapi.json`)).rejects.toThrow()
  })
})

describe('openapi()', () => {
  const boot = async (
    options: OpenApiOptions,
    environment: 'dev' | 'production' | 'staging' | 'test',
  ): Promise<App> => {
    const app = createApp({
      ...base,
      environment,
      defaultAccess: 'public',
      log: 'fatal',
      http: { hosts: ['*'] },
      plugins: [openapi(options)],
    })
    await app.ready()
    return app
  }

  it('does not boot in production without access', async () => {
    for (const options of [{}, { access: 'public' }] as const) {
      const error: unknown = await boot(options, 'production').catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(BootError)
      expect(String(error)).toContain(
        'openapi(): access must say in production who may read the descriptions of the app',
      )
    }
    await (await boot({ access: { networks: ['10.0.0.0/8'] } }, 'production')).close()
  })

  it('does not boot in staging without access; public there has to be said', async () => {
    await expect(boot({}, 'staging')).rejects.toMatchObject({
      code: 'bad_option',
      message: expect.stringContaining(
        "openapi(): access must say in staging who may read the descriptions of the app: 'public' for everyone",
      ),
    })
    await (await boot({ access: 'public' }, 'staging')).close()
    for (const environment of ['dev', 'test'] as const) await (await boot({}, environment)).close()
  })

  it.each([
    [{ access: { use: [] } }, 'access.use'],
    [{ access: { networks: [] } }, 'access.networks'],
    [{ access: { port: 70_000 } }, 'access.port'],
    [{ servers: [{ url: 'ftp://x' }] }, 'servers[0].url'],
    [{ info: { title: '' } }, 'info.title'],
    [{ paths: { openapi: '/a', asyncapi: '/a' } }, '/a'],
    [{ paths: { docs: '/openapi.json' } }, '/openapi.json'],
  ] as const)('refuses %o', async (options, named) => {
    const error: unknown = await boot(options, 'test').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(BootError)
    expect(String(error)).toContain(named)
  })

  it('says in the doctor who may read', async () => {
    const app = await boot({ access: { networks: ['10.0.0.0/8'] } }, 'test')
    expect(String(await app.doctor())).toContain('/openapi.json, /asyncapi.json and /docs are served to 10.0.0.0/8')
    await app.close()
  })
})

describe('schemas of other vendors', () => {
  const unknownVendor = {
    '~standard': { version: 1, vendor: 'plain', validate: (value: unknown) => ({ value }) },
  } as const

  it('are used as their ~standard.jsonSchema says, or described as unknown with a warning that names the route', async () => {
    const add = route({
      http: 'POST /tasks',
      input: z.object({ title: z.string().min(1), due: z.iso.date().optional() }),
      output: z.object({ id: z.number(), at: z.date() }),
      handler: () => ({ id: 1, at: new Date() }),
    })
    const odd = route({ http: 'PUT /odd', input: unknownVendor, handler: () => undefined })
    const { request, logs, close } = await createTestApp({
      pkgIds: { ADD: 1, ODD: 2 },
      routes: { ADD: add, ODD: odd },
      plugins: [openapi()],
    })
    const { components, paths } = parseJson((await request('GET /openapi.json')).text)
    expect(toNode(toNode(components)['schemas'])['AddInput']).toMatchObject({
      type: 'object',
      required: ['title'],
      properties: { title: { type: 'string', minLength: 1 } },
    })
    expect(JSON.stringify(toNode(toNode(paths)['/odd'])['put'])).toContain('the schema is not described')
    const warnings = logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(warnings).toEqual([
      expect.stringContaining('The output of route ADD is described as an unknown value: zod cannot convert it'),
      'The input of route ODD is described as an unknown value: plain does not provide ~standard.jsonSchema',
    ])
    await close()
  })
})

/** A plugin may describe the app only when it is complete. */
it('is refused by core before the app is ready', async () => {
  const early: Plugin<void> = { name: 'early', setup: (host) => void host.describe() }
  const app = createApp({ ...base, environment: 'test', log: 'fatal', plugins: [early] })
  await expect(app.ready()).rejects.toMatchObject({ code: 'wrong_state' })
})
