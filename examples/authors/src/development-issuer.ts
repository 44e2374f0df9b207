import { BootError } from '@twinwire/core'
import type { AuthOptions } from '@twinwire/plugin-auth'
import type { Settings } from './settings.ts'

/** As in the realm for a Keycloak of one's own, `deploy/keycloak/realm.json`. */
const realm = 'authors'
const clientId = 'authors-api'
const users = [
  { username: 'admin', roles: ['admin', 'get-authors', 'create-author', 'update-author', 'delete-author'] },
  { username: 'reader', roles: ['get-authors'] },
] as const

/** What is printed should still do in the afternoon. */
const printedLifetimeMs = 12 * 60 * 60_000

/** Where users sign in, and what only a development issuer has. */
export interface Issuer {
  readonly keycloak: AuthOptions
  /** Ready-made tokens; null with a Keycloak. */
  readonly tokens: { readonly admin: string; readonly reader: string } | null
  /** Where logouts are told. A Keycloak has it in the settings of the client. */
  tellLogoutsTo(url: string): void
  stop(): Promise<void>
}

/** The Keycloak of the settings, else an issuer inside this process: who reaches its port is whoever they want to be. */
export async function openIssuer({ environment, keycloak, developmentIssuer }: Settings): Promise<Issuer> {
  if (keycloak !== null) return { keycloak, tokens: null, tellLogoutsTo: () => {}, stop: async () => {} }
  if (environment === 'production')
    throw new BootError('bad_option', 'The development issuer is not for production: set KEYCLOAK_BASE_URL')
  // Imported here: production neither needs it nor has it in memory.
  const { createTestIssuer } = await import('@twinwire/plugin-auth/testing')
  const { port } = developmentIssuer
  // EC first: its signatures, and so the tokens that are printed, are a good deal shorter.
  const issuer = await createTestIssuer({ realm, clientId, users, port, algorithms: ['ES256', 'RS256'] }).catch(
    (cause: unknown) => {
      throw isTaken(cause)
        ? new BootError(
            'port_taken',
            `Port ${port} of 127.0.0.1 is taken: set DEVELOPMENT_ISSUER_PORT to another one, or to 0 for a free one`,
            { cause },
          )
        : cause
    },
  )
  const token = (username: string): string => issuer.token(username, { lifetimeMs: printedLifetimeMs })
  return {
    keycloak: toKeycloak(issuer.issuer),
    tokens: { admin: token('admin'), reader: token('reader') },
    tellLogoutsTo: (url) => issuer.setBackchannelLogoutUrl(url),
    stop: () => issuer.stop(),
  }
}

/** Where they sign in, without opening anything. */
export function issuerOf({ keycloak, developmentIssuer }: Settings): AuthOptions {
  return keycloak ?? toKeycloak(`http://127.0.0.1:${developmentIssuer.port}/realms/${realm}`)
}

function toKeycloak(issuer: string): AuthOptions {
  return { issuer, audience: clientId, clientId }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
