import { BootError } from '@twinwire/core'
import { requireSingleProcess } from '@twinwire/core/plugin'
import type { AuthOptions } from '@twinwire/plugin-auth'
import type { DevelopmentUsers } from './development-users.ts'
import { isDevelopmentIn, type Settings } from './settings.ts'

/** The same as in the realm for Keycloak, `deploy/keycloak/realm.json`. */
const realm = 'authors'
const clientId = 'authors-api'
const users = [
  { username: 'admin', roles: ['admin', 'get-authors', 'create-author', 'update-author', 'delete-author'] },
  { username: 'reader', roles: ['get-authors'] },
] as const

/** Printed tokens should last for a working day. */
const printedLifetimeMs = 12 * 60 * 60_000

/** The issuer of the users, with what only a development issuer has. */
export interface Issuer {
  readonly keycloak: AuthOptions
  /** Ready-made tokens; null with a Keycloak. */
  readonly tokens: { readonly admin: string; readonly reader: string } | null
  /** Who may sign in at the app itself, for the console; null with a Keycloak. */
  readonly development: DevelopmentUsers | null
  /** Where logouts are reported. A Keycloak has this in the settings of the client. */
  reportLogoutsTo(url: string): void
  stop(): Promise<void>
}

/** The Keycloak of the settings, else an issuer inside this process, which gives any token to any caller that reaches its port. */
export async function openIssuer({ environment, keycloak, developmentIssuer }: Settings): Promise<Issuer> {
  if (keycloak !== null)
    return { keycloak, tokens: null, development: null, reportLogoutsTo: () => {}, stop: async () => {} }
  if (!isDevelopmentIn(environment))
    throw new BootError(
      'bad_option',
      `The development issuer cannot be used in ${environment}: set KEYCLOAK_BASE_URL, KEYCLOAK_REALM and KEYCLOAK_CLIENT_ID`,
    )
  requireSingleProcess('The development issuer', 'set KEYCLOAK_BASE_URL')
  // Imported here, so that it is loaded in development only.
  const { createTestIssuer } = await import('@twinwire/plugin-auth/testing')
  const { port } = developmentIssuer
  // EC first: its signatures are shorter, and so are the printed tokens.
  const issuer = await createTestIssuer({
    realm,
    clientId,
    users,
    port,
    algorithms: ['ES256', 'RS256'],
    // `npm run dev` restarts at each change: tokens stay valid.
    ...(environment === 'dev' && { keysFile: '.issuer-keys.json' }),
  }).catch((cause: unknown) => {
    throw isTaken(cause)
      ? new BootError(
          'unavailable_port',
          `Port ${port} of 127.0.0.1 is in use: set DEVELOPMENT_ISSUER_PORT to another port, or to 0 for a free one`,
          { cause },
        )
      : cause
  })
  const token = (username: string): string => issuer.token(username, { lifetimeMs: printedLifetimeMs })
  return {
    keycloak: toKeycloak(issuer.issuer),
    tokens: { admin: token('admin'), reader: token('reader') },
    development: {
      users,
      token: (username, seconds) => issuer.token(username, { lifetimeMs: seconds * 1000 }),
    },
    reportLogoutsTo: (url) => issuer.setBackchannelLogoutUrl(url),
    stop: () => issuer.stop(),
  }
}

/** The issuer of the users; starts nothing. */
export function issuerOf({ keycloak, developmentIssuer }: Settings): AuthOptions {
  return keycloak ?? toKeycloak(`http://127.0.0.1:${developmentIssuer.port}/realms/${realm}`)
}

function toKeycloak(issuer: string): AuthOptions {
  return { issuer, audience: clientId, clientId }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
