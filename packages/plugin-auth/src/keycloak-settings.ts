import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { breakerRules, cookieNameRule } from './auth-options.ts'

/**
 * The issuer of a Keycloak realm: `<baseUrl>/realms/<realm>`.
 *
 * @example
 * keycloakIssuer('https://sso.example.com/', 'app') // 'https://sso.example.com/realms/app'
 */
export function keycloakIssuer(baseUrl: string, realm: string): string {
  return `${baseUrl.replace(/\/+$/, '')}/realms/${encodeURIComponent(realm)}`
}

/** For `auth({ ...settings.keycloak })`. */
export interface KeycloakSettings {
  readonly issuer: string
  readonly audience?: string
  readonly authorizedParties?: readonly string[]
  readonly clientId: string
  readonly cookie?: { readonly name: string }
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

const names = { baseUrl: 'KEYCLOAK_BASE_URL', realm: 'KEYCLOAK_REALM', clientId: 'KEYCLOAK_CLIENT_ID' } as const

/**
 * `KEYCLOAK_BASE_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_CLIENT_ID`, `KEYCLOAK_AUDIENCE`, `KEYCLOAK_AUTHORIZED_PARTIES`,
 * `KEYCLOAK_TOKEN_COOKIE`, `KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX`, `KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT`. Null when none of the first three is set, for an app that has
 * another issuer in development; in production all three are required.
 *
 * @example
 * const settings = defineSettings({ keycloak: keycloakSettings }).read()
 * const plugins = settings.keycloak === null ? [] : [auth(settings.keycloak)]
 */
export const keycloakSettings: SettingsGroup<KeycloakSettings | null> = settingsGroup({
  variables: {
    baseUrl: variable.text('KEYCLOAK_BASE_URL', {
      about: 'Base URL of Keycloak as in the tokens, without the realm: `https://sso.example.com/`',
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
      about: 'Client of this application in the realm: role names without prefix are its roles',
      optional: true,
      requiredIn: ['production'],
      whenUnset: 'no Keycloak',
    }),
    audience: variable.text('KEYCLOAK_AUDIENCE', {
      about: 'Audience that tokens must contain (`aud`)',
      optional: true,
      whenUnset: 'the client id; not checked when `KEYCLOAK_AUTHORIZED_PARTIES` is set',
    }),
    authorizedParties: variable.list('KEYCLOAK_AUTHORIZED_PARTIES', {
      about: 'Clients of the realm whose tokens are accepted (`azp`), for a realm without an audience mapper',
      optional: true,
      whenUnset: 'any client',
      expects: 'a JSON list of client ids, such as ["web","mobile"]',
      check: (clients) =>
        clients.length > 0 && clients.every((each) => each.trim() !== '')
          ? null
          : 'must contain at least one client id, and no empty one',
    }),
    cookie: variable.option('KEYCLOAK_TOKEN_COOKIE', cookieNameRule, {
      about:
        'Cookie that carries the access token of requests without an `Authorization` header: `__Host-access_token`',
      whenUnset: 'none',
    }),
    failures: variable.option('KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX', breakerRules.failures, {
      about: 'Consecutive failures after which requests to Keycloak are paused',
    }),
    resetMs: variable.option('KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT', breakerRules.resetMs, {
      about: 'How long requests to Keycloak are paused then',
    }),
  },
  unsupported: { EXCLUDED_PATHS: "set access: 'public' on each route that needs no token" },
  check({ isSet }) {
    const keys = ['baseUrl', 'realm', 'clientId'] as const
    const given = keys.filter(isSet)
    if (given.length === keys.length || given.length === 0) return []
    return keys
      .filter((key) => !isSet(key))
      .map((key) => `${names[key]} is required when ${names[given[0] ?? key]} is set`)
  },
  to({ baseUrl, realm, clientId, audience, authorizedParties, cookie, failures, resetMs }) {
    if (baseUrl === undefined || realm === undefined || clientId === undefined) return null
    return {
      issuer: keycloakIssuer(baseUrl, realm),
      ...toAccepted(clientId, audience, authorizedParties),
      clientId,
      ...(cookie !== undefined && { cookie: { name: cookie } }),
      breaker: { failures, resetMs },
    }
  },
})

/** With neither set, tokens must contain the client id as audience. */
function toAccepted(
  clientId: string,
  audience: string | undefined,
  authorizedParties: readonly string[] | undefined,
): Pick<KeycloakSettings, 'audience' | 'authorizedParties'> {
  if (authorizedParties === undefined) return { audience: audience ?? clientId }
  return audience === undefined ? { authorizedParties } : { audience, authorizedParties }
}
