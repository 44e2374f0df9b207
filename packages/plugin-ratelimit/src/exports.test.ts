import { expect, it } from 'vitest'
import * as entryPoint from './index.ts'

it('the names that plugin-ratelimit exports', () => {
  expect(Object.keys(entryPoint)).toMatchInlineSnapshot(`
    [
      "limit",
      "rateLimitKey",
      "memoryStore",
      "rateLimit",
      "rateLimitSettings",
      "redisSettings",
      "redisStore",
    ]
  `)
})
