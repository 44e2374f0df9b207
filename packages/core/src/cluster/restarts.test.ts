import { expect, it } from 'vitest'
import { Restarts } from './restarts.ts'

const options = { delayMs: 200, maxDelayMs: 1000, stableMs: 10_000, attempts: 5 }

it('the first death has no pause, each further one twice the pause of the one before, up to the longest', () => {
  const restarts = new Restarts(options)
  expect([9999, 0, 0, 0, 0, 0].map((servedMs) => restarts.nextDelayMs(servedMs))).toEqual([
    0, 200, 400, 800, 1000, 1000,
  ])
})

it('a worker that served for long enough starts anew', () => {
  const restarts = new Restarts(options)
  expect([0, 0, 10_000, 0, 9999].map((servedMs) => restarts.nextDelayMs(servedMs))).toEqual([0, 200, 0, 200, 400])
})
