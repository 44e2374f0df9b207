import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestLogger } from '../testing.ts'
import { mark } from './messages.ts'
import { type ClusterOptions, resolveClusterOptions } from './options.ts'
import { ClusterParent } from './parent.ts'

const say = (type: string) => `process.send({ mark: '${mark}', type: '${type}' })`
const onDrain = (then: string) => `process.on('message', ({ type }) => { if (type === 'drain') { ${then} } })`

/** A parent of workers that run `script`; `starts`: how many were started. */
async function create(script: string, options: Partial<ClusterOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const entry = join(folder, 'worker.cjs')
  writeFileSync(entry, script)
  const log = createTestLogger()
  const failures: unknown[] = []
  const resolved = resolveClusterOptions({ workers: 2, run: () => {}, entry, log, ...options })
  const parent = new ClusterParent(resolved, (error) => failures.push(error))
  onTestFinished(() => parent.kill())
  return { parent, failures, starts: () => log.lines.filter(({ message }) => message === 'Worker starts').length }
}

describe.skipIf(process.platform !== 'linux')('the parent of a cluster', () => {
  it('starts nothing more when its first worker says that it serves while it is drained', async () => {
    const { parent, starts } = await create(onDrain(`${say('serving')}; setTimeout(() => process.exit(), 200)`))
    const started = parent.start()
    await expect.poll(starts).toBe(1)
    expect(await parent.close()).toBe(true)
    await started
    expect(starts()).toBe(1)
  })

  it('ends a worker that does not serve in time, and says so', async () => {
    const { parent } = await create('setInterval(() => {}, 1000)', { startTimeoutMs: 300 })
    await expect(parent.start()).rejects.toThrow('Worker 1 did not listen within 300 ms')
    expect(await parent.close()).toBe(true)
  })

  it('kills a worker that does not drain in time, and reports it', async () => {
    const script = `${onDrain('')}; ${say('serving')}; setInterval(() => {}, 1000)`
    const { parent } = await create(script, { drainTimeoutMs: 300 })
    await parent.start()
    expect(parent.serving).toBe(2)
    expect(await parent.close()).toBe(false)
    expect(parent.serving).toBe(0)
  })

  it('drains the successor too, when it closes during a replacement', async () => {
    const script = `${onDrain('process.exit()')}; const { existsSync, writeFileSync } = require('node:fs')
      const isFirst = !existsSync(__filename + process.ppid)
      if (isFirst) { writeFileSync(__filename + process.ppid, ''); ${say('serving')} }`
    const { parent, starts, failures } = await create(script, { workers: 1 })
    await parent.start()
    // Two requests while it runs: the second one is remembered, and dropped by the close.
    const replaced = Promise.all([parent.replace(), parent.replace()])
    await expect.poll(starts).toBe(2)
    expect(await parent.close()).toBe(true)
    await replaced
    expect(starts()).toBe(2)
    expect(failures).toEqual([])
  })
})
