import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core'
import { breakerDefaults } from './issuer/breaker.ts'
import { keycloakIssuer } from './keycloak-issuer.ts'

/** For `auth({ ...settings.keycloak })`. */
export interface KeycloakSettings {
  readonly issuer: string
  readonly audience: string
  readonly clientId: string
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

const needed = { baseUrl: 'KEYCLOAK_BASE_URL', realm: 'KEYCLOAK_REALM', clientId: 'KEYCLOAK_CLIENT_ID' } as const

/**
 * `KEYCLOAK_BASE_URL`, `KEYCLOAK_REALM`, `KEYCLOAK_CLIENT_ID`, `KEYCLOAK_AUDIENCE`, `KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX`,
 * `KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT`. Null when none of the first three is set, which production refuses: an app may have an issuer of its
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
      whenUnset: 'the client id',
    }),
    failures: variable.wholeNumber('KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX', {
      about: 'Failures in a row after which Keycloak is left alone for a while',
      least: 1,
      most: 1_000_000,
      default: breakerDefaults.failures,
    }),
    resetMs: variable.duration('KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT', {
      about: 'How long that is',
      least: 1,
      most: 86_400_000,
      default: breakerDefaults.resetMs,
    }),
  },
  check({ isSet }) {
    const keys = ['baseUrl', 'realm', 'clientId'] as const
    const given = keys.filter(isSet)
    if (given.length === keys.length || given.length === 0) return []
    return keys
      .filter((key) => !isSet(key))
      .map((key) => `${needed[key]} is not set, and ${needed[given[0] ?? key]} is: set it too`)
  },
  to({ baseUrl, realm, clientId, audience, failures, resetMs }) {
    if (baseUrl === undefined || realm === undefined || clientId === undefined) return null
    return {
      issuer: keycloakIssuer(baseUrl, realm),
      audience: audience ?? clientId,
      clientId,
      breaker: { failures, resetMs },
    }
  },
})
