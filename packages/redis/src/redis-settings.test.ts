import { BootError } from '@twinwire/core'
import { defineSettings } from '@twinwire/core/settings'
import { describe, expect, it } from 'vitest'
import { resolveRedisOptions } from './redis-options.ts'
import { redisSettings } from './redis-settings.ts'

const declared = defineSettings({ redis: redisSettings })
const read = (variables: Readonly<Record<string, string>>) => declared.read({ variables }).redis

function report(variables: Readonly<Record<string, string>>): string[] {
  try {
    declared.read({ variables })
  } catch (error) {
    if (!(error instanceof BootError)) throw error
    return error.message.split('\n').slice(1)
  }
  return []
}

const times = {
  connectTimeoutMs: 5000,
  socketTimeoutMs: 5000,
  healthCheckIntervalMs: 30_000,
}

describe('the settings of Redis', () => {
  it('are null when no address is set', () => {
    expect(read({})).toBeNull()
    expect(read({ REDIS_SOCKET_TIMEOUT: '5' })).toBeNull()
  })

  it.each([
    [{ REDIS_URL: 'rediss://me:secret@redis/3' }, { url: 'rediss://me:secret@redis/3' }],
    [{ REDIS_IP: 'redis' }, { url: 'redis://redis:6379/1' }],
    [{ REDIS_PASSWORD: 'a/b@c%' }, { url: 'redis://:a%2Fb%40c%25@localhost:6379/1' }],
    [{ REDIS_IP: '::1', REDIS_PORT: '7000', MAIN_REDIS_DB: '0' }, { url: 'redis://[::1]:7000/0' }],
    [
      { REDIS_CLUSTER: '["rediss://a:7000","rediss://b"]', REDIS_PASSWORD: 'x' },
      { cluster: ['rediss://:x@a:7000', 'rediss://:x@b'] },
    ],
    [
      { REDIS_SENTINELS: '["redis://a","redis://b:7000"]' },
      { sentinels: { name: 'mymaster', urls: ['redis://a', 'redis://b:7000'], db: 1 } },
    ],
    [
      {
        REDIS_SENTINELS: '["rediss://a"]',
        REDIS_SENTINEL_NAME: 'main',
        REDIS_SENTINEL_PASSWORD: 'x/',
        REDIS_PASSWORD: 'y/',
        MAIN_REDIS_DB: '0',
      },
      { sentinels: { name: 'main', urls: ['rediss://:x%2F@a'], password: 'y/', db: 0 } },
    ],
  ])('read %j', (variables, expected) => {
    const settings = read(variables)
    expect(settings).toEqual({ ...expected, ...times })
    // The result must be valid options of the store.
    expect(() => resolveRedisOptions(settings ?? {}, { owner: 'redisStore()', commandTimeoutMs: 150 })).not.toThrow()
  })

  it('read times in seconds', () => {
    const variables = {
      REDIS_URL: 'redis://redis',
      REDIS_COMMAND_TIMEOUT: '80ms',
      REDIS_CONNECT_TIMEOUT: '2',
      REDIS_SOCKET_TIMEOUT: '3',
      REDIS_HEALTH_CHECK_INTERVAL: '10',
    }
    expect(read(variables)).toEqual({
      url: 'redis://redis',
      commandTimeoutMs: 80,
      connectTimeoutMs: 2000,
      socketTimeoutMs: 3000,
      healthCheckIntervalMs: 10_000,
    })
  })

  it.each([
    [{ REDIS_URL: 'http://redis' }, 'REDIS_URL must be redis://user:password@host:6379/0, or rediss:// for TLS'],
    [{ REDIS_URL: 'redis://redis?db=2' }, 'REDIS_URL must not have a query or a hash: use the other options instead'],
    [{ REDIS_CLUSTER: '[]' }, 'REDIS_CLUSTER must contain at least one url'],
    [{ REDIS_CLUSTER: '["redis://:secret@a"]' }, 'REDIS_CLUSTER must not have a user or a database'],
    [{ REDIS_CLUSTER: '["redis://a/1"]' }, 'REDIS_CLUSTER must not have a user or a database'],
    [{ REDIS_CLUSTER: '["redis://a","rediss://a"]' }, 'REDIS_CLUSTER must not mix redis:// and rediss://'],
    [
      { REDIS_SENTINELS: '["http://a"]', REDIS_SENTINEL_NAME: 'm' },
      'REDIS_SENTINELS must be redis://user:password@host:26379/0, or rediss:// for TLS',
    ],
    [
      { REDIS_SENTINELS: '["redis://a/1"]', REDIS_SENTINEL_NAME: 'm' },
      'REDIS_SENTINELS must not have a user or a database',
    ],
    [
      { REDIS_SENTINEL_NAME: 'm', REDIS_URL: 'redis://a' },
      'REDIS_SENTINEL_NAME is not used without REDIS_SENTINELS: set both or none',
    ],
    [
      { REDIS_SENTINELS: '["redis://a"]', REDIS_SENTINEL_NAME: 'm', REDIS_IP: 'b' },
      'REDIS_SENTINELS and REDIS_IP exclude each other: keep one of them',
    ],
    [{ REDIS_IP: 'a b' }, 'REDIS_IP must be a host name or an IP address'],
    [{ REDIS_URL: 'redis://a', REDIS_PORT: '1' }, 'REDIS_URL and REDIS_PORT exclude each other: keep one of them'],
    [
      { REDIS_CLUSTER: '["redis://a"]', REDIS_URL: 'redis://a', MAIN_REDIS_DB: '1' },
      'REDIS_URL and REDIS_CLUSTER and MAIN_REDIS_DB exclude each other: keep one of them',
    ],
  ])('refuse %j', (variables, message) => {
    expect(report(variables)).toEqual([`  ${message}`])
  })

  it('are not printed with the password', () => {
    const sentinels = { REDIS_SENTINELS: '["redis://a"]', REDIS_SENTINEL_NAME: 'm', REDIS_SENTINEL_PASSWORD: 'hunter3' }
    for (const address of [{ REDIS_CLUSTER: '["redis://a"]' }, sentinels]) {
      const settings = declared.read({ variables: { ...address, REDIS_PASSWORD: 'hunter2' } })
      expect(JSON.stringify(settings)).not.toContain('hunter')
    }
    expect(JSON.stringify(declared.read({ variables: { REDIS_PASSWORD: 'hunter2' } }))).not.toContain('hunter2')
  })
})
