import { storeSuite } from '@twinwire/plugin-ratelimit/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenStore, openRedisStore } from '../support/limit-store.ts'
import { hasRedis, hasRedisCluster, startRedis, type TestRedis } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'

const commandTimeoutMs = 20_000

describe.skipIf(!(await hasRedis()))('the Redis store', () => {
  let redis: TestRedis
  let store: OpenStore
  beforeAll(async () => {
    redis = await startRedis()
    store = await openRedisStore({ url: redis.url, prefix: redis.prefix, commandTimeoutMs })
  })
  afterAll(async () => {
    await store?.close()
    await redis?.stop()
  })
  storeSuite({ it, expect }, { open: () => store })
})

describe.skipIf(!hasRedisCluster())('the Redis store in a cluster', () => {
  let cluster: RedisCluster
  let store: OpenStore
  beforeAll(async () => {
    cluster = await startRedisCluster()
    store = await openRedisStore({ cluster: cluster.urls, commandTimeoutMs })
  })
  afterAll(async () => {
    await store?.close()
    await cluster?.stop()
  })
  storeSuite({ it, expect }, { open: () => store })
})
