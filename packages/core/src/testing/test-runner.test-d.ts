import * as vitest from 'vitest'
import { expectTypeOf, test } from 'vitest'
import type { TestRunner } from './test-runner.ts'

test('vitest is a runner', () => {
  expectTypeOf(vitest).toExtend<TestRunner>()
})
