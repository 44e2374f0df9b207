import type { MaybePromise } from '../base/maybe-promise.ts'

/**
 * The functions of a test runner that the suites of this entry point use. Those of vitest and of jest fit as they are. For
 * `node:test`, pass its `before` and `after` as `beforeAll` and `afterAll`, and the `expect` of the package expect.
 *
 * @example
 * import * as vitest from 'vitest'
 * brokerSuite(vitest, { createBroker: memoryBroker })
 */
export interface TestRunner {
  describe(name: string, suite: () => void): unknown
  it(name: string, test: () => MaybePromise<void>): unknown
  beforeAll(hook: () => MaybePromise<void>): unknown
  afterAll(hook: () => MaybePromise<void>): unknown
  beforeEach(hook: () => MaybePromise<void>): unknown
  afterEach(hook: () => MaybePromise<void>): unknown
  expect(actual: unknown): TestMatchers & { readonly not: TestMatchers; readonly rejects: TestRejections }
}

/** The matchers that suites use. */
export interface TestMatchers {
  toBe(expected: unknown): void
  toEqual(expected: unknown): void
  toMatchObject(expected: object): void
  toHaveLength(length: number): void
  toContain(item: unknown): void
  toMatch(expected: string | RegExp): void
  toBeGreaterThan(bound: number): void
  toBeGreaterThanOrEqual(bound: number): void
  toBeLessThan(bound: number): void
  toBeLessThanOrEqual(bound: number): void
  toThrow(expected?: string | RegExp): void
}

/** The matchers of a promise that must be rejected. */
export interface TestRejections {
  toThrow(expected?: string | RegExp): Promise<void>
  toMatchObject(expected: object): Promise<void>
}
