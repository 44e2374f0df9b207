import { describe, expect, it } from 'vitest'
import type { Clock } from '../base/clock.ts'
import { brokerOf } from '../hub/broker.fixtures.ts'
import type { Broker } from '../hub/broker.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { plugin } from '../testing/suite.fixtures.ts'
import { createTestApp, createVirtualClock } from '../testing.ts'
import type { TaskOptions, TaskTable } from './task.ts'

const empty = { pkgIds: {}, routes: {} } as const

async function start(tasks: TaskTable, more: { readonly broker?: Broker } = {}) {
  const clock = createVirtualClock()
  const test = await createTestApp({ ...empty, clock, tasks, ...more })
  const count = (outcome: 'success' | 'error', task: string): number => {
    const family = test.app.instruments.families().find(({ name }) => name === 'task_runs_total')
    const found = family?.cells.find(({ labels }) => labels.task === task && labels.outcome === outcome)
    return Number(Object(found?.cell).value)
  }
  /** Lets what has begun end, and the clock go on. */
  const advance = async (ms: number): Promise<void> => {
    await turn()
    await clock.advance(ms)
    await turn()
  }
  return { ...test, clock, count, advance }
}

const turn = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A broker whose lease is given and taken by the test. */
function leasing() {
  const state = { held: true as boolean | 'silent' | 'fails', released: [] as string[] }
  const broker: Broker = {
    ...brokerOf({}),
    lease: () => {
      if (state.held === 'silent') return new Promise<boolean>(() => {})
      if (state.held === 'fails') throw new Error('not connected')
      return state.held
    },
    release: (name) => void state.released.push(name),
  }
  return { state, broker }
}

describe('a task', () => {
  it('runs when the app is ready, and again `everyMs` after each end', async () => {
    let runs = 0
    const { advance, close, count } = await start({ tick: { everyMs: 1000, run: () => void runs++ } })
    await turn()
    expect(runs).toBe(1)
    await advance(999)
    expect(runs).toBe(1)
    await advance(1)
    expect([runs, count('success', 'tick')]).toEqual([2, 2])
    await close()
    await advance(5000)
    expect(runs).toBe(2)
  })

  it('never overlaps, however long it takes', async () => {
    let running = 0
    let most = 0
    let end = (): void => {}
    const { advance, close } = await start({
      slow: {
        everyMs: 10,
        run: async () => {
          most = Math.max(most, ++running)
          await new Promise<void>((resolve) => {
            end = resolve
          })
          running--
        },
      },
    })
    await advance(10_000)
    expect([running, most]).toEqual([1, 1])
    end()
    await advance(10)
    expect([running, most]).toEqual([1, 1])
    end()
    await close()
  })

  it('that fails is logged and counted, and runs again', async () => {
    let runs = 0
    const { advance, close, count, logs } = await start({
      bad: {
        everyMs: 100,
        run: () => {
          runs++
          throw new Error('no disk')
        },
      },
    })
    await advance(100)
    expect([runs, count('error', 'bad')]).toEqual([2, 2])
    expect(logs.find(({ message }) => message === 'The task bad failed')?.fields).toMatchObject({ task: 'bad' })
    await close()
  })

  it('ends with the drain, which waits for it', async () => {
    const events: string[] = []
    const { app } = await start({
      long: {
        everyMs: 100,
        run: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              events.push('aborted')
              setTimeout(() => {
                events.push('ended')
                reject(signal.reason)
              }, 20)
            })
          }),
      },
    })
    await turn()
    await app.close()
    expect(events).toEqual(['aborted', 'ended'])
  })

  it('of a plugin has the name of the plugin', async () => {
    let runs = 0
    const own = plugin((host) => host.task('sweep', { everyMs: 100, run: () => void runs++ }), 'cleaner')
    const { app, close } = await createTestApp({ ...empty, plugins: [own] })
    await expect.poll(() => runs).toBeGreaterThan(0)
    const family = app.instruments.families().find(({ name }) => name === 'task_runs_total')
    expect(family?.cells.map(({ labels }) => labels.task)).toContain('cleaner.sweep')
    await close()
  })

  const run = (): void => {}
  it.each([
    ['without a pause', { a: { run } as unknown as TaskOptions }, 'bad_option', /tasks\.a\.everyMs/],
    ['with a pause that is too short', { a: { everyMs: 1, run } }, 'bad_option', /tasks\.a\.everyMs/],
    ['without work', { a: { everyMs: 100 } as unknown as TaskOptions }, 'bad_option', /tasks\.a\.run/],
    ['with an unknown option', { a: { everyMs: 100, run, cron: '* * *' } as TaskOptions }, 'unknown_option', /cron/],
  ] as const)('%s is a boot error', async (_case, tasks, code, message) => {
    expectBootError(await boot({ ...empty, tasks }), code, message)
  })

  it('twice is a boot error', async () => {
    const twice = plugin((host) => {
      host.task('a', { everyMs: 100, run })
      host.task('a', { everyMs: 100, run })
    }, 'p')
    expectBootError(await boot({ plugins: [twice] }), 'duplicate_task', "Two tasks have the name 'p.a': rename one")
  })
})

describe('a task for one node', () => {
  it('runs with a memory broker, which has one', async () => {
    let runs = 0
    const { close } = await start({ one: { everyMs: 100, onOneNode: true, run: () => void runs++ } })
    await expect.poll(() => runs).toBe(1)
    await close()
  })

  it('waits for the lease, goes on as long as it has it, and gives it up when the app closes', async () => {
    const { state, broker } = leasing()
    state.held = false
    let runs = 0
    const { advance, close } = await start(
      { one: { everyMs: 1000, onOneNode: true, run: () => void runs++ } },
      { broker },
    )
    await advance(4999)
    expect(runs).toBe(0)
    state.held = true
    await advance(1)
    expect(runs).toBe(1)
    for (let second = 0; second < 20; second++) await advance(1000)
    expect(runs).toBe(21)
    await close()
    expect(state.released).toEqual(['one'])
  })

  it.each(['silent', 'fails', false] as const)(
    'ends when the lease is lost, and begins again with it: %s',
    async (loss) => {
      const { state, broker } = leasing()
      const runs: AbortSignal[] = []
      const { advance, close } = await start(
        {
          one: {
            everyMs: 1000,
            onOneNode: true,
            run: ({ signal }) => {
              runs.push(signal)
              return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
            },
          },
        },
        { broker },
      )
      await turn()
      expect(runs).toHaveLength(1)
      state.held = loss
      for (let second = 0; second < 15; second++) await advance(1000)
      expect(runs[0]?.aborted).toBe(true)
      await advance(20_000)
      expect(runs).toHaveLength(1)
      state.held = true
      for (let second = 0; second < 10; second++) await advance(1000)
      expect(runs).toHaveLength(2)
      await close()
    },
  )

  it('goes on once in each `everyMs` when the lease comes back before a run has ended', async () => {
    const { state, broker } = leasing()
    let runs = 0
    let end = (): void => {}
    const { advance, close } = await start(
      {
        one: {
          everyMs: 1000,
          onOneNode: true,
          run: () => {
            if (++runs > 1) return
            return new Promise<void>((resolve) => {
              end = resolve
            })
          },
        },
      },
      { broker },
    )
    await turn()
    for (let times = 0; times < 3; times++) {
      state.held = false
      await advance(5000)
      state.held = true
      await advance(5000)
    }
    end()
    await turn()
    expect(runs).toBe(2)
    for (let second = 0; second < 5; second++) await advance(1000)
    expect(runs).toBe(7)
    await close()
  })

  it('goes on when a run has kept the process busy for longer than the lease', async () => {
    const virtual = createVirtualClock()
    let busyMs = 0
    const clock: Clock = {
      now: () => virtual.now(),
      monotonic: () => virtual.monotonic() + busyMs,
      timer: (ms, run) => virtual.timer(ms, run),
    }
    let runs = 0
    const run = (): void => {
      runs++
      if (runs === 1) busyMs = 20_000
    }
    const { close } = await createTestApp({
      ...empty,
      clock,
      tasks: { one: { everyMs: 1000, onOneNode: true, run } },
    })
    for (let second = 0; second < 10; second++) {
      await turn()
      await virtual.advance(1000)
    }
    await turn()
    expect(runs).toBeGreaterThan(3)
    await close()
  })

  it('needs a broker with leases', async () => {
    const tasks = { one: { everyMs: 100, onOneNode: true, run: () => {} } }
    expectBootError(
      await boot({ ...empty, tasks, broker: brokerOf({}) }),
      'missing_lease',
      /^The task one is for one node at a time, and the broker '.*' has no leases: use redisBroker\(\), or remove onOneNode$/,
    )
  })
})
