// With TEST_BROKER=redis test apps publish through Redis, each under a prefix of its own: `npm run test:broker`.
import { redisBroker } from '@twinwire/broker-redis'
import { afterAll } from 'vitest'
import { setTestBroker } from '../../packages/core/src/testing/test-broker.ts'
import { startRedis } from './redis.ts'

const redis = await startRedis()
let apps = 0
setTestBroker(() => redisBroker({ url: redis.url, prefix: `${redis.prefix}${++apps}:` }))
afterAll(() => redis.stop())
