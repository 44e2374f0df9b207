// A client that reconnects 10,000 times holds what it held before.
import { execFile } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const file = fileURLToPath(new URL('../support/reconnecting-client.ts', import.meta.url))

test('nothing is left of 10,000 connections: no memory, no timer, no listener', { timeout: 300_000 }, async () => {
  const args = ['--expose-gc', '--conditions=@twinwire/source', '--import', 'tsx', file, '10000']
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, NODE_OPTIONS: undefined },
  })
  const { before, after, closed } = JSON.parse(stdout)
  console.info(`heap ${before.heap} -> ${after.heap}`)
  expect(after.heap - before.heap).toBeLessThan(1024 * 1024)
  expect(after).toMatchObject({ timers: before.timers, listeners: 4, signals: 0 })
  // It ends by itself, too: the process has ended.
  expect(closed).toMatchObject({ timers: 0, listeners: 0, signals: 0 })
})
