// Each variable of the table of settings changes something: what it says arrives in the settings, and the example reads that
// part of the settings. A variable without a case here fails, and so does one that the example does not use.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BootError } from '@twinwire/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuthorsApp } from '../../examples/authors/src/app.ts'
import { openIssuer } from '../../examples/authors/src/development-issuer.ts'
import { declaredSettings, type Settings } from '../../examples/authors/src/settings.ts'

type Variables = Readonly<Record<string, string>>

interface Case {
  /** Another value than the default. */
  readonly value: string
  /** What has to be set as well. */
  readonly with?: Variables
}

const database = { DB_USER: 'me', DB_PASSWORD: 'secret', DB_NAME: 'authors' }
const keycloak = { KEYCLOAK_BASE_URL: 'http://127.0.0.1:9', KEYCLOAK_REALM: 'authors', KEYCLOAK_CLIENT_ID: 'api' }
const redis = { REDIS_IP: '127.0.0.1' }
const sentinels = { REDIS_SENTINELS: '["redis://127.0.0.1:9"]' }

const cases: Readonly<Record<string, Case>> = {
  ENV: { value: 'staging' },
  PORT: { value: '0' },
  HOST: { value: 'localhost' },
  DRAIN_TIMEOUT: { value: '8s' },
  DRAIN_DELAY: { value: '10ms' },
  COMMIT_TIMEOUT: { value: '1s' },
  ALLOWED_HOSTS: { value: '["api.example.com"]' },
  TRUSTED_PROXIES: { value: '["10.0.0.0/8"]' },
  MAX_REQUEST_BODY_SIZE: { value: '2MiB' },
  COOKIE_SECRETS: { value: '["a secret of more than thirty-two bytes"]' },
  ALLOWED_WS_ORIGINS: { value: '["https://app.example.com"]' },
  WS_MAX_TOPICS: { value: '16' },
  WS_RECONNECT_WINDOW: { value: '5s' },
  WS_COMPRESSION: { value: 'shared' },
  LOG_LEVEL: { value: 'fatal' },
  LOG_CONSOLE_FORMAT: { value: 'json' },
  LOG_EXCLUDED_PATHS: { value: '["/authors"]' },
  TWINWIRE_UWS_COMPAT: { value: 'off' },
  UWS_HTTP_MAX_HEADERS_SIZE: { value: '16384' },
  DATABASE_URL: { value: 'pglite://memory' },
  DB_USER: { value: 'another', with: database },
  DB_PASSWORD: { value: 'another', with: database },
  DB_HOST: { value: 'db.example', with: database },
  DB_PORT: { value: '6543', with: database },
  DB_NAME: { value: 'another', with: database },
  DB_POOL_SIZE: { value: '7' },
  DB_POOL_ACQUIRE_TIMEOUT: { value: '1s' },
  DB_POOL_IDLE_TIMEOUT: { value: '1m' },
  DB_POOL_RECYCLE: { value: '10m' },
  DB_POOL_PRE_PING: { value: 'false' },
  DB_CONNECT_TIMEOUT: { value: '1s' },
  DB_STATEMENT_TIMEOUT: { value: '10s' },
  DB_APPLICATION_NAME: { value: 'authors' },
  DB_PGBOUNCER: { value: 'true' },
  DB_SLOW_QUERY_THRESHOLD: { value: '10m' },
  DB_INIT_RETRY_INTERVAL: { value: '1s' },
  DB_INIT_MAX_RETRIES: { value: '1' },
  DEFAULT_PAGE_SIZE: { value: '10' },
  MAX_PAGE_SIZE: { value: '100' },
  CURSOR_SECRET: { value: 'sixteen characters' },
  KEYCLOAK_BASE_URL: { value: 'http://127.0.0.1:10', with: keycloak },
  KEYCLOAK_REALM: { value: 'another', with: keycloak },
  KEYCLOAK_CLIENT_ID: { value: 'another', with: keycloak },
  KEYCLOAK_AUDIENCE: { value: 'another', with: keycloak },
  KEYCLOAK_AUTHORIZED_PARTIES: { value: '["web"]', with: keycloak },
  KEYCLOAK_TOKEN_COOKIE: { value: '__Host-access_token', with: keycloak },
  KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX: { value: '7', with: keycloak },
  KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT: { value: '7s', with: keycloak },
  WORKERS: { value: '2' },
  CLUSTER_PORT: { value: '0' },
  CLUSTER_HOST: { value: 'localhost', with: { CLUSTER_PORT: '0' } },
  METRICS_PORT: { value: '0' },
  METRICS_HOST: { value: 'localhost', with: { METRICS_PORT: '0' } },
  METRICS_NETWORKS: { value: '["10.0.0.0/8"]' },
  APP_VERSION: { value: '1.2.3' },
  AUDIT_LOG_ENABLED: { value: 'false' },
  AUDIT_LOG_RETENTION_DAYS: { value: '30' },
  AUDIT_QUEUE_MAX_SIZE: { value: '500' },
  AUDIT_BATCH_SIZE: { value: '50' },
  AUDIT_BATCH_TIMEOUT: { value: '2s' },
  AUDIT_OVERFLOW: { value: 'spill', with: { AUDIT_SPILL_FOLDER: '/var/spool/authors' } },
  AUDIT_SPILL_FOLDER: { value: '/var/spool/authors', with: { AUDIT_OVERFLOW: 'spill' } },
  DEVELOPMENT_ISSUER_PORT: { value: '0' },
  DOCS_URL: { value: 'https://docs.example' },
  RATE_LIMIT_ENABLED: { value: 'false' },
  RATE_LIMIT_PER_MINUTE: { value: '61' },
  RATE_LIMIT_BURST: { value: '11' },
  RATE_LIMIT_FILES_PER_MINUTE: { value: '3001' },
  RATE_LIMIT_FILES_BURST: { value: '601' },
  RATE_LIMIT_FAIL_MODE: { value: 'closed' },
  WS_MESSAGE_RATE_LIMIT: { value: '101' },
  WS_MAX_CONNECTIONS_PER_USER: { value: '6' },
  REDIS_CIRCUIT_BREAKER_FAIL_MAX: { value: '4' },
  REDIS_CIRCUIT_BREAKER_TIMEOUT: { value: '31s' },
  CIRCUIT_BREAKER_ENABLED: { value: 'false' },
  REDIS_URL: { value: 'redis://127.0.0.1:9/1' },
  REDIS_CLUSTER: { value: '["redis://127.0.0.1:9"]' },
  REDIS_SENTINELS: { value: sentinels.REDIS_SENTINELS },
  REDIS_SENTINEL_NAME: { value: 'main', with: sentinels },
  REDIS_SENTINEL_PASSWORD: { value: 'secret', with: sentinels },
  REDIS_IP: { value: '127.0.0.1' },
  REDIS_PORT: { value: '6380', with: redis },
  MAIN_REDIS_DB: { value: '2', with: redis },
  REDIS_PASSWORD: { value: 'secret', with: redis },
  REDIS_COMMAND_TIMEOUT: { value: '1s', with: redis },
  REDIS_CONNECT_TIMEOUT: { value: '1s', with: redis },
  REDIS_SOCKET_TIMEOUT: { value: '1s', with: redis },
  REDIS_HEALTH_CHECK_INTERVAL: { value: '1s', with: redis },
}

const names = declaredSettings.describe().settings.map(({ name }) => name)

/** Null where the settings refuse the variable, by its name. */
function read(name: string, variables: Variables): Settings | null {
  try {
    return declaredSettings.read({ variables })
  } catch (error) {
    if (error instanceof BootError && error.message.includes(`  ${name} `)) return null
    throw error
  }
}

/** Every value that is not a plain object or list, by its path: `database.pool.max`. */
function leavesOf(value: unknown, path = ''): Map<string, unknown> {
  if (!isContainer(value)) return new Map([[path, value]])
  const entries = Object.entries(value).flatMap(([key, each]) => [
    ...leavesOf(each, path === '' ? key : `${path}.${key}`),
  ])
  return new Map(entries)
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  return Object.getPrototypeOf(value) === Object.prototype
}

/** The paths at which two settings differ. */
function changes(before: Settings, after: Settings): string[] {
  const [one, other] = [leavesOf(before), leavesOf(after)]
  const paths = new Set([...one.keys(), ...other.keys()])
  return [...paths].filter((path) => JSON.stringify(one.get(path)) !== JSON.stringify(other.get(path)))
}

/** A copy that notes each path that is read. */
function recorded<T>(value: T, reads: Set<string>, path = ''): T {
  if (!isContainer(value)) return value
  const copy = {}
  for (const [key, each] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`
    const inner = recorded(each, reads, at)
    Object.defineProperty(copy, key, {
      enumerable: true,
      get: () => {
        reads.add(at)
        return inner
      },
    })
  }
  // It has the keys of the original, with values of their types.
  return copy as T
}

/** Starts the example as its entry file does, and resolves with the paths of the settings that were read. */
async function start(variables: Variables): Promise<Set<string>> {
  const reads = new Set<string>()
  const settings = recorded(declaredSettings.read({ variables }), reads)
  // The entry file passes all of it to `cluster()`, which starts other processes.
  leavesOf(settings.cluster)
  const issuer = await openIssuer(settings)
  onTestFinished(() => issuer.stop())
  const app = createAuthorsApp(settings, issuer.keycloak)
  onTestFinished(() => app.close())
  const isAway = settings.redis !== null
  // What reads the settings of Redis has done so by then.
  await app.listen(settings.listen).catch((error: unknown) => {
    if (!isAway || !(error instanceof BootError)) throw error
  })
  return reads
}

const quiet = { DATABASE_URL: 'pglite://memory', PORT: '0', LOG_LEVEL: 'fatal', ENV: 'test' }

describe('every setting', () => {
  test('has a case', () => {
    const refused = names.filter((name) => cases[name] === undefined && read(name, { [name]: 'x' }) === null)
    expect(Object.keys(cases).concat(refused).sort()).toEqual([...names].sort())
  })

  test('changes the settings, at a place that the example reads', async () => {
    const everything: Variables = {
      ...quiet,
      ...keycloak,
      KEYCLOAK_AUTHORIZED_PARTIES: '["web"]',
      KEYCLOAK_AUDIENCE: 'api',
      KEYCLOAK_TOKEN_COOKIE: '__Host-access_token',
      ALLOWED_HOSTS: '["*"]',
      ALLOWED_WS_ORIGINS: '["*"]',
      LOG_EXCLUDED_PATHS: '[]',
      DOCS_URL: 'https://twinwire.example',
      CURSOR_SECRET: 'sixteen characters',
      COMMIT_TIMEOUT: '1s',
      RATE_LIMIT_FAIL_MODE: 'closed',
      REDIS_URL: 'redis://127.0.0.1:9/1',
      REDIS_COMMAND_TIMEOUT: '1s',
      APP_VERSION: '1.2.3',
      CLUSTER_PORT: '0',
      CLUSTER_HOST: 'localhost',
      METRICS_PORT: '0',
    }
    const reads = await start(everything)
    const spillFolder = await mkdtemp(join(tmpdir(), 'twinwire-settings-'))
    onTestFinished(() => rm(spillFolder, { recursive: true }))
    // With a Redis that cannot be reached nothing listens: what is read then is read here.
    for (const path of await start({ ...quiet, DEVELOPMENT_ISSUER_PORT: '0' })) reads.add(path)
    for (const servers of [{ REDIS_CLUSTER: '["redis://127.0.0.1:9"]' }, sentinels]) {
      const variables = { ...quiet, ...servers, REDIS_PASSWORD: 'secret', REDIS_CONNECT_TIMEOUT: '100ms' }
      for (const path of await start({
        ...variables,
        AUDIT_OVERFLOW: 'spill',
        AUDIT_SPILL_FOLDER: spillFolder,
        DEVELOPMENT_ISSUER_PORT: '0',
        METRICS_NETWORKS: '["127.0.0.1"]',
      }))
        reads.add(path)
    }
    const unread: string[] = []
    for (const [name, { value, with: companions = {} }] of Object.entries(cases)) {
      const before = read(name, companions)
      const after = read(name, { ...companions, [name]: value })
      if (before === null || after === null) {
        expect.fail(`${name}=${value} is refused`)
      }
      const paths = changes(before, after)
      expect(paths, `${name}=${value} changes no setting`).not.toEqual([])
      if (!paths.some((path) => reads.has(path))) unread.push(`${name}: ${paths.join(', ')}`)
    }
    expect(unread).toEqual([])
  }, 240_000)
})
