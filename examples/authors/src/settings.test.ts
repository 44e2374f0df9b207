import { fileURLToPath } from 'node:url'
import { BootError } from '@twinwire/core'
import { expect, test } from 'vitest'
import { declaredSettings, type Settings } from './settings.ts'

const read = (variables: Readonly<Record<string, string>>): Settings => declaredSettings.read({ variables })

const embedded = `pglite://${fileURLToPath(new URL('../.data', import.meta.url))}`

test('an empty environment gives the defaults; an empty variable is one that is not set', () => {
  for (const settings of [read({}), read({ PORT: '', HOST: '', DATABASE_URL: '', PATH: '/bin' })]) {
    expect(settings.environment).toBe('dev')
    expect(settings.listen).toEqual({ port: 8000, host: '127.0.0.1' })
    expect(settings.database.url).toBe(embedded)
  }
})

test('reads what is set', () => {
  const { listen, database } = read({ PORT: '0', HOST: '::1', DATABASE_URL: 'postgres://me:secret@db.example/authors' })
  expect(listen).toEqual({ port: 0, host: '::1' })
  expect(database.url).toBe('postgres://me:secret@db.example/authors')
  expect(JSON.stringify(database)).not.toContain('secret@')
})

test.each(['65536', '-1', '80a', '0x50', '1e3', '8000.5', ' 8000', '000008000'])('refuses the port %j', (PORT) => {
  expect(() => read({ PORT })).toThrow('PORT must be a whole number from 0 to 65535')
})

test('tells all that is wrong at once, and no value', () => {
  expect(() => read({ PORT: 'x', HOST: 'a b', DATABASE_URL: 'mysql://me:secret@db' })).toThrow(
    new BootError(
      'settings_invalid',
      [
        'The settings are not right:',
        '  PORT must be a whole number from 0 to 65535',
        '  HOST must be a host name or an IP address',
        '  DATABASE_URL must start with postgres:// or pglite://',
      ].join('\n'),
    ),
  )
})

test('production wants a database, a Keycloak and a Redis of its own, the names of its hosts and who may read its metrics', () => {
  const keycloak = ['KEYCLOAK_BASE_URL', 'KEYCLOAK_REALM', 'KEYCLOAK_CLIENT_ID']
  const lines = ['ALLOWED_HOSTS', 'DATABASE_URL', ...keycloak, 'METRICS_PORT', 'REDIS_URL']
  expect(() => read({ ENV: 'production' })).toThrow(
    new RegExp(`^The settings are not right:${lines.map((name) => `\\n {2}${name} [^\\n]*`).join('')}$`),
  )
})

test('limits are in memory, or in a Redis by its url or its parts', () => {
  expect(read({})).toMatchObject({ redis: null, rateLimit: { enabled: true }, circuitBreakers: { enabled: true } })
  expect(read({ REDIS_URL: 'redis://127.0.0.1:6379/1' }).redis).toMatchObject({ url: 'redis://127.0.0.1:6379/1' })
  expect(read({ REDIS_IP: 'redis.example' }).redis).toMatchObject({ url: 'redis://redis.example:6379/1' })
  expect(() => read({ REDIS_URL: 'redis://127.0.0.1', REDIS_IP: 'redis.example' })).toThrow(
    'keep one way to name Redis',
  )
})

test('a Keycloak is one by three variables; without any it is an issuer inside the process', () => {
  expect(read({})).toMatchObject({ keycloak: null, developmentIssuer: { port: 8081 } })
  const variables = { KEYCLOAK_BASE_URL: 'http://127.0.0.1:8080/', KEYCLOAK_REALM: 'r', KEYCLOAK_CLIENT_ID: 'c' }
  expect(read(variables).keycloak).toMatchObject({
    issuer: 'http://127.0.0.1:8080/realms/r',
    audience: 'c',
    clientId: 'c',
  })
})
