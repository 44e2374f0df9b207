import { expect, test } from 'vitest'
import { toTraceparent, traceIdOf } from './traceparent.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const good = `00-${trace}-00f067aa0ba902b7-01`

test.each([
  good,
  `00-${trace}-00f067aa0ba902b7-00`,
  `cc-${trace}-00f067aa0ba902b7-01`,
  `cc-${trace}-00f067aa0ba902b7-01-more`,
])('carries %s', (header) => {
  expect(toTraceparent(header)).toBe(header)
  expect(traceIdOf(header)).toBe(trace)
})

test.each([
  '',
  'x',
  good.toUpperCase(),
  `ff${good.slice(2)}`,
  `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `${good}-more`,
  `${good}0`,
  `cc${good.slice(2)}.more`,
  good.slice(0, -1),
  `${good}, ${good}`,
  ` ${good}`,
  `cc${good.slice(2)}-${'x'.repeat(300)}`,
])('leaves %j where it is', (header) => {
  expect(toTraceparent(header)).toBeNull()
})
