import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { breakerDefaults } from './issuer/breaker.ts'
import { keycloakIssuer } from './keycloak-issuer.ts'

/** For `auth({ ...settings.keycloak })`. */
export interface KeycloakSettings {
  readonly issuer: string
  readonly audience?: string
  readonly authorizedParties?: readonly string[]
  readonly clientId: string
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

const needed = { baseUrl: 'KEYCLOAK_BASE_URL', realm: 'KEYCLOAK_REALM', clientId: 'KEYCLOAK_CLIENT_ID' } as const

/**
 * `KEYCLOAK_BASE_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_CLIENT_ID`, `KEYCLOAK_AUDIENCE`, `KEYCLOAK_AUTHORIZED_PARTIES`,
 * `KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX`, `KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT`. Null when none of the first three is set, which production refuses: an app may have an issuer of its
 * own for development.
 *
 * @example
 * const settings = defineSettings({ keycloak: keycloakSettings }).read()
 * const plugins = settings.keycloak === null ? [] : [auth(settings.keycloak)]
 */
export const keycloakSettings: SettingsGroup<KeycloakSettings | null> = settingsGroup({
  variables: {
    baseUrl: variable.text('KEYCLOAK_BASE_URL', {
      about: 'Keycloak as tokens name it, without the realm: `https://sso.example.com/`',
      optional: true,
      requiredIn: ['production'],
      whenUnset: 'no Keycloak',
      expects: 'an http(s) URL without query',
      check: (url) =>
        URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && !/[?#]/.test(url)
          ? null
          : 'must be an http(s) URL without query',
    }),
    realm: variable.text('KEYCLOAK_REALM', {
      about: 'Realm whose users sign in',
      optional: true,
      requiredIn: ['production'],
      whenUnset: 'no Keycloak',
    }),
    clientId: variable.text('KEYCLOAK_CLIENT_ID', {
      about: 'Client of this application in the realm: bare role names are its roles',
      optional: true,
      requiredIn: ['production'],
      whenUnset: 'no Keycloak',
    }),
    audience: variable.text('KEYCLOAK_AUDIENCE', {
      about: 'Who tokens must be meant for (`aud`)',
      optional: true,
      whenUnset: 'the client id; with `KEYCLOAK_AUTHORIZED_PARTIES` not checked',
    }),
    authorizedParties: variable.list('KEYCLOAK_AUTHORIZED_PARTIES', {
      about:
        'Clients of the realm whose tokens are accepted (`azp`), for a realm whose tokens do not name this application',
      optional: true,
      whenUnset: 'any client, by the audience',
      expects: 'a JSON list of client ids, such as ["web","mobile"]',
      check: (clients) =>
        clients.length > 0 && clients.every((each) => each.trim() !== '') ? null : 'must name at least one client',
    }),
    failures: variable.integer('KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX', {
      about: 'Failures in a row after which Keycloak is left alone for a while',
      min: 1,
      max: 1_000_000,
      default: breakerDefaults.failures,
    }),
    resetMs: variable.duration('KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT', {
      about: 'How long that is',
      min: 1,
      max: 86_400_000,
      default: breakerDefaults.resetMs,
    }),
  },
  unsupported: { EXCLUDED_PATHS: "a route that needs no token says so itself: access: 'public'" },
  check({ isSet }) {
    const keys = ['baseUrl', 'realm', 'clientId'] as const
    const given = keys.filter(isSet)
    if (given.length === keys.length || given.length === 0) return []
    return keys
      .filter((key) => !isSet(key))
      .map((key) => `${needed[key]} is not set, and ${needed[given[0] ?? key]} is: set it too`)
  },
  to({ baseUrl, realm, clientId, audience, authorizedParties, failures, resetMs }) {
    if (baseUrl === undefined || realm === undefined || clientId === undefined) return null
    return {
      issuer: keycloakIssuer(baseUrl, realm),
      ...toAccepted(clientId, audience, authorizedParties),
      clientId,
      breaker: { failures, resetMs },
    }
  },
})

/** Whose tokens are accepted: without any of the two those that are meant for this client. */
function toAccepted(
  clientId: string,
  audience: string | undefined,
  authorizedParties: readonly string[] | undefined,
): Pick<KeycloakSettings, 'audience' | 'authorizedParties'> {
  if (authorizedParties === undefined) return { audience: audience ?? clientId }
  return audience === undefined ? { authorizedParties } : { audience, authorizedParties }
}
