import { BootError } from '@twinwire/core'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { type RedisConnectionOptions, resolveRedisOptions } from './redis-options.ts'
import { addressOf } from './redis-target.ts'

const owner = 'redisStore()'
const resolve = (options: RedisConnectionOptions) => resolveRedisOptions(options, { owner, commandTimeoutMs: 150 })

describe('options of a connection to Redis', () => {
  it('have defaults', () => {
    expect(resolve({ url: 'redis://localhost' })).toEqual({
      owner,
      target: { kind: 'server', address: { host: 'localhost', port: 6379, isTls: false, db: 0 } },
      prefix: 'twinwire:',
      tls: {},
      commandTimeoutMs: 150,
      connectTimeoutMs: 5000,
      socketTimeoutMs: 5000,
      healthCheckIntervalMs: 30_000,
    })
  })

  it.each([
    ['redis://[::1]:7000/2', { host: '::1', port: 7000, isTls: false, db: 2 }],
    [
      'rediss://me:p%40ss%2F@redis.internal/',
      { host: 'redis.internal', port: 6379, isTls: true, username: 'me', password: 'p@ss/', db: 0 },
    ],
    ['redis://:only@10.0.0.1', { host: '10.0.0.1', port: 6379, isTls: false, password: 'only', db: 0 }],
  ])('read the url %s', (url, address) => {
    expect(resolve({ url }).target).toEqual({ kind: 'server', address })
  })

  it.each<[RedisConnectionOptions, string]>([
    [{}, 'url, sentinels, cluster or client is required'],
    [{ url: 'redis://a', cluster: ['redis://a'] }, 'url and cluster exclude each other: keep one of them'],
    [{ url: 'localhost:6379' }, 'url must be redis://'],
    [{ url: 'redis://' }, 'url must be redis://'],
    [{ url: 'http://a' }, 'url must be redis://'],
    [{ url: 'redis://a?enableOfflineQueue=true' }, 'url must not have a query'],
    [{ url: 'redis://a/one' }, 'url must have the number of a database as its path, or no path'],
    [{ url: 'redis://a/1/2' }, 'url must have the number of a database as its path, or no path'],
    [{ url: 'redis://:%zz@a' }, 'url has an invalid escape sequence: write % as %25'],
    [{ cluster: [] }, 'cluster must be a list of urls'],
    [{ cluster: ['redis://a', 'b'] }, 'cluster[1] must be redis://'],
    [{ cluster: ['redis://a/1'] }, 'cluster must not name a database'],
    [{ cluster: ['redis://a', 'rediss://b'] }, 'cluster must not mix redis:// and rediss://'],
    [{ url: 'redis://a', prefix: 'a{b}' }, 'prefix must be a string of at most 128 characters without { and }'],
    [{ url: 'redis://a', tls: { servername: 'a' } }, 'tls needs a url that begins with rediss://'],
    [
      { url: 'redis://a', commandTimeoutMs: 0 },
      'redisStore(): commandTimeoutMs must be an integer from 1 to 86400000 (milliseconds), received 0',
    ],
    [{ url: 'redis://a', socketTimeoutMs: Number.NaN }, 'redisStore(): socketTimeoutMs must be'],
    [{ url: 'redis://a', connectTimeoutMs: 1.5 }, 'redisStore(): connectTimeoutMs must be'],
    [{ url: 'redis://a', healthCheckIntervalMs: -1 }, 'redisStore(): healthCheckIntervalMs must be'],
  ])('refuse %j before a connection is opened', (options, message) => {
    expect(() => resolve(options)).toThrow(expect.objectContaining({ code: 'bad_option' }))
    expect(() => resolve(options)).toThrow(message)
  })

  it.each<[object, string]>([
    [{ url: 'redis://a', timeout: 5 }, 'redisStore(): timeout is not an option'],
    [
      { url: 'rediss://a', tls: { rejectUnauthorized: false } },
      'redisStore(): tls.rejectUnauthorized is not an option',
    ],
  ])('refuse the unknown option in %j', (options, message) => {
    expect(() => resolve({ ...options })).toThrow(expect.objectContaining({ code: 'unknown_option' }))
    expect(() => resolve({ ...options })).toThrow(message)
  })

  it('never show a password', () => {
    const url = 'redis://me:hunter2@host:7000/wrong'
    try {
      resolve({ url })
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(BootError)
      expect(String(error)).not.toContain('hunter2')
    }
    expect(addressOf(resolve({ url: 'rediss://me:hunter2@host:7000/3' }))).toBe('host:7000/3')
  })

  it('accept a client of ioredis', () => {
    const client = new Redis({ lazyConnect: true })
    const options = resolve({ client })
    expect(options.target).toEqual({ kind: 'client', client })
    expect(addressOf(options)).toBe('client of the application')
    expect(addressOf(resolve({ cluster: ['redis://a:1', 'redis://b:2'] }))).toBe('cluster at a:1')
    client.disconnect()
  })
})
