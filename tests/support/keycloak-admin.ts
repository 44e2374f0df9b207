/** The part of Keycloak's admin API that the suites use, for one realm. */
export interface KeycloakAdmin {
  /** Changes settings of the realm: `{ accessTokenLifespan: 5 }`. */
  updateRealm(changes: object): Promise<void>
  /** Adds an RSA key, which signs all further tokens. */
  rotateKeys(): Promise<void>
  updateClient(clientId: string, changes: object): Promise<void>
  /** A public client with the password grant and with roles; `audience`: of its tokens. */
  createClient(
    clientId: string,
    options: { readonly roles: readonly string[]; readonly audience?: string },
  ): Promise<void>
  grantClientRole(username: string, clientId: string, role: string): Promise<void>
  setUserEnabled(username: string, enabled: boolean): Promise<void>
  /** Ends one session, like "Sign out" in the console. */
  endSession(sid: string): Promise<void>
  /** Ends all sessions of a user, like "Logout all sessions". Keycloak 26 notifies applications of only one of them. */
  endAllSessions(username: string): Promise<void>
}

interface AdminOptions {
  readonly url: string
  readonly realm: string
  readonly username: string
  readonly password: string
}

export function createKeycloakAdmin({ url, realm, username, password }: AdminOptions): KeycloakAdmin {
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/admin/realms/${realm}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await getAdminToken(url, username, password)}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`Keycloak: ${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
  const find = async (path: string): Promise<Readonly<Record<string, unknown>>> => {
    const found = await call('GET', path)
    const first: unknown = Array.isArray(found) ? found[0] : found
    if (typeof first !== 'object' || first === null) throw new Error(`Keycloak: nothing at ${path}`)
    return { ...first }
  }
  const userOf = (name: string) => find(`/users?exact=true&username=${encodeURIComponent(name)}`)
  const clientOf = (clientId: string) => find(`/clients?clientId=${encodeURIComponent(clientId)}`)

  return {
    updateRealm: async (changes) => void (await call('PUT', '', changes)),
    async rotateKeys() {
      const providers = await call('GET', '/components?type=org.keycloak.keys.KeyProvider')
      const priority = 100 + (Array.isArray(providers) ? providers.length : 0)
      await call('POST', '/components', {
        name: `rsa-${priority}`,
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: { priority: [String(priority)], algorithm: ['RS256'], keySize: ['2048'] },
      })
    },
    async updateClient(clientId, changes) {
      const client = await clientOf(clientId)
      await call('PUT', `/clients/${client.id}`, { ...client, ...changes })
    },
    async createClient(clientId, { roles, audience }) {
      await call('POST', '/clients', {
        clientId,
        publicClient: true,
        directAccessGrantsEnabled: true,
        fullScopeAllowed: true,
        protocolMappers:
          audience === undefined
            ? []
            : [
                {
                  name: 'audience',
                  protocol: 'openid-connect',
                  protocolMapper: 'oidc-audience-mapper',
                  config: { 'included.client.audience': audience, 'access.token.claim': 'true' },
                },
              ],
      })
      const { id } = await clientOf(clientId)
      for (const name of roles) await call('POST', `/clients/${id}/roles`, { name })
    },
    async grantClientRole(name, clientId, role) {
      const [user, client] = [await userOf(name), await clientOf(clientId)]
      const found = await find(`/clients/${client.id}/roles/${encodeURIComponent(role)}`)
      await call('POST', `/users/${user.id}/role-mappings/clients/${client.id}`, [found])
    },
    async setUserEnabled(name, enabled) {
      const user = await userOf(name)
      await call('PUT', `/users/${user.id}`, { ...user, enabled })
    },
    endSession: async (sid) => void (await call('DELETE', `/sessions/${sid}`)),
    async endAllSessions(name) {
      const { id } = await userOf(name)
      await call('POST', `/users/${id}/logout`)
    },
  }
}

/** Requested for each call: a token lives for a minute, and a suite may shorten that. */
export async function getAdminToken(url: string, username: string, password: string): Promise<string> {
  const response = await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username, password }),
  })
  const body: unknown = await response.json()
  if (typeof body === 'object' && body !== null && 'access_token' in body && typeof body.access_token === 'string')
    return body.access_token
  throw new Error(`Keycloak: the administrator cannot log in: ${response.status} ${JSON.stringify(body)}`)
}
