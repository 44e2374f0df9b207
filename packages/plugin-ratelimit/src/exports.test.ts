import { expect, it } from 'vitest'
import * as door from './index.ts'

it('the names that plugin-ratelimit exports', () => {
  expect(Object.keys(door)).toMatchInlineSnapshot(`
    [
      "memoryStore",
      "rateLimitKey",
      "rateLimit",
      "rateLimitSettings",
      "redisSettings",
      "redisStore",
      "limit",
    ]
  `)
})
