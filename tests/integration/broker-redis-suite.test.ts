import { randomUUID } from 'node:crypto'
import { redisBroker } from '@twinwire/broker-redis'
import { brokerSuite } from '@twinwire/core/testing'
import * as vitest from 'vitest'
import { hasRedis, hasRedisCluster, startRedis, type TestRedis } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'

const { afterAll, beforeAll, beforeEach, describe } = vitest

describe.skipIf(!(await hasRedis()))('redisBroker() on one server', () => {
  let redis: TestRedis
  let prefix: string
  beforeAll(async () => {
    redis = await startRedis()
  })
  beforeEach(() => {
    prefix = `${redis.prefix}${randomUUID().slice(0, 8)}:`
  })
  afterAll(async () => {
    await redis.stop()
  })
  brokerSuite(vitest, {
    createBroker: () => redisBroker({ url: redis.url, prefix }),
    closeBroker: (broker) => broker.close(),
  })
})

describe.skipIf(!hasRedisCluster())('redisBroker() on a cluster of three', () => {
  let cluster: RedisCluster
  let prefix: string
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  beforeEach(() => {
    prefix = `${randomUUID().slice(0, 8)}:`
  })
  afterAll(async () => {
    await cluster.stop()
  })
  brokerSuite(vitest, {
    createBroker: () => redisBroker({ cluster: cluster.urls, prefix }),
    closeBroker: (broker) => broker.close(),
  })
})
