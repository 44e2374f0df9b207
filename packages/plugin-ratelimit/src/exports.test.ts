import { expect, it } from 'vitest'
import * as entryPoint from './index.ts'
import * as testing from './testing/index.ts'

it('the names that plugin-ratelimit exports', () => {
  expect(Object.keys(entryPoint)).toMatchInlineSnapshot(`
    [
      "limit",
      "rateLimitKey",
      "memoryStore",
      "rateLimit",
      "rateLimitSettings",
      "redisStore",
    ]
  `)
})

it('the names that plugin-ratelimit/testing exports', () => {
  expect(Object.keys(testing)).toEqual(['createRule', 'storeSuite'])
})
