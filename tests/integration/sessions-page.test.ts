// The blocks of docs_site/sessions.md and docs_site/cookies.md: they compile, and what is in them works on both transports.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AnyEndpoint, App, AppOptions, Clock, Plugin, RouteTable } from '@twinwire/core'
import { createVirtualClock, onTransports, type RawSocket } from '@twinwire/core/testing'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { hasRedis, redisClient, startRedis } from '../support/redis.ts'

const page = await readBlocks('sessions-page')
const { folder } = page
const redisThere = await hasRedis()

const secrets = ['a secret of more than thirty-two bytes']
const password = 'correct horse battery staple'
const host = { host: 'app.example' }
const minute = 60_000

interface Store {
  get(key: string): Promise<object | null>
  set(key: string, session: object, idleMs: number): Promise<void>
  delete(key: string): Promise<void>
}
type Options = AppOptions<{ readonly WHO_AM_I: 1; readonly SIGN_OUT: 2 }, RouteTable, Record<never, never>>
interface SessionApp {
  toOptions(store: Store, secrets: readonly string[], check: typeof checkPassword, clock: Clock): Options
}
interface Stores {
  memorySessions(now: () => number): Store
}
interface RedisStores {
  redisSessions(redis: object): Store
}
interface SignIn {
  createKeycloak(issuer: string): Plugin
  createSignIn(tokenEndpoint: string): AnyEndpoint
  readonly signOut: AnyEndpoint
  readonly whoAmI: AnyEndpoint
}

const checkPassword = async (name: string, given: string): Promise<{ id: string; name: string } | null> =>
  given === password ? { id: name.toLowerCase(), name } : null

describe('the blocks of the pages about cookies and sessions', () => {
  testBlocks(page)

  onTransports({ describe, afterEach }, ({ start }) => {
    const startSessions = async () => {
      const { toOptions }: SessionApp = await import(`${folder}/session-app.ts`)
      const { memorySessions }: Stores = await import(`${folder}/session-store.ts`)
      const clock = createVirtualClock()
      const app = await start(
        toOptions(
          memorySessions(() => clock.now()),
          secrets,
          checkPassword,
          clock,
        ),
      )
      const signIn = async (cookie = '') => {
        const json = { name: 'Ada', password }
        const answer = await app.request('POST /sign-in', { json, headers: { ...host, cookie } })
        expect(answer.status).toBe(204)
        return /^[^;]+/.exec(answer.setCookies.at(-1) ?? '')?.[0] ?? ''
      }
      const me = (cookie: string) => app.request('GET /me', { headers: { ...host, cookie } })
      const open = (cookie: string, headers = {}) => app.connect({ headers: { ...host, cookie, ...headers } })
      return { ...app, clock, signIn, me, open }
    }

    it('sign in, and are known on both wires', async () => {
      const { request, signIn, me, open, clock } = await startSessions()
      const since = clock.now()
      const json = { name: 'Ada', password: 'wrong' }
      expect((await request('POST /sign-in', { json, headers: host })).status).toBe(401)
      const { setCookies } = await request('POST /sign-in', { json: { name: 'Ada', password }, headers: host })
      expect(setCookies.at(-1)).toMatch(
        /^__Host-session=[\w-]{43}\.\S{43,60}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      )
      const cookie = await signIn()
      expect((await me(cookie)).json()).toEqual({ name: 'Ada', since })
      expect((await me('')).status).toBe(401)
      const socket = await open(cookie, { origin: 'https://app.example' })
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok', identity: 'ada' })
      expect(await call(socket, 1)).toMatchObject({ data: { name: 'Ada', since } })
    })

    it('get another id when they sign in, and the one before ends', async () => {
      const { signIn, me } = await startSessions()
      const planted = await signIn()
      const own = await signIn(planted)
      expect(own).not.toBe(planted)
      expect([(await me(planted)).status, (await me(own)).status]).toEqual([401, 200])
    })

    it('end when they are not used, and in any case after half a day', async () => {
      const { signIn, me, open, clock } = await startSessions()
      const [idle, used] = [await signIn(), await signIn()]
      const socket = await open(used)
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      await clock.advance(29 * minute)
      expect([(await me(used)).status, await call(socket, 1)]).toMatchObject([200, { status_code: 0 }])
      await clock.advance(2 * minute)
      expect([(await me(idle)).status, (await me(used)).status]).toEqual([401, 200])
      for (let passed = 31; passed < 12 * 60 - 20; passed += 20) {
        await clock.advance(20 * minute)
        expect([passed, (await me(used)).status]).toEqual([passed, 200])
      }
      await clock.advance(30 * minute)
      expect((await me(used)).status).toBe(401)
      expect(await socket.closed).toEqual({ code: 4003, reason: 'Token expired' })
    })

    it('sign out with their sockets, and without those of others', async () => {
      const { request, signIn, me, open } = await startSessions()
      const [one, other] = [await signIn(), await signIn()]
      const [socket, kept] = [await open(one), await open(other)]
      for (const each of [socket, kept]) expect(await nextJson(each)).toMatchObject({ type: 'auth_ok' })
      const answer = await request('POST /sign-out', { headers: { ...host, cookie: one } })
      expect([answer.status, answer.setCookies.length]).toEqual([204, 1])
      expect(answer.setCookies[0]).toMatch(/^__Host-session=; Max-Age=0; /)
      expect(await socket.closed).toEqual({ code: 4004, reason: 'Session revoked' })
      expect([(await me(one)).status, (await me(other)).status]).toEqual([401, 200])
      expect(await call(kept, 1)).toMatchObject({ status_code: 0 })
    })

    it('are used by pages of their own origin only', async () => {
      const { request, signIn, me, open } = await startSessions()
      const cookie = await signIn()
      const foreign = { origin: 'https://evil.example' }
      expect((await request('POST /sign-out', { headers: { ...host, cookie, ...foreign } })).status).toBe(403)
      const json = { name: 'Eve', password }
      expect((await request('POST /sign-in', { json, headers: { ...host, ...foreign } })).status).toBe(403)
      await expect(open(cookie, foreign)).rejects.toMatchObject({ status: 403 })
      expect((await me(cookie)).status).toBe(200)
      for (const forged of [
        cookie.slice(0, -4),
        cookie.replace('__Host-session=', '__Host-session=x'),
        '__Host-session=x',
      ])
        expect((await me(forged)).status).toBe(401)
    })

    it('a token in a cookie is set by a login, and deleted', async () => {
      const { createKeycloak, createSignIn, signOut, whoAmI }: SignIn = await import(`${folder}/sign-in.ts`)
      const issuer = await createTestIssuer({ users: [{ username: 'ada' }], algorithms: ['ES256'] })
      onTestFinished(() => issuer.stop())
      const endpoint = await startTokenEndpoint(() => issuer.token('ada'))
      const endpoints = [createSignIn(endpoint), signOut, whoAmI]
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints, plugins: [createKeycloak(issuer.issuer)] })
      const json = { code: 'good', code_verifier: 'x', redirect_uri: 'https://app.example/back' }
      expect((await request('POST /sign-in', { json: { ...json, code: 'bad' } })).status).toBe(401)
      const { status, setCookies } = await request('POST /sign-in', { json })
      expect([status, setCookies[0]]).toEqual([
        204,
        expect.stringMatching(/^__Host-access_token=[\w.-]+; Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Strict$/),
      ])
      const cookie = /^[^;]+/.exec(setCookies[0] ?? '')?.[0] ?? ''
      expect((await request('GET /me', { headers: { cookie } })).json()).toEqual({ name: 'ada' })
      const foreign = { ...host, cookie, origin: 'https://evil.example' }
      expect((await request('POST /sign-in', { json, headers: foreign })).status).toBe(403)
      expect((await request('POST /sign-out', { headers: foreign })).status).toBe(403)
      const out = await request('POST /sign-out', { headers: { cookie } })
      expect(out.setCookies[0]).toMatch(/^__Host-access_token=; Max-Age=0; /)
    })

    it('theme.ts and greeting.ts remember', async () => {
      const { getTheme, setTheme }: { getTheme: AnyEndpoint; setTheme: AnyEndpoint } = await import(
        `${folder}/theme.ts`
      )
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [getTheme, setTheme] })
      const { setCookies } = await request('PUT /theme', { json: { theme: 'dark' } })
      expect(setCookies).toEqual([
        'theme=dark; Max-Age=31536000; Path=/; SameSite=Lax',
        expect.stringMatching(/^old_theme=; Max-Age=0; /),
      ])
      expect((await request('GET /theme', { headers: { cookie: 'theme=dark' } })).json()).toEqual({ theme: 'dark' })
    })
  })

  it('greeting.ts counts visits that only the app can write', async () => {
    const { createGreeting }: { createGreeting(secrets: readonly string[]): App } = await import(
      `${folder}/greeting.ts`
    )
    const app = createGreeting(secrets)
    onTestFinished(() => app.close())
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    const visit = (cookie: string): Promise<Response> => fetch(`${url}/visits`, { method: 'POST', headers: { cookie } })
    const [cookie = ''] = /^[^;]+/.exec((await visit('')).headers.getSetCookie()[0] ?? '') ?? []
    expect(await (await visit(cookie)).json()).toEqual({ visits: 2 })
    expect(await (await visit('visits=100')).json()).toEqual({ visits: 1 })
  })

  it.skipIf(!redisThere)('redis-sessions.ts keeps what it is given, for its time', async () => {
    const { redisSessions }: RedisStores = await import(`${folder}/redis-sessions.ts`)
    const server = await startRedis({ own: true })
    onTestFinished(() => server.stop())
    const redis = redisClient(server.url)
    onTestFinished(() => redis.disconnect())
    const store = redisSessions(redis)
    const session = { userId: 'ada', userName: 'Ada', createdAt: 1 }
    await store.set('k', session, 60_000)
    expect([await store.get('k'), await store.get('other')]).toEqual([session, null])
    const left = await redis.pttl('session:k')
    expect(left).toBeLessThanOrEqual(60_000)
    expect(left).toBeGreaterThan(30_000)
    await store.delete('k')
    expect([await store.get('k'), await redis.keys('*')]).toEqual([null, []])
  })
})

async function nextJson(socket: RawSocket): Promise<unknown> {
  return JSON.parse(String((await socket.next()).data))
}

let lastId = 0
function call(socket: RawSocket, pkgId: number): Promise<unknown> {
  const reqId = `00000000-0000-4000-8000-${String(++lastId).padStart(12, '0')}`
  socket.send(JSON.stringify({ pkg_id: pkgId, req_id: reqId, method: '', data: null }))
  return nextJson(socket)
}

/** As an issuer's: a code for a token. */
async function startTokenEndpoint(token: () => string): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const chunk of request) body += chunk
    const isGood = new URLSearchParams(body).get('code') === 'good'
    response.writeHead(isGood ? 200 : 400, { 'content-type': 'application/json' })
    response.end(JSON.stringify(isGood ? { access_token: token(), expires_in: 300 } : { error: 'invalid_grant' }))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen')
  return `http://127.0.0.1:${address.port}/token`
}
