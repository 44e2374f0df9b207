// A real Keycloak 26 with the realm of the example: what it sends, and the effect on sockets.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { defineSettings } from '@twinwire/core/settings'
import { keycloakSettings } from '@twinwire/plugin-auth'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startExample } from '../support/example.ts'
import { httpCall } from '../support/http-call.ts'
import { hasKeycloak, startKeycloak, type TestKeycloak } from '../support/keycloak.ts'
import { PackageClient } from '../support/package-client.ts'
import { signInPkgIds as PkgID, type SignInApp, startSignInApp } from '../support/sign-in-app.ts'

const clientId = 'authors-api'
/** A Java server on a busy machine. */
const startTimeoutMs = 400_000
const testTimeoutMs = 120_000
const toleranceMs = 1000

describe.skipIf(!hasKeycloak())('Keycloak', { timeout: testTimeoutMs }, () => {
  let keycloak: TestKeycloak
  let app: SignInApp

  beforeAll(async () => {
    keycloak = await startKeycloak()
    app = await startSignInApp({
      issuer: keycloak.issuer,
      audience: clientId,
      clientId,
      toleranceMs,
      // Changes of the issuer are read within a second.
      keys: { cooldownMs: 500, maxAgeMs: 1000 },
      breaker: { failures: 1000 },
    })
    await keycloak.admin.updateClient(clientId, {
      attributes: { 'backchannel.logout.url': app.logoutUrl, 'backchannel.logout.session.required': 'true' },
    })
  }, startTimeoutMs)
  afterAll(async () => {
    await app?.close()
    await keycloak?.stop()
  }, startTimeoutMs)

  const read = (token: string) => httpCall(`${app.url}/read`, 'GET', undefined, token)
  const write = (token: string) => httpCall(`${app.url}/write`, 'POST', {}, token)
  const connect = async (token: string): Promise<PackageClient> => {
    const client = await PackageClient.connect(app.socketUrl)
    onTestFinished(() => client.close())
    client.authenticate(token)
    await client.controlled(1)
    expect(client.control[0]).toMatchObject({ type: 'auth_ok', expires_at: decodeJwt(token).exp })
    return client
  }

  test('a token of its password grant is accepted on both wires, with its user and roles [defect 1] [defect 83]', async () => {
    const { accessToken } = await keycloak.login('reader')
    const reader = { username: 'reader', email: 'reader@authors.example', roles: ['get-authors'] }
    expect(await read(accessToken)).toMatchObject({ status: 200, body: reader })
    const client = await connect(accessToken)
    expect(await client.call(PkgID.READ)).toMatchObject({ status_code: 0, data: reader })
    const inUpgrade = await PackageClient.connect(app.socketUrl, accessToken)
    onTestFinished(() => inUpgrade.close())
    expect(await inUpgrade.call(PkgID.READ)).toMatchObject({ status_code: 0, data: reader })
  })

  test('a reader cannot write, an administrator can [defect 5]', async () => {
    const [reader, admin] = [await keycloak.login('reader'), await keycloak.login('admin')]
    const details = { missing_roles: ['create-author'] }
    expect(await write(reader.accessToken)).toMatchObject({ status: 403, body: { error: { details } } })
    expect(await write(admin.accessToken)).toMatchObject({ status: 200 })
    const [readers, admins] = [await connect(reader.accessToken), await connect(admin.accessToken)]
    expect(await readers.call(PkgID.WRITE)).toMatchObject({ status_code: 3, data: { details } })
    expect(await admins.call(PkgID.WRITE)).toMatchObject({ status_code: 0 })
  })

  test('its ID tokens and refresh tokens are not accepted as access tokens', async () => {
    const { idToken, refreshToken } = await keycloak.login('admin')
    for (const token of [idToken, refreshToken]) {
      expect(await read(token)).toMatchObject({ status: 401, body: { error: { code: 'authentication_failed' } } })
      const client = await PackageClient.connect(app.socketUrl)
      client.authenticate(token)
      expect(await client.closed).toBe(4001)
    }
  })

  test('a role of another client with the same name is ignored [defect 4]', async () => {
    await keycloak.admin.createClient('reports', { roles: ['create-author'], audience: clientId })
    await keycloak.admin.grantClientRole('reader', 'reports', 'create-author')
    const { accessToken } = await keycloak.login('reader', 'reports')
    expect(decodeJwt(accessToken)).toMatchObject({
      azp: 'reports',
      resource_access: { reports: { roles: ['create-author'] } },
    })
    expect(await read(accessToken)).toMatchObject({ status: 200 })
    expect(await write(accessToken)).toMatchObject({ status: 403 })
    expect(await (await connect(accessToken)).call(PkgID.WRITE)).toMatchObject({ status_code: 3 })
  })

  test('in a realm without an audience mapper, only tokens of authorizedParties are accepted [defect 4]', async () => {
    for (const each of ['web', 'mobile']) {
      await keycloak.admin.createClient(each, { roles: ['get-authors'] })
      await keycloak.admin.grantClientRole('reader', each, 'get-authors')
    }
    // Every user of a new realm has this role, so its client is in the audience of the tokens of every client.
    await keycloak.admin.grantClientRole('reader', 'account', 'view-profile')
    const { keycloak: options } = defineSettings({ keycloak: keycloakSettings }).read({
      variables: {
        KEYCLOAK_BASE_URL: keycloak.url,
        KEYCLOAK_REALM: keycloak.realm,
        KEYCLOAK_CLIENT_ID: 'web',
        KEYCLOAK_AUDIENCE: 'account',
        KEYCLOAK_AUTHORIZED_PARTIES: '["web"]',
      },
    })
    if (options === null) throw new Error('Options of Keycloak are missing')
    const other = await startSignInApp(options)
    onTestFinished(() => other.close())
    const [web, mobile] = [await keycloak.login('reader', 'web'), await keycloak.login('reader', 'mobile')]
    for (const { accessToken } of [web, mobile])
      expect([decodeJwt(accessToken).aud].flat()).toEqual(expect.arrayContaining(['account']))
    expect(await httpCall(`${other.url}/read`, 'GET', undefined, web.accessToken)).toMatchObject({ status: 200 })
    expect(await httpCall(`${other.url}/read`, 'GET', undefined, mobile.accessToken)).toMatchObject({ status: 401 })
    const client = await PackageClient.connect(other.socketUrl)
    client.authenticate(mobile.accessToken)
    expect(await client.closed).toBe(4001)
  })

  test('after a key rotation tokens of the new key and of the old one are accepted', async () => {
    const before = await keycloak.login('reader')
    expect(await read(before.accessToken)).toMatchObject({ status: 200 })
    await keycloak.admin.rotateKeys()
    const after = await keycloak.login('reader')
    const [oldKey, newKey] = [before, after].map(({ accessToken }) => decodeProtectedHeader(accessToken).kid)
    expect(newKey).not.toBe(oldKey)
    // Within the cooldown of the last read the keys are not read again.
    await expect.poll(async () => (await read(after.accessToken)).status, { timeout: 20_000 }).toBe(200)
    expect(await read(before.accessToken)).toMatchObject({ status: 200 })
    expect(await (await connect(after.accessToken)).call(PkgID.READ)).toMatchObject({ status_code: 0 })
  })

  test('a socket is warned and closed with 4003 when its token expires, unless it was renewed', async () => {
    await keycloak.admin.updateRealm({ accessTokenLifespan: 15 })
    const login = await keycloak.login('reader')
    const other = await keycloak.login('admin')
    await keycloak.admin.updateRealm({ accessTokenLifespan: 300 })
    const [renewed, stranger, left] = [
      await connect(login.accessToken),
      await connect(other.accessToken),
      await connect(login.accessToken),
    ]
    const fresh = await keycloak.refresh(login.refreshToken)
    renewed.authenticate(fresh.accessToken)
    await renewed.controlled(2)
    expect(renewed.control[1]).toMatchObject({ type: 'auth_ok', expires_at: decodeJwt(fresh.accessToken).exp })
    // The token of another user is not a renewal.
    stranger.authenticate(fresh.accessToken)
    expect(await stranger.closed).toBe(4001)

    expect(await left.closed).toBe(4003)
    expect(left.control.map(({ type }) => type)).toEqual(['auth_ok', 'auth_expiring'])
    expect(await read(login.accessToken)).toMatchObject({ status: 401 })
    expect(await renewed.call(PkgID.READ)).toMatchObject({ status_code: 0 })
  })

  test('a disabled user gets no new token, and the socket closes when the token expires', async () => {
    await keycloak.admin.updateRealm({ accessTokenLifespan: 15 })
    onTestFinished(() => keycloak.admin.setUserEnabled('reader', true))
    const { accessToken, refreshToken } = await keycloak.login('reader')
    await keycloak.admin.updateRealm({ accessTokenLifespan: 300 })
    const client = await connect(accessToken)
    await keycloak.admin.setUserEnabled('reader', false)
    await expect(keycloak.refresh(refreshToken)).rejects.toThrow('invalid_grant')
    await expect(keycloak.login('reader')).rejects.toThrow('Account disabled')
    // Keycloak does not notify applications: the token is accepted until it expires.
    expect(await client.call(PkgID.READ)).toMatchObject({ status_code: 0 })
    expect(await client.closed).toBe(4003)
  })

  test("an administrator's logout of a session closes its sockets at once, and its tokens are rejected", async () => {
    const [login, elsewhere] = [await keycloak.login('reader'), await keycloak.login('reader')]
    const [one, two, bystander] = [
      await connect(login.accessToken),
      await connect(login.accessToken),
      await connect(elsewhere.accessToken),
    ]
    await keycloak.admin.endSession(String(decodeJwt(login.accessToken).sid))
    expect(await Promise.all([one.closed, two.closed])).toEqual([4004, 4004])
    expect(await read(login.accessToken)).toMatchObject({ status: 401 })
    await expect(PackageClient.connect(app.socketUrl, login.accessToken)).rejects.toThrow('401')
    expect(await bystander.call(PkgID.READ)).toMatchObject({ status_code: 0 })
    expect(await read((await keycloak.login('reader')).accessToken)).toMatchObject({ status: 200 })
  })

  test('without sessions in its logout tokens, a logout of all sessions closes every socket of the user', async () => {
    const setRequired = (required: boolean): Promise<void> =>
      keycloak.admin.updateClient(clientId, {
        attributes: {
          'backchannel.logout.url': app.logoutUrl,
          'backchannel.logout.session.required': String(required),
        },
      })
    await setRequired(false)
    onTestFinished(() => setRequired(true))
    const [phone, desk, other] = [
      await keycloak.login('reader'),
      await keycloak.login('reader'),
      await keycloak.login('admin'),
    ]
    const [onPhone, atDesk, bystander] = [
      await connect(phone.accessToken),
      await connect(desk.accessToken),
      await connect(other.accessToken),
    ]
    await keycloak.admin.endAllSessions('reader')
    expect(await Promise.all([onPhone.closed, atDesk.closed])).toEqual([4004, 4004])
    expect(await bystander.call(PkgID.READ)).toMatchObject({ status_code: 0 })
    // Times of tokens are in seconds: a login in the second of the logout counts as before it.
    const signInAgain = async () => (await read((await keycloak.login('reader')).accessToken)).status
    await expect.poll(signInAgain, { timeout: 10_000 }).toBe(200)
  })

  test("a user's own logout closes the sockets of that session only", async () => {
    const [phone, desk] = [await keycloak.login('reader'), await keycloak.login('reader')]
    const [onPhone, atDesk] = [await connect(phone.accessToken), await connect(desk.accessToken)]
    await keycloak.logout(phone.refreshToken)
    expect(await onPhone.closed).toBe(4004)
    expect(await read(phone.accessToken)).toMatchObject({ status: 401 })
    expect(await atDesk.call(PkgID.READ)).toMatchObject({ status_code: 0 })
    expect(await read(desk.accessToken)).toMatchObject({ status: 200 })
  })

  test("the realm's not-before invalidates older tokens, and closes their sockets", async () => {
    const { accessToken } = await keycloak.login('reader')
    const client = await connect(accessToken)
    await keycloak.admin.updateRealm({ notBefore: (decodeJwt(accessToken).iat ?? 0) + 1 })
    expect(await client.closed).toBe(4004)
    expect(await read(accessToken)).toMatchObject({ status: 401 })
    await keycloak.admin.updateRealm({ notBefore: 0 })
  })

  test('the example uses it with three variables, and prints how to get a token', async () => {
    const env = { KEYCLOAK_BASE_URL: keycloak.url, KEYCLOAK_REALM: keycloak.realm, KEYCLOAK_CLIENT_ID: clientId }
    const example = await startExample({ databaseUrl: 'pglite://memory', env })
    onTestFinished(async () => void (await example.stop('SIGKILL')))
    expect(example.tokens).toBeNull()
    expect(example.output()).toContain(`Users sign in at ${keycloak.issuer}.`)
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const getToken = async (username: string): Promise<string> => {
      const args = ['run', '--silent', 'get-token', '--', username]
      const { stdout } = await promisify(execFile)('npm', args, { cwd: root, env: { ...process.env, ...env } })
      return stdout.trim()
    }
    const [reader, admin] = [await getToken('reader'), await getToken('admin')]
    const author = { name: 'Italo Calvino' }
    expect(await httpCall(`${example.url}/authors`, 'POST', author)).toMatchObject({ status: 401 })
    expect(await httpCall(`${example.url}/authors`, 'POST', author, reader)).toMatchObject({ status: 403 })
    expect(await httpCall(`${example.url}/authors`, 'POST', author, admin)).toMatchObject({ status: 201, body: author })
    const socket = await PackageClient.connect(example.socketUrl, reader)
    onTestFinished(() => socket.close())
    expect(await socket.call(1, { name: author.name })).toMatchObject({ status_code: 0, data: [author] })
    await expect(getToken('unknown')).rejects.toThrow(
      "The issuer issued no token for 'unknown': Invalid user credentials",
    )
  })
})

describe.skipIf(!hasKeycloak() || process.env.TEST_KEYCLOAK_URL)('Keycloak that goes and comes', () => {
  test('signed-in users are not affected while it is down; new ones wait for it', {
    timeout: 3 * startTimeoutMs,
  }, async () => {
    const keycloak = await startKeycloak()
    onTestFinished(() => keycloak.stop())
    const options = {
      issuer: keycloak.issuer,
      audience: clientId,
      clientId,
      keys: { cooldownMs: 500, maxAgeMs: 500, timeoutMs: 1000 },
      breaker: { failures: 3, resetMs: 1000 },
    }
    const app = await startSignInApp(options)
    onTestFinished(() => app.close())
    await keycloak.admin.updateRealm({ accessTokenLifespan: 3600 })
    const { accessToken } = await keycloak.login('reader')
    const unseen = (await keycloak.login('admin')).accessToken

    const statuses = new Map<unknown, number>()
    const count = (status: unknown): void => void statuses.set(status, (statuses.get(status) ?? 0) + 1)
    const socket = await PackageClient.connect(app.socketUrl, accessToken)
    onTestFinished(() => socket.close())
    let isOver = false
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!isOver) {
          count((await httpCall(`${app.url}/read`, 'GET', undefined, accessToken)).status)
          count((await socket.call(PkgID.READ)).status_code)
          const visitor = await PackageClient.connect(app.socketUrl, accessToken)
          count((await visitor.call(PkgID.READ)).status_code)
          await visitor.close()
        }
      }),
    )

    await keycloak.shutDown()
    // A token that is not cached is verified with the keys that were read.
    expect(await httpCall(`${app.url}/read`, 'GET', undefined, unseen)).toMatchObject({ status: 200 })
    expect(await httpCall(`${app.url}/health`)).toMatchObject({ status: 200, body: { keycloak: 'healthy' } })
    const late = await startSignInApp(options)
    onTestFinished(() => late.close())
    const lateRead = () => httpCall(`${late.url}/read`, 'GET', undefined, accessToken)
    expect(await lateRead()).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    expect(await httpCall(`${late.url}/health/ready`)).toMatchObject({ status: 503 })

    await keycloak.startAgain()
    await expect.poll(async () => (await lateRead()).status, { timeout: 60_000 }).toBe(200)
    await expect.poll(async () => (await httpCall(`${late.url}/health/ready`)).status, { timeout: 60_000 }).toBe(200)
    isOver = true
    await load
    expect([...statuses.keys()].sort()).toEqual([0, 200])
    expect(statuses.get(200)).toBeGreaterThan(10)
  })
})
