import { AsyncLocalStorage } from 'node:async_hooks'
import { createLogger } from '@twinwire/core'
import { Instruments } from '@twinwire/core/plugin'
import { createVirtualClock } from '@twinwire/core/testing'
import { expect, test } from 'vitest'
import { declareInstruments } from './instruments.ts'
import { Recorder } from './recorder.ts'
import type { Row } from './row.ts'

const silent = createLogger({ environment: 'test', level: 'silent' })

/** What runs now, as a tracer follows it. */
const context = new AsyncLocalStorage<string>()

const rowOf = (name: string): Row => ({ json: name, outcome: 'success' })

function create({ queueSize = 10, batchSize = 3 } = {}) {
  const clock = createVirtualClock()
  const batches: string[][] = []
  const contexts: (string | undefined)[] = []
  const state = { fails: false, hangs: false }
  const instruments = declareInstruments(new Instruments())
  const recorder = new Recorder({
    writer: {
      async write(rows, least = 1) {
        let due = true
        while (rows.length > 0 && (due || rows.length >= least)) {
          due = false
          if (state.fails) throw new Error('The database is stopped')
          if (state.hangs) return new Promise(() => {})
          contexts.push(context.getStore())
          batches.push(rows.splice(0, batchSize).map(({ json }) => json))
        }
      },
    },
    clock,
    log: silent,
    queueSize,
    batchSize,
    batchMs: 1000,
    spill: () => null,
    instruments,
  })
  const add = (...names: string[]) => {
    for (const name of names) recorder.add(rowOf(name))
  }
  return { clock, batches, contexts, state, instruments, recorder, add }
}

test('a batch is written when it is full', async () => {
  const { clock, batches, add } = create()
  add('a', 'b', 'c', 'd')
  await clock.advance(0)
  expect(batches).toEqual([['a', 'b', 'c']])
  await clock.advance(1000)
  expect(batches).toEqual([['a', 'b', 'c'], ['d']])
})

test('a batch is written in the context of none of the calls whose rows it has', async () => {
  const { clock, batches, contexts, add } = create()
  context.run('call', () => add('a', 'b', 'c', 'd'))
  await clock.advance(1000)
  context.run('other call', () => add('e'))
  await clock.advance(1000)
  expect(batches).toHaveLength(3)
  expect(contexts).toEqual([undefined, undefined, undefined])
})

test('later rows do not put off the first one of a batch [defect 54]', async () => {
  const { clock, batches, add } = create()
  add('a')
  await clock.advance(900)
  add('b')
  await clock.advance(99)
  expect(batches).toEqual([])
  await clock.advance(1)
  expect(batches).toEqual([['a', 'b']])
})

test('rows wait while the database is away, and none of them is lost as long as they fit', async () => {
  const { clock, batches, state, instruments, recorder, add } = create()
  state.fails = true
  add('a', 'b', 'c')
  await clock.advance(10_000)
  expect(recorder.findProblem()).toBe('The audit log cannot be written')
  add('d')
  state.fails = false
  await clock.advance(6000)
  expect(batches.flat()).toEqual(['a', 'b', 'c', 'd'])
  expect(recorder.findProblem()).toBeNull()
  expect(instruments.dropped.value).toBe(0)
})

test('what does not fit is counted, and no caller waits for it [defect 59]', async () => {
  const { clock, batches, state, instruments, recorder, add } = create({ queueSize: 4 })
  state.fails = true
  add('a', 'b', 'c', 'd', 'e', 'f')
  await clock.advance(100)
  expect(instruments.dropped.value).toBe(2)
  expect(instruments.queueSize.value).toBe(4)
  expect(recorder.findProblem()).toBe('Rows of the audit log are being lost')
  state.fails = false
  await clock.advance(70_000)
  expect(batches.flat()).toEqual(['a', 'b', 'c', 'd'])
  expect(recorder.findProblem()).toBeNull()
})

test('the end writes what waits [defect 55]', async () => {
  const { batches, recorder, add } = create()
  add('a', 'b')
  await recorder.close(1000)
  expect(batches).toEqual([['a', 'b']])
})

test('the end does not wait for a database that is away, and counts what is lost [defect 55]', async () => {
  for (const kind of ['fails', 'hangs'] as const) {
    const { clock, batches, state, instruments, recorder, add } = create()
    state[kind] = true
    add('a', 'b')
    const closed = recorder.close(1000)
    await clock.advance(1000)
    await closed
    expect(batches).toEqual([])
    expect(instruments.dropped.value).toBe(2)
  }
})

test('what is added after the end is counted as lost, and never tried again', async () => {
  const { clock, state, instruments, recorder, add } = create()
  await recorder.close(1000)
  state.fails = true
  add('a')
  await clock.advance(10_000)
  expect(instruments.dropped.value).toBe(1)
  expect(instruments.queueSize.value).toBe(0)
})
