import { BootError } from '@twinwire/core'
import type { AuthOptions } from '@twinwire/plugin-auth'
import type { Settings } from './settings.ts'

/** The client of this application at its issuer. */
export const clientId = 'notes-api'

/** Users of the issuer of development, and of tests. */
export const developmentUsers = [
  { username: 'writer', roles: ['read-notes', 'write-notes'] },
  { username: 'reader', roles: ['read-notes'] },
] as const

/** Printed tokens last for a working day. */
const printedLifetimeMs = 12 * 60 * 60_000

/** Where users sign in. */
export interface Issuer {
  /** For `auth()`. */
  readonly options: AuthOptions
  /** Ready-made tokens of the issuer of development; null with another one. */
  readonly tokens: { readonly writer: string; readonly reader: string } | null
  stop(): Promise<void>
}

//: if keycloak
/** The Keycloak of the settings, else an issuer inside this process, which gives any token to any caller that reaches its port. */
export async function openIssuer({ environment, keycloak, developmentIssuer }: Settings): Promise<Issuer> {
  if (keycloak !== null) return { options: keycloak, tokens: null, stop: async () => {} }
  if (environment !== 'dev' && environment !== 'test')
    throw new BootError(
      'bad_option',
      `The development issuer cannot be used in ${environment}: set KEYCLOAK_BASE_URL, KEYCLOAK_REALM and KEYCLOAK_CLIENT_ID`,
    )
//: else
/** An issuer inside this process, which gives any token to any caller that reaches its port: for development only. */
export async function openIssuer({ environment, developmentIssuer }: Settings): Promise<Issuer> {
  if (environment !== 'dev' && environment !== 'test')
    throw new BootError(
      'bad_option',
      `The development issuer cannot be used in ${environment}: return the options of your OpenID Connect issuer in src/issuer.ts`,
    )
//: end
  // Imported here, so that it is loaded in development only.
  const { createTestIssuer } = await import('@twinwire/plugin-auth/testing')
  const issuer = await createTestIssuer({
    realm: 'app',
    clientId,
    users: developmentUsers,
    port: developmentIssuer.port,
    // `npm run dev` restarts at each change: tokens and pages stay signed in.
    ...(environment === 'dev' && { keysFile: '.issuer-keys.json' }),
    // Its signatures are shorter, and so are the printed tokens.
    algorithms: ['ES256'],
  })
  const token = (username: string): string => issuer.token(username, { lifetimeMs: printedLifetimeMs })
  return {
    options: toOptions(issuer.issuer),
    tokens: { writer: token('writer'), reader: token('reader') },
    stop: () => issuer.stop(),
  }
}

/** The same options as those of `openIssuer`, of an issuer that need not run. */
//: if keycloak
export function issuerOf({ keycloak, developmentIssuer }: Settings): AuthOptions {
  return keycloak ?? toOptions(`http://127.0.0.1:${developmentIssuer.port}/realms/app`)
}
//: else
export function issuerOf({ developmentIssuer }: Settings): AuthOptions {
  return toOptions(`http://127.0.0.1:${developmentIssuer.port}/realms/app`)
}
//: end

export function toOptions(issuer: string): AuthOptions {
  return { issuer, audience: clientId, clientId }
}
