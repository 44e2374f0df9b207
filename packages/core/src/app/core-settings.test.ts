import { describe, expect, it } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { checkOptions } from '../base/options.ts'
import { databaseSettings } from '../database/database-settings.ts'
import { poolRules } from '../database/drivers/pool-options.ts'
import { defineSettings } from '../settings/settings.ts'
import {
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  nativeServerSettings,
  websocketSettings,
} from './core-settings.ts'

const declared = defineSettings({
  listen: listenSettings,
  lifecycle: lifecycleSettings,
  http: httpSettings,
  websocket: websocketSettings,
  log: logSettings,
  nativeServer: nativeServerSettings,
  database: databaseSettings({ embedded: 'pglite://./.data' }),
})

type Variables = Readonly<Record<string, string>>

function report(variables: Variables): string[] {
  try {
    declared.read({ variables })
  } catch (error) {
    if (!(error instanceof BootError)) throw error
    return error.message.split('\n').slice(1)
  }
  return []
}

describe('the settings of the parts of core', () => {
  it('have the defaults of the options', () => {
    expect(declared.read({ variables: {} })).toEqual({
      environment: 'dev',
      listen: { port: 8000, host: '127.0.0.1' },
      lifecycle: { drainTimeoutMs: 10_000, drainDelayMs: 0 },
      http: { trustedProxies: [], maxBodyBytes: 1_048_576, cookies: { secrets: [] } },
      websocket: { compression: false, maxTopics: 128, reconnectWindowMs: 20_000 },
      log: { level: 'debug', format: 'human' },
      nativeServer: { compat: 'on', maxHeaderBytes: 32_768 },
      database: {
        url: 'pglite://./.data',
        pool: checkOptions('pool', {}, poolRules),
        slowQueryMs: 100,
        connect: { retries: 5, retryDelayMs: 2000 },
        pages: { defaultSize: 20, maxSize: 1000 },
      },
    })
  })

  it('are read by the names of the contract', () => {
    const variables = {
      ENV: 'production',
      PORT: '0',
      HOST: '::1',
      DRAIN_TIMEOUT: '30',
      ALLOWED_HOSTS: '["api.example.com","[::1]","localhost"]',
      TRUSTED_PROXIES: '["10.0.0.0/8","::1"]',
      MAX_REQUEST_BODY_SIZE: '2MiB',
      COOKIE_SECRETS: '["a secret of more than thirty-two bytes"]',
      ALLOWED_WS_ORIGINS: '["https://app.example.com"]',
      WS_MAX_TOPICS: '16',
      WS_RECONNECT_WINDOW: '1m',
      WS_COMPRESSION: 'shared',
      LOG_LEVEL: 'WARNING',
      LOG_CONSOLE_FORMAT: 'human',
      LOG_EXCLUDED_PATHS: '["/metrics"]',
      TWINWIRE_UWS_COMPAT: 'off',
      UWS_HTTP_MAX_HEADERS_SIZE: '16384',
      DATABASE_URL: 'postgres://me:secret@db/authors',
      DB_POOL_SIZE: '5',
      DB_POOL_ACQUIRE_TIMEOUT: '1',
      DB_POOL_IDLE_TIMEOUT: '1m',
      DB_POOL_RECYCLE: '1800',
      DB_POOL_PRE_PING: 'false',
      DB_CONNECT_TIMEOUT: '5s',
      DB_STATEMENT_TIMEOUT: '10',
      DB_APPLICATION_NAME: 'the shop',
      DB_PGBOUNCER: 'true',
      DB_SLOW_QUERY_THRESHOLD: '250ms',
      DB_INIT_RETRY_INTERVAL: '2',
      DB_INIT_MAX_RETRIES: '0',
    }
    expect(declared.read({ variables })).toEqual({
      environment: 'production',
      listen: { port: 0, host: '::1' },
      lifecycle: { drainTimeoutMs: 30_000, drainDelayMs: 0 },
      http: {
        hosts: ['api.example.com', '[::1]', 'localhost'],
        trustedProxies: ['10.0.0.0/8', '::1'],
        maxBodyBytes: 2 * 1024 * 1024,
        cookies: { secrets: ['a secret of more than thirty-two bytes'] },
      },
      websocket: {
        origins: ['https://app.example.com'],
        maxTopics: 16,
        reconnectWindowMs: 60_000,
        compression: 'shared',
      },
      log: { level: 'warn', format: 'human', excludedPaths: ['/metrics'] },
      nativeServer: { compat: 'off', maxHeaderBytes: 16_384 },
      database: {
        url: variables.DATABASE_URL,
        pool: {
          max: 5,
          connectTimeoutMs: 5000,
          acquireTimeoutMs: 1000,
          idleTimeoutMs: 60_000,
          maxLifetimeMs: 1_800_000,
          statementTimeoutMs: 10_000,
          prePing: false,
          applicationName: 'the shop',
          pgBouncer: true,
        },
        slowQueryMs: 250,
        connect: { retries: 0, retryDelayMs: 2000 },
        pages: { defaultSize: 20, maxSize: 1000 },
      },
    })
  })

  it('tell everything that is wrong at once, and no value', () => {
    const secret = 'hunter2'
    const variables = {
      PORT: secret,
      HOST: `a ${secret}`,
      DRAIN_TIMEOUT: secret,
      ALLOWED_HOSTS: `["ok","https://${secret}"]`,
      TRUSTED_PROXIES: `["10.0.0.0/8","${secret}"]`,
      MAX_REQUEST_BODY_SIZE: secret,
      ALLOWED_WS_ORIGINS: `["https://me:${secret}@host"]`,
      LOG_LEVEL: secret,
      LOG_CONSOLE_FORMAT: secret,
      LOG_EXCLUDED_PATHS: `["${secret}"]`,
      DATABASE_URL: `mysql://me:${secret}@db`,
      DB_POOL_SIZE: '0',
      DB_INIT_RETRY_INTERVAL: secret,
      DB_INIT_MAX_RETRIES: '-1',
    }
    expect(report(variables)).toEqual([
      '  PORT must be an integer from 0 to 65535',
      '  HOST must be a host name or an IP address',
      '  DRAIN_TIMEOUT must be a duration from 0ms to 1h (such as 500ms, 2s or 5m; a number alone is seconds)',
      '  ALLOWED_HOSTS entry 2 must be a host name without scheme, port and path',
      '  TRUSTED_PROXIES entry 2 must be an IP address or a CIDR network, such as 10.0.0.0/8',
      '  MAX_REQUEST_BODY_SIZE must be a size of at least 1B (such as 512KiB or 1MiB; a number alone is bytes)',
      "  ALLOWED_WS_ORIGINS entry 1 must be an origin such as 'https://app.example.com'",
      '  LOG_LEVEL must be one of trace, debug, info, warn, error, fatal',
      '  LOG_CONSOLE_FORMAT must be one of json, human',
      "  LOG_EXCLUDED_PATHS entry 1 must be the path of a route, such as '/health'",
      '  DATABASE_URL must start with postgres:// or pglite://',
      '  DB_POOL_SIZE must be an integer from 1 to 10000',
      '  DB_INIT_RETRY_INTERVAL must be a duration from 0ms to 24d (such as 500ms, 2s or 5m; a number alone is seconds)',
      '  DB_INIT_MAX_RETRIES must be an integer from 0 to 1000000',
    ])
  })

  it('are checked alike by createApp', () => {
    expect(report({ ALLOWED_HOSTS: 'api.example.com', TRUSTED_PROXIES: '10.0.0.1', ALLOWED_WS_ORIGINS: '*' })).toEqual([
      '  ALLOWED_HOSTS must be a JSON list of host names, such as ["api.example.com"]',
      '  TRUSTED_PROXIES must be a JSON list of IP addresses and CIDR networks, such as ["10.0.0.0/8"]',
      '  ALLOWED_WS_ORIGINS must be a JSON list of origins, such as ["https://app.example.com"]',
    ])
  })
})

describe('the settings of a database', () => {
  const parts = { DB_USER: 'me@home', DB_PASSWORD: 'p/w:d', DB_NAME: 'a b' }
  const url = (variables: Variables): string => declared.read({ variables }).database.url

  it('make a url of its parts, whatever characters they have', () => {
    expect(url(parts)).toBe('postgres://me%40home:p%2Fw%3Ad@localhost:5432/a%20b')
    expect(url({ ...parts, DB_HOST: '::1', DB_PORT: '6543' })).toBe('postgres://me%40home:p%2Fw%3Ad@[::1]:6543/a%20b')
    const parsed = new URL(url(parts))
    expect(decodeURIComponent(parsed.password)).toBe('p/w:d')
    expect(JSON.stringify(declared.read({ variables: parts }).database)).not.toContain('p%2Fw')
  })

  it.each<[Variables, string[]]>([
    [
      { ...parts, DATABASE_URL: 'postgres://a@b/c' },
      ['  DATABASE_URL is set, and so is DB_USER, DB_PASSWORD, DB_NAME: keep the url or its parts'],
    ],
    [
      { DB_HOST: 'db' },
      ['DB_USER', 'DB_PASSWORD', 'DB_NAME'].map((name) => `  ${name} is not set, and DB_HOST is: set it too`),
    ],
    [{ ...parts, DB_PASSWORD: '' }, ['  DB_PASSWORD is not set, and DB_USER is: set it too']],
    [
      { ...parts, DB_HOST: 'a/b', DB_PORT: 'x' },
      ['  DB_HOST must be a host name or an IP address', '  DB_PORT must be an integer from 1 to 65535'],
    ],
    [
      { ENV: 'production' },
      [
        '  ALLOWED_HOSTS is required in production: set it to a JSON list of host names, such as ' +
          '["api.example.com"] (Accepted host names, without port; `*` for any. Required in production)',
        '  DATABASE_URL is not set: set it to postgres://user:password@host:5432/name, or set DB_USER, DB_PASSWORD, DB_NAME',
      ],
    ],
  ])('%#: reject an incomplete url', (variables, lines) => {
    expect(report(variables)).toEqual(lines)
  })

  it('ask for a database where there is no embedded one', () => {
    const strict = defineSettings({ database: databaseSettings() })
    expect(() => strict.read({ variables: {} })).toThrow(
      'DATABASE_URL is not set: set it to postgres://user:password@host:5432/name, or set DB_USER, DB_PASSWORD, DB_NAME',
    )
  })
})
