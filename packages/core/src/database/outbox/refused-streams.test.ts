import { expect, test } from 'vitest'
import { RefusedStreams } from './refused-streams.ts'

test('the pause of a stream doubles from 25 ms to 5 s, and ends when a publication of it was taken', () => {
  const streams = new RefusedStreams()
  const pauses = Array.from({ length: 10 }, () => {
    streams.refused(':a', 0)
    return streams.nextMs(0, 60_000)
  })
  expect(pauses).toEqual([25, 50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  streams.taken(':a')
  expect([streams.size, streams.nextMs(0, 60_000)]).toEqual([0, 60_000])
})

test('each stream has its own', () => {
  const streams = new RefusedStreams()
  streams.refused(':a', 0)
  streams.refused(':a', 0)
  streams.refused(':b', 0)
  expect(streams.paused(10)).toEqual([':a', ':b'])
  expect(streams.paused(25)).toEqual([':a'])
  expect(streams.nextMs(10, 1000)).toBe(15)
  expect(streams.paused(50)).toEqual([])
})

test('those that another process has sent are forgotten once their pause has ended', () => {
  const streams = new RefusedStreams()
  for (const stream of [':a', ':b', ':c']) streams.refused(stream, 0)
  streams.refused(':c', 0)
  streams.keepOnly(new Set([':a']), 25)
  expect([streams.has(':a'), streams.has(':b'), streams.has(':c')]).toEqual([true, false, true])
  streams.clear()
  expect([streams.size, streams.nextMs(30, 1000)]).toEqual([0, 1000])
})

test('remembers 1000, the latest', () => {
  const streams = new RefusedStreams()
  for (let i = 0; i < 1001; i += 1) streams.refused(`:${i}`, 0)
  expect(streams.size).toBe(1000)
  expect(streams.paused(0)).not.toContain(':0')
})
