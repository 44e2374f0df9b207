import { createApp, route } from '@twinwire/core'
import { createTestApp, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type AuthTest,
  authFrame,
  authOf,
  bearer,
  nextJson,
  packet,
  pkgIds,
  startApp,
  startIssuer,
} from './auth.fixtures.ts'
import { defineRoles } from './define-roles.ts'
import { authenticated, optionalUser, requireAnyRole, requireRoles, requireScope, withAuth } from './steps.ts'
import type { TestUser } from './testing/index.ts'
import { isUser, type User } from './user.ts'

type RouteName = keyof typeof pkgIds

/** The same call on both wires, and the response of each. */
async function callBoth({ request, connect, issuer }: AuthTest, name: RouteName, user: TestUser, scope = '') {
  const token = issuer.token(user, { scope })
  const response = await request(`GET /${name.toLowerCase()}`, bearer(token))
  const socket = await connect()
  socket.send(authFrame(`Bearer ${token}`))
  await nextJson(socket)
  socket.send(packet(pkgIds[name]))
  const frame = await nextJson(socket)
  socket.close()
  return { status: response.status, body: response.json(), headers: response.headers, frame }
}

describe('roles', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it.each<[RouteName, string, TestUser, readonly string[] | null]>([
      ['WHO', 'any user', { username: 'x' }, null],
      ['PLAIN', 'any user, without a step', { username: 'x' }, null],
      ['READ', 'a role of the client', { username: 'x', roles: ['read'] }, null],
      ['READ', 'no role', { username: 'x' }, ['read']],
      ['READ', 'the role of another case', { username: 'x', roles: ['Read'] }, ['read']],
      ['READ', 'a role that begins so', { username: 'x', roles: ['read-all', 'client:read', 'realm:admin'] }, ['read']],
      ['READ', 'the same name in the realm', { username: 'x', realmRoles: ['read'] }, ['read']],
      ['READ', 'the same name in another client', { username: 'x', clientRoles: { grafana: ['read'] } }, ['read']],
      ['ADMIN', 'all', { username: 'x', roles: ['read', 'write'], realmRoles: ['admin'] }, null],
      ['ADMIN', 'one of three', { username: 'x', roles: ['read'] }, ['realm:admin', 'write']],
      ['ADMIN', 'admin of the client', { username: 'x', roles: ['read', 'write', 'admin'] }, ['realm:admin']],
      ['EITHER', 'the first', { username: 'x', realmRoles: ['admin'] }, null],
      ['EITHER', 'the second', { username: 'x', roles: ['write'] }, null],
    ])('for %s: %s [defect 9]', async (name, _, user, missing) => {
      const test = await startApp(start)
      const { status, body, headers, frame } = await callBoth(test, name, user)
      if (missing === null) {
        expect([status, body, frame.status_code, frame.data]).toEqual([200, 'x', 0, 'x'])
        return
      }
      const details = { missing_roles: missing }
      expect([status, body]).toEqual([403, { error: { code: 'permission_denied', msg: 'Permission denied', details } }])
      expect(headers['www-authenticate']).toBe('Bearer realm="test-client", error="insufficient_scope"')
      expect(frame).toMatchObject({
        status_code: 3,
        data: { code: 'permission_denied', msg: `No permission for pkg_id ${pkgIds[name]}`, details },
      })
    })

    it('of requireAnyRole are all listed when none is present', async () => {
      const test = await startApp(start)
      const { status, body, frame } = await callBoth(test, 'EITHER', { username: 'x', roles: ['admin'] })
      const details = { any_of_roles: ['realm:admin', 'write'] }
      expect([status, body]).toMatchObject([403, { error: { details } }])
      expect(frame).toMatchObject({ status_code: 3, data: { details } })
    })

    it('that are missing can be hidden', async () => {
      const test = await startApp(start, { hideMissingRoles: true })
      for (const name of ['READ', 'EITHER', 'WRITE'] as const) {
        const { body, headers, frame } = await callBoth(test, name, { username: 'x' })
        expect(body).toEqual({ error: { code: 'permission_denied', msg: 'Permission denied', details: null } })
        expect(headers['www-authenticate']).toBe('Bearer realm="test-client", error="insufficient_scope"')
        expect(frame).toMatchObject({ data: { code: 'permission_denied', details: null } })
      }
    })

    it('of another client in a token for that client are not accepted [defect 4]', async () => {
      // Code that reads the roles of `azp` would accept a login at another application.
      const test = await startApp(start)
      const token = test.issuer.token(
        { username: 'eve', clientRoles: { grafana: ['read', 'admin'] } },
        { claims: { azp: 'grafana' } },
      )
      expect((await test.request('GET /read', bearer(token))).status).toBe(403)
      expect((await test.request('GET /who', bearer(token))).status).toBe(200)
    })
  })
})

describe('scopes', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are all required, and listed in the challenge', async () => {
      const test = await startApp(start)
      const user = { username: 'x' }
      const good = await callBoth(test, 'WRITE', user, 'books:read books:write')
      expect([good.status, good.frame.status_code]).toEqual([200, 0])
      const { status, body, headers, frame } = await callBoth(test, 'WRITE', user, 'books:read')
      const details = { missing_scopes: ['books:write'] }
      expect([status, body]).toMatchObject([403, { error: { code: 'permission_denied', details } }])
      expect(headers['www-authenticate']).toBe(
        'Bearer realm="test-client", error="insufficient_scope", scope="books:write"',
      )
      expect(frame).toMatchObject({ status_code: 3, data: { details } })
    })
  })
})

describe('a public route', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('ignores a token, valid or not, without a step that reads it', async () => {
      const { request, issuer } = await startApp(start)
      const bad = issuer.token('ada', { forged: true })
      expect((await request('GET /public', bearer(bad))).status).toBe(200)
      expect((await request('GET /open', bearer(bad))).status).toBe(401)
      expect((await request('GET /open')).json()).toBe(null)
      expect((await request('GET /open', bearer(issuer.token('ada')))).json()).toBe('ada')
    })

    it("has the connection's user on WebSocket [defect 2]", async () => {
      const { frame } = await callBoth(await startApp(start), 'OPEN', { username: 'x' })
      expect(frame).toMatchObject({ status_code: 0, data: 'x' })
    })
  })
})

describe('roles of realm and client with the same names', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const names = ['read', 'realm:read', 'write', 'realm:write', 'realm:admin', 'a:b', 'realm:a:b']
    const mine = defineRoles(['read'])

    it.each<TestUser>([
      { username: 'x' },
      { username: 'x', roles: ['read'] },
      { username: 'x', realmRoles: ['read'] },
      { username: 'x', roles: ['realm:read', 'a:b'], realmRoles: ['write'] },
      { username: 'x', roles: ['write'], realmRoles: ['realm:admin', 'a:b'], clientRoles: { other: ['read'] } },
    ])('`has` and `requireRoles` agree: %j', async (user) => {
      const ask = route({
        http: 'GET /ask',
        use: [authenticated()],
        handler: (_input, { user }) => names.filter((name) => user.has(name)),
      })
      const guarded = names.map((name, i) =>
        route({ http: `GET /guarded/${i}` as 'GET /guarded', use: [requireRoles(name)], handler: () => null }),
      )
      const own = route({ http: 'GET /own', use: [mine.requireRoles('read')], handler: () => null })
      const { request, issuer } = await startApp(start, {}, { endpoints: [ask, own, ...guarded] })
      const options = bearer(issuer.token(user))
      const admitted = (await Promise.all(names.map((_, i) => request(`GET /guarded/${i}`, options)))).map(
        ({ status }) => status < 300,
      )
      const has: unknown = (await request('GET /ask', options)).json()
      expect(has).toEqual(names.filter((_, i) => admitted[i]))
      const plain = user.roles ?? []
      const realm = user.realmRoles ?? []
      const right = (name: string) =>
        name.startsWith('realm:') ? realm.includes(name.slice('realm:'.length)) : plain.includes(name)
      expect(has).toEqual(names.filter(right))
      expect((await request('GET /own', options)).status).toBe(plain.includes('read') ? 200 : 403)
    })
  })
})

describe('the user', () => {
  it('has separate roles of realm and client, and is frozen', async () => {
    const users: User[] = []
    const me = route({
      http: 'GET /me',
      use: [authenticated()],
      handler: (_input, { user }) => {
        users.push(user)
        return null
      },
    })
    const { request, issuer, clock } = await startApp(createTestApp, {}, { endpoints: [me] })
    const now = clock.now()
    const ada = { username: 'ada', id: 'u-1', email: 'a@example.test', roles: ['read'], realmRoles: ['admin'] }
    const token = issuer.token(
      { ...ada, groups: ['/staff/editors'], clientRoles: { grafana: ['viewer'] } },
      { sid: 's-1', scope: 'books:read', claims: { auth_time: now / 1000 - 60 } },
    )
    await request('GET /me', bearer(token))
    await request('GET /me', bearer(token))
    const [user, again] = users
    if (user === undefined) throw new Error('No user was received')
    expect(user).toMatchObject({
      id: 'u-1',
      name: 'ada',
      username: 'ada',
      email: 'a@example.test',
      roles: ['read'],
      realmRoles: ['offline_access', 'uma_authorization', 'admin'],
      groups: ['/staff/editors'],
      scopes: ['profile', 'email', 'books:read'],
      sessionId: 's-1',
      issuedAt: now,
      authenticatedAt: now - 60_000,
      expiresAt: now + 300_000,
      claims: { azp: 'test-client', email_verified: true },
    })
    expect(again).toBe(user)
    expect(isUser(user)).toBe(true)
    const asked = ['realm:admin', 'read', 'admin', 'realm:read', 'client:read', 'viewer', 'realm:', '']
    expect(asked.filter((role) => user.has(role))).toEqual(['realm:admin', 'read'])
    expect(Object.isFrozen(user) && Object.isFrozen(user.roles) && Object.isFrozen(user.claims.resource_access)).toBe(
      true,
    )
    expect(JSON.parse(JSON.stringify(user))).toMatchObject({ id: 'u-1', roles: ['read'] })
    expect(structuredClone({ ...user })).toMatchObject({ id: 'u-1', realmRoles: user.realmRoles })
    await request('GET /me', bearer(issuer.token({ username: 'x', id: 'u-2' }, { claims: bare })))
    expect(users[2]).toMatchObject({
      id: 'u-2',
      name: 'u-2',
      username: null,
      email: null,
      roles: [],
      realmRoles: [],
      scopes: [],
    })
    expect(users[2]).toMatchObject({ groups: [], sessionId: null })
  })

  const bare = {
    preferred_username: undefined,
    email: undefined,
    realm_access: undefined,
    resource_access: undefined,
    scope: undefined,
    sid: undefined,
  }
})

describe('a step', () => {
  it.each([
    ['authenticated', authenticated()],
    ['requireRoles', requireRoles('read')],
    ['requireAnyRole', requireAnyRole('read')],
    ['requireScope', requireScope('read')],
    ['optionalUser', optionalUser()],
    ['withAuth', withAuth()],
  ])('in an app without auth() is a boot error: %s', async (_, step) => {
    const app = createApp({
      environment: 'test',
      pkgIds: { A: 1 },
      routes: { A: route({ access: 'public', use: [step], handler: () => null }) },
    })
    await expect(app.ready()).rejects.toMatchObject({
      code: 'missing_plugin',
      message: `Route A: the step '${step.name}' requires the plugin 'auth', which is not installed: add auth() to plugins`,
    })
  })

  it.each(['public', 'authenticated', undefined] as const)(
    'of an app without auth() asks for auth() and for nothing else, whatever the access: %s',
    async (access) => {
      const app = createApp({
        environment: 'production',
        http: { hosts: ['*'] },
        pkgIds: { A: 1 },
        routes: { A: route({ ...(access && { access }), use: [requireRoles('read')], handler: () => null }) },
      })
      await expect(app.ready()).rejects.toThrow(
        "Route A: the step 'auth.requireRoles(read)' requires the plugin 'auth', which is not installed: add auth() to plugins",
      )
    },
  )

  it.each([
    ['requireRoles', () => requireRoles('')],
    ['requireRoles', () => requireRoles('read', ' ')],
    ['requireRoles', () => requireRoles('realm:')],
    ['requireAnyRole', () => requireAnyRole(...noNames)],
    ['requireScope', () => requireScope('books:read books:write')],
    ['requireScope', () => requireScope('"')],
  ])('%s without a valid name is a boot error', (_, create) => {
    expect(create).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })

  it.each([
    ['requireRoles', () => requireRoles('client:read')],
    ['requireAnyRole', () => requireAnyRole('read', 'client:read')],
    ['defineRoles', () => defineRoles(['client:read'])],
  ])('%s accepts only one form of the name of a role', (step, create) => {
    expect(create).toThrow(
      `${step} takes roles of this application's client without prefix: write 'read' instead of 'client:read'`,
    )
  })

  it('of declared roles accepts only those, also without types', () => {
    const mine = defineRoles(['read', 'realm:admin'])
    expect(mine.roles).toEqual(['read', 'realm:admin'])
    expect(mine.requireRoles('read').demands).toEqual({ roles: ['read'] })
    expect(mine.requireAnyRole('realm:admin', 'read').demands).toEqual({ anyRole: ['realm:admin', 'read'] })
    // @ts-expect-error a misspelt role
    expect(() => mine.requireRoles('raed')).toThrow(
      "requireRoles: 'raed' is not one of the roles of defineRoles (read, realm:admin): correct it, or add it there",
    )
    // @ts-expect-error a role of the client is not the realm's
    expect(() => mine.requireAnyRole('read', 'admin')).toThrow("requireAnyRole: 'admin' is not one of the roles")
    expect(() => defineRoles(['read', 'read'])).toThrow("defineRoles has 'read' twice: remove one")
  })

  it('that requires a user cannot be used on a public route', async () => {
    const { issuer } = await startIssuer()
    const app = createApp({
      environment: 'test',
      pkgIds: { A: 1 },
      routes: { A: route({ access: 'public', use: [requireRoles('read')], handler: () => null }) },
      plugins: [authOf(issuer)],
    })
    await expect(app.ready()).rejects.toMatchObject({ code: 'conflicting_access' })
  })

  it('lists its roles in the description of the app', async () => {
    const { app } = await startApp(createTestApp)
    const stepsOf = (name: string) => app.describe().routes.find((each) => each.name === name)?.steps
    const roles = ['realm:admin', 'write', 'read']
    expect(stepsOf('ADMIN')).toEqual([
      { kind: 'guard', name: `auth.requireRoles(${roles.join(', ')})`, demands: { roles }, limits: [] },
    ])
    expect(stepsOf('EITHER')).toMatchObject([{ demands: { anyRole: ['realm:admin', 'write'] } }])
    expect(stepsOf('WRITE')).toMatchObject([{ demands: { scopes: ['books:write', 'books:read'] } }])
    expect(stepsOf('WHO')).toMatchObject([{ demands: {} }])
  })
})

/** Possible in JavaScript. */
const noNames = [] as unknown as [string]
