import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { createKeycloakAdmin, getAdminToken, type KeycloakAdmin } from './keycloak-admin.ts'
import { distributionFolder, hasJava, isDistributionInstalled } from './keycloak-distribution.ts'
import { type KeycloakServer, startKeycloakServer } from './keycloak-server.ts'
import { type ServiceSource, serviceMissing } from './service.ts'

/** The realm of the example, which the documentation tells users to import. */
const exampleRealm: string = fileURLToPath(
  new URL('../../examples/authors/deploy/keycloak/realm.json', import.meta.url),
)

export interface TestKeycloak {
  readonly url: string
  /** A copy of the example's realm for this caller only. */
  readonly realm: string
  /** `<url>/realms/<realm>` */
  readonly issuer: string
  readonly source: ServiceSource
  readonly admin: KeycloakAdmin
  /** The password grant. Rejects with the response of Keycloak when it issues no token. */
  login(username: string, clientId?: string): Promise<KeycloakLogin>
  refresh(refreshToken: string): Promise<KeycloakLogin>
  /** Like an application whose user signs out. */
  logout(refreshToken: string): Promise<void>
  /** Only for a server that was started here. Keeps its files. */
  shutDown(): Promise<void>
  /** Only for a server that was started here; with the same port and files. */
  startAgain(): Promise<void>
  /** Removes the realm, and stops the server if it was started here. */
  stop(): Promise<void>
}

export interface KeycloakLogin {
  readonly accessToken: string
  readonly refreshToken: string
  readonly idToken: string
}

/**
 * True when `startKeycloak()` can work here; if not, prints why, or throws where services are required. `TEST_KEYCLOAK=off`: run without it.
 */
export function hasKeycloak(): boolean {
  if (process.env.TEST_KEYCLOAK === 'off') {
    console.warn('Keycloak: not run (TEST_KEYCLOAK=off)')
    return false
  }
  if (process.env.TEST_KEYCLOAK_URL) return true
  if (isDistributionInstalled() && hasJava()) return true
  return serviceMissing('Keycloak', 'set TEST_KEYCLOAK_URL, or run `npm run keycloak -- install` (Java 17 and Maven)')
}

/**
 * The server of `TEST_KEYCLOAK_URL` (administrator: `TEST_KEYCLOAK_ADMIN`, `TEST_KEYCLOAK_ADMIN_PASSWORD`, both `admin` by default), or a new
 * server from the distribution in the cache. It is slow to start: start one for each suite.
 */
export async function startKeycloak(): Promise<TestKeycloak> {
  const given = process.env.TEST_KEYCLOAK_URL?.replace(/\/+$/, '')
  const { TEST_KEYCLOAK_ADMIN: username = 'admin', TEST_KEYCLOAK_ADMIN_PASSWORD: password = 'admin' } = process.env
  const account = { username, password }
  if (given === undefined || given === '') {
    const server = await startKeycloakServer({
      distribution: distributionFolder(),
      realms: [exampleRealm],
      admin: account,
    })
    return toTestKeycloak(server.url, 'authors', account, server)
  }
  const realm = `authors-${randomBytes(6).toString('hex')}`
  await createRealm(given, realm, account)
  return toTestKeycloak(given, realm, account, null)
}

interface Account {
  readonly username: string
  readonly password: string
}

function toTestKeycloak(url: string, realm: string, account: Account, server: KeycloakServer | null): TestKeycloak {
  const issuer = `${url}/realms/${realm}`
  const own = (): KeycloakServer => {
    if (server === null) throw new Error('This Keycloak was not started by the tests: unset TEST_KEYCLOAK_URL')
    return server
  }
  const defaultClient = 'authors-api'
  return {
    url,
    realm,
    issuer,
    source: server === null ? 'given' : 'own',
    admin: createKeycloakAdmin({ url, realm, ...account }),
    login: (username, clientId = defaultClient) =>
      requestTokens(issuer, {
        grant_type: 'password',
        client_id: clientId,
        username,
        password: username,
        scope: 'openid',
      }),
    refresh: (refreshToken) =>
      requestTokens(issuer, { grant_type: 'refresh_token', client_id: defaultClient, refresh_token: refreshToken }),
    async logout(refreshToken) {
      const response = await fetch(`${issuer}/protocol/openid-connect/logout`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: defaultClient, refresh_token: refreshToken }),
      })
      if (!response.ok) throw new Error(`Keycloak: ${response.status} ${await response.text()}`)
    },
    shutDown: () => own().shutDown(),
    startAgain: () => own().startAgain(),
    stop: () => (server === null ? deleteRealm(url, realm, account) : server.stop()),
  }
}

async function requestTokens(issuer: string, form: Record<string, string>): Promise<KeycloakLogin> {
  const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`Keycloak: ${response.status} ${text}`)
  const { access_token, refresh_token, id_token }: Readonly<Record<string, unknown>> = JSON.parse(text)
  return { accessToken: String(access_token), refreshToken: String(refresh_token), idToken: String(id_token) }
}

async function createRealm(url: string, realm: string, account: Account): Promise<void> {
  const definition: object = JSON.parse(await readFile(exampleRealm, 'utf8'))
  await callAdmin(`${url}/admin/realms`, 'POST', url, account, { ...definition, id: realm, realm })
}

function deleteRealm(url: string, realm: string, account: Account): Promise<void> {
  return callAdmin(`${url}/admin/realms/${realm}`, 'DELETE', url, account)
}

async function callAdmin(to: string, method: string, url: string, account: Account, body?: object): Promise<void> {
  const token = await getAdminToken(url, account.username, account.password)
  const response = await fetch(to, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`Keycloak: ${method} ${to}: ${response.status} ${await response.text()}`)
}
