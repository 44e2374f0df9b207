import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { AuthenticationError, check, guard, PermissionDeniedError, route } from '../index.ts'
import type { Identify } from '../plugin.ts'
import { plugin, testAuth } from '../testing/suite.fixtures.ts'
import { CallError, onTransports } from '../testing.ts'

const optionalUser = guard({ name: 'optionalUser', identity: 'optional', run: () => {} })
const ownName = check({
  name: 'ownName',
  identity: 'required',
  run: (input: { name: string }, call) => {
    if (call.identity?.id !== input.name) throw new PermissionDeniedError()
  },
})
const who = (options: { access?: 'public' | 'authenticated'; path: `/${string}`; use?: [typeof optionalUser] }) =>
  route({
    http: `GET ${options.path}` as 'GET /any',
    ...(options.access && { access: options.access }),
    use: options.use ?? [],
    handler: (_input, call) => call.identity?.id ?? null,
  })
const pkgIds = { SILENT: 1, OPEN: 2, OPTIONAL: 3, OWN: 4 } as const
const routes = {
  SILENT: who({ path: '/silent' }),
  OPEN: who({ path: '/open', access: 'public' }),
  OPTIONAL: route({
    http: 'GET /optional',
    access: 'public',
    use: [optionalUser],
    handler: (_input, call) => call.identity?.id ?? null,
  }),
  OWN: route({
    http: 'GET /own/:name',
    input: v.object({ name: v.string() }),
    use: [ownName],
    handler: ({ name }) => name,
  }),
}

describe('access', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    /** With how often the owner was asked. */
    const app = async () => {
      const asked: string[] = []
      const owner = testAuth({
        identify: async ({ path, headers }) => {
          asked.push(path)
          const { authorization: token } = headers
          if (token === 'bad') throw new PermissionDeniedError('This token is not for us')
          return token === undefined ? null : { id: token, name: token }
        },
      })
      return { asked, ...(await start({ pkgIds, routes, plugins: [owner] })) }
    }

    it('of a silent route is authenticated as soon as a plugin owns identity', async () => {
      const { request, client } = await app()
      const refused = await request('GET /silent')
      expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer'])
      expect(refused.json()).toMatchObject({ error: { code: 'authentication_failed', details: null } })
      expect((await request('GET /silent', { headers: { authorization: 'ann' } })).json()).toBe('ann')
      expect((await request('GET /silent', { headers: { authorization: 'bad' } })).status).toBe(403)
      expect(await (await client({ handshake: { type: 'auth', token: 'ann' } })).call('SILENT')).toBe('ann')
    })

    it('is required with the message of the plugin that owns the identity', async () => {
      const headers = { 'www-authenticate': 'Bearer realm="books"' }
      const owner = plugin((host) =>
        host.identify(() => null, { missing: () => new AuthenticationError('Sign in', { headers }) }),
      )
      const { request } = await start({ pkgIds, routes, plugins: [owner] })
      const refused = await request('GET /silent')
      expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer realm="books"'])
      expect(refused.json()).toMatchObject({ error: { code: 'authentication_failed', msg: 'Sign in' } })
    })

    it('is missing when its owner returns nothing', async () => {
      for (const identify of [() => undefined, async () => undefined]) {
        // What a plugin in JavaScript may do.
        const owner = testAuth({ identify: identify as unknown as Identify })
        const { request } = await start({ pkgIds, routes, plugins: [owner] })
        expect((await request('GET /silent')).status).toBe(401)
      }
    })

    it('of a public route never asks who calls: a stale header does no harm', async () => {
      const { request, client, asked } = await app()
      for (const authorization of ['bad', 'ann']) {
        const response = await request('GET /open', { headers: { authorization } })
        expect([response.status, response.json()]).toEqual([200, null])
      }
      expect((await request('GET /health', { headers: { authorization: 'bad' } })).status).toBe(200)
      expect((await request('OPTIONS /silent', { headers: { authorization: 'bad' } })).status).toBe(204)
      expect((await request('GET /nowhere', { headers: { authorization: 'bad' } })).status).toBe(404)
      expect((await request('PUT /silent')).status).toBe(405)
      expect(asked).toEqual([])
      // Over WebSocket it is behind the handshake and has the identity of the connection.
      expect(await (await client({ handshake: { type: 'auth', token: 'ann' } })).call('OPEN')).toBe('ann')
    })

    it('of a public route with an optional step knows the caller who says so, and refuses a bad one', async () => {
      const { request } = await app()
      expect((await request('GET /optional')).json()).toBeNull()
      expect((await request('GET /optional', { headers: { authorization: 'ann' } })).json()).toBe('ann')
      expect((await request('GET /optional', { headers: { authorization: 'bad' } })).status).toBe(403)
    })

    it('may be refused by a check, in the same words on both wires', async () => {
      const { request, client } = await app()
      const headers = { authorization: 'ann' }
      expect((await request('GET /own/ann', { headers })).json()).toBe('ann')
      const refused = await request('GET /own/bob', { headers })
      expect([refused.status, refused.json()]).toEqual([
        403,
        { error: { code: 'permission_denied', msg: 'Permission denied', details: null } },
      ])
      const one = await client({ handshake: { type: 'auth', token: 'ann' } })
      const error = await one.call('OWN', { name: 'bob' }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'permission_denied', msg: 'No permission for pkg_id 4', rspCode: 3 })
    })

    it('without an owner of identity is public, unless the app is in production', async () => {
      const { request, app: built } = await start({ pkgIds: { SILENT: 1 }, routes: { SILENT: routes.SILENT } })
      expect((await request('GET /silent')).json()).toBeNull()
      expect(built.describe().routes.find(({ name }) => name === 'SILENT')?.access).toBe('public')
      const production = { environment: 'production', http: { hosts: ['*'] } } as const
      const only = { pkgIds: { SILENT: 1 }, routes: { SILENT: routes.SILENT } }
      await expect(start({ ...only, ...production })).rejects.toMatchObject({ code: 'missing_default_access' })
      const told = await start({ ...only, ...production, defaultAccess: 'public' })
      expect((await told.request('GET /silent')).status).toBe(200)
      const owned = await start({ ...only, ...production, plugins: [testAuth()] })
      expect((await owned.request('GET /silent')).status).toBe(401)
    })

    it('is shown by describe, with wires and steps in order, app-wide guards first', async () => {
      const everywhere = plugin((host) => {
        host.guard(guard({ name: 'limit', run: () => {} }), { when: ({ name }) => name !== 'OPEN' })
      })
      const { app: built } = await start({ pkgIds, routes, plugins: [testAuth(), everywhere] })
      const described = built.describe()
      const find = (name: string) => described.routes.find((each) => each.name === name)
      expect(find('OWN')).toMatchObject({
        pkgId: 4,
        http: 'GET /own/:name',
        access: 'authenticated',
        steps: [
          { kind: 'guard', name: 'limit' },
          { kind: 'check', name: 'ownName' },
        ],
      })
      expect(find('OPEN')).toMatchObject({ access: 'public', steps: [] })
      expect(find('GET /health')).toMatchObject({ access: 'public' })
      expect(described.toString().split('\n')[0]).toMatch(/^pkg_id +name +http +access +steps +summary$/)
    })
  })
})
