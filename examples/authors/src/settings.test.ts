import { readFileSync } from 'node:fs'
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
  expect(() => read({ PORT })).toThrow('PORT must be an integer from 0 to 65535')
})

test('tells all that is wrong at once, and no value', () => {
  expect(() => read({ PORT: 'x', HOST: 'a b', DATABASE_URL: 'mysql://me:secret@db' })).toThrow(
    new BootError(
      'bad_settings',
      [
        'Invalid settings:',
        '  PORT must be an integer from 0 to 65535',
        '  HOST must be a host name or an IP address',
        '  DATABASE_URL must start with postgres:// or pglite://',
      ].join('\n'),
    ),
  )
})

test('production wants a database, a Keycloak and a Redis of its own, the names of its hosts and who may read its metrics [defect 74]', () => {
  const keycloak = ['KEYCLOAK_BASE_URL', 'KEYCLOAK_REALM', 'KEYCLOAK_CLIENT_ID']
  const lines = ['ALLOWED_HOSTS', 'DATABASE_URL', ...keycloak, 'METRICS_PORT', 'REDIS_URL']
  expect(() => read({ ENV: 'production' })).toThrow(
    new RegExp(`^Invalid settings:${lines.map((name) => `\\n {2}${name} [^\\n]*`).join('')}$`),
  )
})

test('limits are in memory, or in a Redis by its url or its parts', () => {
  expect(read({})).toMatchObject({ redis: null, rateLimit: { enabled: true }, circuitBreakers: { enabled: true } })
  expect(read({ REDIS_URL: 'redis://127.0.0.1:6379/1' }).redis).toMatchObject({ url: 'redis://127.0.0.1:6379/1' })
  expect(read({ REDIS_IP: 'redis.example' }).redis).toMatchObject({ url: 'redis://redis.example:6379/1' })
  expect(() => read({ REDIS_URL: 'redis://127.0.0.1', REDIS_IP: 'redis.example' })).toThrow(
    'REDIS_URL and REDIS_IP exclude each other: keep one of them',
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

test('a variable that is not supported stops the start, with what to do instead, and without its value', () => {
  const names = declaredSettings.describe().unsupported.map(({ name }) => name)
  expect(names.sort()).toEqual([
    'AUTH_REDIS_DB',
    'DB_MAX_OVERFLOW',
    'EXCLUDED_PATHS',
    'LOG_FILE_PATH',
    'REDIS_MAX_CONNECTIONS',
    'REDIS_RETRY_ON_TIMEOUT',
    'USER_SESSION_REDIS_KEY_PREFIX',
  ])
  for (const name of names) {
    expect(() => read({ [name]: 'do-not-print' })).toThrow(
      new RegExp(`^Invalid settings:\\n {2}${name} is not supported: (?![^]*do-not-print).+$`),
    )
    expect(read({ [name]: '' }).environment).toBe('dev')
  }
})

/** Every variable of the Python reference system. */
const ofTheReference =
  `ENV DB_USER DB_PASSWORD DB_HOST DB_PORT DB_NAME DB_POOL_SIZE DB_MAX_OVERFLOW DB_POOL_RECYCLE DB_POOL_PRE_PING
  DB_INIT_RETRY_INTERVAL DB_INIT_MAX_RETRIES REDIS_IP REDIS_PORT USER_SESSION_REDIS_KEY_PREFIX MAIN_REDIS_DB AUTH_REDIS_DB
  REDIS_MAX_CONNECTIONS REDIS_SOCKET_TIMEOUT REDIS_CONNECT_TIMEOUT REDIS_HEALTH_CHECK_INTERVAL REDIS_RETRY_ON_TIMEOUT REDIS_PASSWORD
  KEYCLOAK_REALM KEYCLOAK_CLIENT_ID KEYCLOAK_ADMIN_USERNAME KEYCLOAK_ADMIN_PASSWORD KEYCLOAK_BASE_URL KEYCLOAK_CLIENT_SECRET ALLOWED_HOSTS
  MAX_REQUEST_BODY_SIZE TRUSTED_PROXIES RATE_LIMIT_ENABLED RATE_LIMIT_PER_MINUTE RATE_LIMIT_BURST RATE_LIMIT_FAIL_MODE
  WS_MAX_CONNECTIONS_PER_USER WS_MESSAGE_RATE_LIMIT ALLOWED_WS_ORIGINS LOG_FILE_PATH LOG_EXCLUDED_PATHS LOG_LEVEL LOG_CONSOLE_FORMAT
  AUDIT_LOG_ENABLED AUDIT_LOG_RETENTION_DAYS AUDIT_QUEUE_MAX_SIZE AUDIT_BATCH_SIZE AUDIT_BATCH_TIMEOUT AUDIT_QUEUE_TIMEOUT
  PROFILING_ENABLED PROFILING_OUTPUT_DIR PROFILING_INTERVAL_SECONDS CIRCUIT_BREAKER_ENABLED KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX
  KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT REDIS_CIRCUIT_BREAKER_FAIL_MAX REDIS_CIRCUIT_BREAKER_TIMEOUT EXCLUDED_PATHS DEFAULT_PAGE_SIZE
  SECRET_KEY KEYCLOAK_AUTH_SERVER_URL KEYCLOAK_AUTH_REALM KEYCLOAK_AUTH_CLIENT_ID KEYCLOAK_AUTH_ADMIN_USERNAME
  KEYCLOAK_AUTH_ADMIN_PASSWORD KEYCLOAK_AUTH_EXCLUDED_PATHS KEYCLOAK_AUTH_DEBUG KEYCLOAK_AUTH_REDIS_URL
  KEYCLOAK_AUTH_REDIS_CACHE_TTL_BUFFER KEYCLOAK_AUTH_METRICS_ENABLED`.split(/\s+/)

test('docs_site/reference-settings.md says of each variable of the reference what became of it, as it is', () => {
  const page = readFileSync(new URL('../../../docs_site/reference-settings.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| (`[^|]+) \| (read|rejected|ignored) \|/gm)]
  const said = new Map(
    rows.flatMap(([, names = '', what = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => [name, what])),
  )
  const { settings, unsupported } = declaredSettings.describe()
  const isRead = new Set(settings.map(({ name }) => name))
  const isRejected = new Set(unsupported.map(({ name }) => name))
  const is = ofTheReference.map((name) => [
    name,
    isRead.has(name) ? 'read' : isRejected.has(name) ? 'rejected' : 'ignored',
  ])
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(is))
})
