import { expect, it } from 'vitest'
import * as entryPoint from './index.ts'

it('the names that redis exports', () => {
  expect(Object.keys(entryPoint)).toMatchInlineSnapshot(`
    [
      "openRedisConnection",
      "RedisError",
      "redisOptionRules",
      "resolveRedisOptions",
      "redisSettings",
      "openRedisSubscriber",
      "addressOf",
      "redisScript",
    ]
  `)
})
