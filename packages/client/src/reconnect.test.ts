import { disconnects } from '@twinwire/core'
import { expect, test } from 'vitest'
import { backoffDelay, reconnectHint } from './reconnect.ts'

test.each(Object.values(disconnects))('without a manifest, $code $reason is what the server says', (row) => {
  expect(reconnectHint(row, [])).toBe(row.reconnect)
})

test('a code that is unknown is tried again, and a row of the manifest comes first', () => {
  expect(reconnectHint({ code: 1006, reason: '' }, [])).toBe('yes')
  expect(reconnectHint({ code: 1000, reason: '' }, [{ code: 1000, reconnect: 'yes' }])).toBe('yes')
  const rows = [{ code: 4900, reason: 'Away', reconnect: 'later' }]
  expect(reconnectHint({ code: 4900, reason: 'Away' }, rows)).toBe('later')
  expect(reconnectHint({ code: 4900, reason: 'Here' }, rows)).toBe('yes')
})

test('a delay is between nothing and a bound that doubles', () => {
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    const delayMs = backoffDelay({ minMs: 500, maxMs: 20_000 }, attempt)
    expect(delayMs).toBeGreaterThanOrEqual(0)
    expect(delayMs).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** attempt))
  }
})
