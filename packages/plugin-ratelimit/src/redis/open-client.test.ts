import { describe, expect, it } from 'vitest'
import { backOffMs } from './open-client.ts'

describe('the pause before another attempt to connect', () => {
  it('grows up to two seconds, and is not the same in every process', () => {
    for (const [attempt, most] of [
      [1, 50],
      [2, 100],
      [5, 800],
      [7, 2000],
      [1000, 2000],
    ] as const) {
      const pauses = Array.from({ length: 100 }, () => backOffMs(attempt))
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(most / 2)
      expect(Math.max(...pauses)).toBeLessThanOrEqual(most)
      expect(new Set(pauses).size).toBeGreaterThan(5)
    }
  })
})
