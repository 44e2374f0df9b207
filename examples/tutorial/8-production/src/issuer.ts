import { BootError } from '@twinwire/core'
import type { AuthOptions } from '@twinwire/plugin-auth'
import type { Settings } from './settings.ts'

/** What this application is called at its issuer. */
export const clientId = 'shopping-list'

export const developmentUsers = [
  { username: 'ann', roles: ['read-list', 'edit-list'] },
  { username: 'bob', roles: ['read-list'] },
] as const

/** Where users sign in. */
interface Issuer {
  /** For `auth()`. */
  readonly options: AuthOptions
  /** Tokens of the users of development; empty with another issuer. */
  readonly tokens: ReadonlyMap<string, string>
  stop(): Promise<void>
}

/** The Keycloak of the settings, else the issuer of development inside this process. */
export async function openIssuer({ environment, keycloak, issuer: { port } }: Settings): Promise<Issuer> {
  if (keycloak !== null) return { options: keycloak, tokens: new Map(), stop: async () => {} }
  if (environment !== 'dev' && environment !== 'test')
    throw new BootError(
      'bad_option',
      `The issuer of development cannot be used in ${environment}: set KEYCLOAK_BASE_URL`,
    )
  // Imported here, so that it is loaded in development only.
  const { createTestIssuer } = await import('@twinwire/plugin-auth/testing')
  const issuer = await createTestIssuer({
    realm: 'app',
    clientId,
    users: developmentUsers,
    port,
    algorithms: ['ES256'],
    // Its keys, so that tokens outlive a restart. Keep the file out of the repository.
    keysFile: '.issuer-keys.json',
  })
  const names = developmentUsers.map(({ username }) => username)
  return {
    options: toAuthOptions(issuer),
    tokens: new Map(names.map((name) => [name, issuer.token(name, { lifetimeMs: 12 * 3_600_000 })])),
    stop: () => issuer.stop(),
  }
}

export function toAuthOptions({ issuer }: { readonly issuer: string }): AuthOptions {
  return { issuer, audience: clientId, clientId }
}
