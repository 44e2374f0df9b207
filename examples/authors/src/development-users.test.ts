import { createTestApp } from '@twinwire/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openIssuer } from './development-issuer.ts'
import { developmentUsers } from './development-users.ts'
import { declaredSettings } from './settings.ts'

let request: Awaited<ReturnType<typeof start>>['request']
let close: () => Promise<void>

const start = () =>
  createTestApp({
    pkgIds: {},
    routes: {},
    plugins: [
      developmentUsers({
        users: [{ username: 'admin', roles: ['create-author'] }],
        token: (username, seconds) => `token of ${username} for ${seconds}`,
      }),
    ],
  })

beforeAll(async () => {
  const app = await start()
  request = app.request
  close = () => app.close()
})
afterAll(() => close())

const token = (body: object, headers: Readonly<Record<string, string>> = {}) =>
  request('POST /development/token', {
    body: JSON.stringify(body),
    headers: { host: 'localhost:8000', 'content-type': 'application/json', ...headers },
  })

test('names the users, and gives each a token with the lifetime that is requested', async () => {
  const { text } = await request('GET /development/users', { headers: { host: '127.0.0.1:8000' } })
  expect(JSON.parse(text)).toEqual({ users: [{ username: 'admin', roles: ['create-author'] }] })
  expect(JSON.parse((await token({ username: 'admin' })).text)).toEqual({
    token: 'token of admin for 300',
    expires_in: 300,
  })
  expect(JSON.parse((await token({ username: 'admin', seconds: 20 })).text)).toMatchObject({ expires_in: 20 })
})

test.each([
  [{ username: 'root' }, 404],
  [{ username: 'admin', seconds: 0 }, 422],
  [{ username: 'admin', seconds: 43_201 }, 422],
  [{}, 422],
])('%j is answered with %i', async (body, status) => {
  expect((await token(body)).status).toBe(status)
})

test.each(['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8000'])(
  'a page of another site, whose name resolves to this machine, gets nothing: %s',
  async (host) => {
    expect((await token({ username: 'admin' }, { host })).status).toBe(403)
    expect((await request('GET /development/users', { headers: { host } })).status).toBe(403)
  },
)

test('with a Keycloak there are none', async () => {
  const settings = declaredSettings.read({
    variables: { KEYCLOAK_BASE_URL: 'https://id.example', KEYCLOAK_REALM: 'a', KEYCLOAK_CLIENT_ID: 'b' },
  })
  expect((await openIssuer(settings)).development).toBeNull()
})
