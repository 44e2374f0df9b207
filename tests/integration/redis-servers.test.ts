// The servers that other suites kill and set up.
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { startRedisReplica } from '../support/redis-replica.ts'
import { startRedisSentinel } from '../support/redis-sentinel.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

async function get(server: RedisServer, key: string): Promise<string | null> {
  const client = redisClient(server.url)
  try {
    return await client.get(key)
  } finally {
    client.disconnect()
  }
}

async function set(server: RedisServer, key: string, value: string): Promise<void> {
  const client = redisClient(server.url)
  try {
    await client.set(key, value)
  } finally {
    client.disconnect()
  }
}

describe.skipIf(!hasOwnRedis())('a server of a test', () => {
  test('is restarted empty, or from what it was before', async () => {
    const server = await startRedisServer()
    onTestFinished(() => server.stop())
    await set(server, 'a', 'old')
    const snapshot = await server.snapshot()
    await set(server, 'a', 'new')
    await server.restart(snapshot)
    expect(await get(server, 'a')).toBe('old')
    await server.restart()
    expect(await get(server, 'a')).toBeNull()
  })

  test('has a replica, which is promoted with or without the latest writes', async () => {
    const server = await startRedisServer()
    onTestFinished(() => server.stop())
    const replica = await startRedisReplica(server)
    onTestFinished(() => replica.stop())
    await set(server, 'a', 'old')
    await replica.caughtUp()
    await replica.lag()
    await set(server, 'a', 'new')
    await replica.promote()
    expect(await get(replica, 'a')).toBe('old')
    await set(replica, 'a', 'own')
    expect(await get(replica, 'a')).toBe('own')
  })

  test('is watched by a Sentinel, which promotes the other one on command', async () => {
    const sentinel = await startRedisSentinel({ password: 'secret', sentinelPassword: 'other' })
    onTestFinished(() => sentinel.stop())
    expect(await sentinel.master()).toBe(sentinel.first)
    await set(sentinel.first, 'a', 'kept')
    await sentinel.failover()
    expect(await sentinel.master()).toBe(sentinel.second)
    expect(await get(sentinel.second, 'a')).toBe('kept')
  })
})
