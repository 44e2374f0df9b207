import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { toCorrelationId } from './correlation.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test.each(['a', 'order-4711', '!~', 'x'.repeat(128), '550e8400-e29b-41d4-a716-446655440000'])(
  'keeps %s [defect 67]',
  (header) => {
    expect(toCorrelationId(header)).toBe(header)
  },
)

test.each(['', ' ', 'a b', 'a\n', '\ta', 'caf\u00e9', 'x'.repeat(129), 'a\u0000', '\u007f'])(
  'makes a UUID of %j [defect 67]',
  (header) => {
    expect(toCorrelationId(header)).toMatch(uuid)
    expect(toCorrelationId(header)).not.toBe(toCorrelationId(header))
  },
)

test('whatever comes in, 1 to 128 visible ASCII characters go out', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 200 })), (header) => {
      expect(toCorrelationId(header)).toMatch(/^[!-~]{1,128}$/)
    }),
    { numRuns: 1000 },
  )
})
