import { expect, it } from 'vitest'
import * as entryPoint from './index.ts'

it('the names that broker-redis exports', () => {
  expect(Object.keys(entryPoint)).toEqual(['redisBroker'])
})
