import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Clock, createApp } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { systemClock } from '@twinwire/core/plugin'
import { createTestLogger } from '@twinwire/core/testing'
import { expect, onTestFinished, test } from 'vitest'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

// Connecting is not part of the time of the first statement, so that a start is not a slow query.

type App = ReturnType<typeof createApp>

/** The sum of what statements took, in seconds, and how many were slow. */
function readMeter(app: App): { readonly seconds: number; readonly statements: number; readonly slow: number } {
  const cellsOf = (name: string) => app.instruments.families().find((family) => family.name === name)?.cells ?? []
  const durations = cellsOf('db_query_duration_seconds').map(({ cell }) => cell)
  const slow = cellsOf('db_slow_queries_total').map(({ cell }) => cell)
  return {
    seconds: durations.reduce((sum, cell) => sum + ('sum' in cell ? cell.sum : 0), 0),
    statements: durations.reduce((sum, cell) => sum + ('count' in cell ? cell.count : 0), 0),
    slow: slow.reduce((sum, cell) => sum + ('value' in cell ? cell.value : 0), 0),
  }
}

test('the start of an embedded database', async () => {
  const log = createTestLogger()
  const startedMs = performance.now()
  const app = createApp({
    environment: 'test',
    log,
    pkgIds: {},
    routes: {},
    plugins: [database({ url: 'pglite://memory', slowQueryMs: 60_000 })],
  })
  onTestFinished(() => app.close())
  await app.ready()
  const elapsedSeconds = (performance.now() - startedMs) / 1000
  const { seconds, statements } = readMeter(app)
  expect(statements).toBeGreaterThan(0)
  // Nearly all of the time of `ready()` is the start of the database.
  expect(seconds).toBeLessThan(elapsedSeconds / 2)
})

test.skipIf(!(await hasPostgres()))('a connection to PostgreSQL', async () => {
  const { url, drop } = await startPostgres()
  onTestFinished(drop)
  const { hostname, port } = new URL(url)
  // What the server says first waits until the test lets it through.
  let letThrough = (): void => {}
  const isLetThrough = new Promise<void>((resolve) => {
    letThrough = resolve
  })
  let held = (): void => {}
  const isHeld = new Promise<void>((resolve) => {
    held = resolve
  })
  const sockets: Socket[] = []
  const gate = createServer((inbound) => {
    const outbound = connect(Number(port || 5432), hostname)
    sockets.push(inbound, outbound)
    for (const socket of [inbound, outbound]) socket.on('error', () => {})
    inbound.pipe(outbound)
    outbound.once('data', (chunk) => {
      outbound.pause()
      held()
      void isLetThrough.then(() => {
        inbound.write(chunk)
        outbound.pipe(inbound)
      })
    })
  }).listen(0, '127.0.0.1')
  await once(gate, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    gate.close()
  })
  const address = gate.address()
  const throughGate = new URL(url)
  throughGate.hostname = '127.0.0.1'
  throughGate.port = typeof address === 'object' && address !== null ? String(address.port) : ''

  // An hour passes while the server is silent.
  let skewMs = 0
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skewMs }
  const app = createApp({
    environment: 'test',
    log: createTestLogger(),
    clock,
    pkgIds: {},
    routes: {},
    plugins: [database({ url: throughGate.href, slowQueryMs: 1_800_000 })],
  })
  onTestFinished(() => app.close())
  const ready = app.ready()
  await isHeld
  skewMs = 3_600_000
  letThrough()
  await ready
  const { seconds, statements, slow } = readMeter(app)
  expect(statements).toBeGreaterThan(0)
  expect(seconds).toBeLessThan(1800)
  expect(slow).toBe(0)
})
