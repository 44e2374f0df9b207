import { createTestApp } from '@twinwire/core/testing'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createAuthorsApp } from './app.ts'
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
    headers: {
      host: 'localhost:8000',
      origin: 'http://localhost:8000',
      'content-type': 'application/json',
      ...headers,
    },
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
    expect((await token({ username: 'admin' }, { host, origin: `http://${host}` })).status).toBe(403)
    expect((await request('GET /development/users', { headers: { host } })).status).toBe(403)
  },
)

test.each(['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'])(
  'a caller behind a proxy, which sends %s, gets nothing',
  async (name) => {
    const headers = { host: '127.0.0.1:8000', [name]: '1.1 proxy' }
    const answers = [
      await token({ username: 'admin' }, { ...headers, origin: 'http://127.0.0.1:8000' }),
      await request('GET /development/users', { headers }),
    ]
    for (const { status, text } of answers) {
      expect(status).toBe(403)
      expect(text).toContain(`the request has the header ${name}`)
    }
  },
)

test.each([
  { host: '127.0.0.1:8000', origin: 'https://staging.example' },
  { origin: 'http://localhost:3000' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
])('a page of another origin gets no token, also by a proxy that adds no header: %j', async (headers) => {
  const { status, text } = await token({ username: 'admin' }, headers)
  expect(status).toBe(403)
  expect(text).toContain('Origin must be that of Host')
})

test('a token is for a page: without an origin there is none', async () => {
  const headers = { host: 'localhost:8000', 'content-type': 'application/json' }
  const body = JSON.stringify({ username: 'admin' })
  expect((await request('POST /development/token', { body, headers })).status).toBe(403)
  expect((await token({ username: 'admin' }, { 'sec-fetch-site': 'same-origin' })).status).toBe(200)
})

test('with a Keycloak there are none', async () => {
  const settings = declaredSettings.read({
    variables: { KEYCLOAK_BASE_URL: 'https://id.example', KEYCLOAK_REALM: 'a', KEYCLOAK_CLIENT_ID: 'b' },
  })
  expect((await openIssuer(settings)).development).toBeNull()
})

test.each(['staging', 'production'] as const)('in %s there is no development issuer', async (environment) => {
  const settings = { ...declaredSettings.read({ variables: {} }), environment }
  await expect(openIssuer(settings)).rejects.toMatchObject({
    code: 'bad_option',
    message: expect.stringContaining(`cannot be used in ${environment}: set KEYCLOAK_BASE_URL`),
  })
})

test('in staging neither the console nor its users are served, and the documents are for administrators', async () => {
  const variables = { ENV: 'staging', PORT: '0', LOG_LEVEL: 'fatal', DATABASE_URL: 'pglite://memory' }
  const settings = declaredSettings.read({ variables })
  const keycloak = { issuer: 'https://127.0.0.1:9/realms/authors', audience: 'authors-api', clientId: 'authors-api' }
  const app = createAuthorsApp(settings, keycloak, { users: [], token: () => 'a token' })
  onTestFinished(() => app.close())
  const { url } = await app.listen(settings.listen)
  const page = await fetch(`${url}/`)
  expect([page.status, await page.text()]).toEqual([200, expect.not.stringContaining('page.js')])
  expect((await fetch(`${url}/development/users`)).status).toBe(404)
  expect((await fetch(`${url}/openapi.json`)).status).toBe(401)
}, 60_000)
