// Clients that a restart of the server has disconnected come back spread.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Random } from '../../../tests/differential/random.ts'
import { createFakeClient, type FakeSocket } from './fake-socket.fixtures.ts'

const clientCount = 2_000
/** Clients do not depend on each other, and the time that fake timers need grows with their square. */
const batchCount = 100
const binMs = 100
/** A busy machine takes its time for so many timers. */
const timeoutMs = 120_000
const closed = { code: 1012, reason: 'Service restart' }

beforeEach(() => {
  vi.useFakeTimers()
  // The same in every run.
  const random = new Random(7)
  vi.spyOn(Math, 'random').mockImplementation(() => random.next())
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Advances the time, and runs what follows. Quicker than the method of vitest that does so after each timer. */
async function advance(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  for (let i = 0; i < 5; i += 1) await Promise.resolve()
}

/** Restarts the server of clients that are connected: how many of them try to connect in each bin from then on. */
async function attemptsAfter(restart: (socket: FakeSocket) => void, windowMs: number): Promise<number[]> {
  const bins = Array<number>(windowMs / binMs).fill(0)
  for (let batch = 0; batch < batchCount; batch += 1) await countBatch(restart, bins)
  return bins
}

async function countBatch(restart: (socket: FakeSocket) => void, bins: number[]): Promise<void> {
  const slow = { pingIntervalMs: 3_600_000, connectTimeoutMs: 3_600_000 }
  const all = Array.from({ length: clientCount / batchCount }, () => createFakeClient(slow))
  for (const { client } of all) client.connect()
  await advance(0)
  for (const { socket } of all) socket().emit('open')
  await advance(60_000)
  for (const { socket } of all) restart(socket())
  // A call that waits does not hurry its client.
  const calls = all.map(({ client }) => client.call('GET', { id: 1 }).catch((error: unknown) => error))
  const attempts = (): number => all.reduce((sum, { sockets }) => sum + sockets.length - 1, 0)
  let before = attempts()
  expect(before).toBe(0)
  for (const [i, count] of bins.entries()) {
    await advance(binMs)
    const now = attempts()
    bins[i] = count + now - before
    before = now
  }
  for (const { client } of all) client.close()
  await Promise.all(calls)
  // Each has ended what it had planned.
  expect(vi.getTimerCount()).toBe(0)
}

function expectSpread(bins: readonly number[]): void {
  const total = bins.reduce((sum, count) => sum + count, 0)
  expect(total).toBe(clientCount)
  expect(Math.max(...bins)).toBeLessThanOrEqual((3 * total) / bins.length)
  // They use all of it.
  expect(Math.min(...bins)).toBeGreaterThan(0)
}

test('over the window that the server names', { timeout: timeoutMs }, async () => {
  const restart = (socket: FakeSocket): void => {
    socket.receive({ type: 'closing', reconnect_after_ms: [0, 20_000] })
    socket.emit('close', closed)
  }
  expectSpread(await attemptsAfter(restart, 20_000))
})

test('over 20 s when the server does not say', { timeout: timeoutMs }, async () => {
  expectSpread(await attemptsAfter((socket) => socket.emit('close', closed), 20_000))
})

test('over a window that begins later, none before it', { timeout: timeoutMs }, async () => {
  const restart = (socket: FakeSocket): void => {
    socket.receive({ type: 'closing', reconnect_after_ms: [5_000, 10_000] })
    socket.emit('close', closed)
  }
  const bins = await attemptsAfter(restart, 10_000)
  expect(bins.slice(0, 50)).toEqual(Array(50).fill(0))
  expectSpread(bins.slice(50))
})
