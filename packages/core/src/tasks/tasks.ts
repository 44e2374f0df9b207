import { BootError } from '../base/boot-error.ts'
import type { Clock } from '../base/clock.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { Broker } from '../hub/broker.ts'
import type { Task } from './task.ts'
import { TaskLease } from './task-lease.ts'
import { type SurroundTask, type TaskCells, TaskLoop } from './task-loop.ts'

interface TasksOptions {
  readonly tasks: readonly Task[]
  readonly broker: Broker
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly surround: SurroundTask
}

const outcomes = ['success', 'error'] as const
const secondsBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800]

/** The tasks of an app and of its plugins. */
export class Tasks {
  readonly #loops: readonly TaskLoop[]

  /** @throws BootError `duplicate_task`, `missing_lease` */
  constructor({ tasks, broker, clock, log, instruments, surround }: TasksOptions) {
    const names = tasks.map(({ name }) => name)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined) throw new BootError('duplicate_task', `Two tasks have the name '${twice}': rename one`)
    const count = declareCells(instruments, names)
    this.#loops = tasks.map((task) => {
      const own = { clock, log: log.child({ task: task.name }) }
      const lease = task.onOneNode ? openLease(task, broker, own) : null
      return new TaskLoop(task, { ...own, cells: count(task.name), lease, surround })
    })
  }

  start(): void {
    for (const loop of this.#loops) loop.start()
  }

  /** Begins no more runs. Resolves when those in progress have ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()))
  }
}

function openLease({ name }: Task, broker: Broker, own: { readonly clock: Clock; readonly log: Logger }): TaskLease {
  const { lease, release } = broker
  if (lease === undefined || release === undefined)
    throw new BootError(
      'missing_lease',
      `The task ${name} is for one node at a time, and the broker '${broker.name}' has no leases: use redisBroker(), or remove onOneNode`,
    )
  return new TaskLease({
    ...own,
    name,
    broker: { lease: (of, ttlMs) => lease.call(broker, of, ttlMs), release: (of) => release.call(broker, of) },
  })
}

/** An app without tasks has no series for them. */
function declareCells(instruments: Instruments, names: readonly string[]): (task: string) => TaskCells {
  if (names.length === 0) return () => Object.assign(Object.create(null))
  const task = [...names]
  const runs = instruments.counter('task_runs_total', 'Runs of tasks that have ended', { task, outcome: outcomes })
  const seconds = instruments.histogram('task_duration_seconds', 'How long runs of tasks took', secondsBuckets, {
    task,
  })
  const running = instruments.gauge('task_running', 'Runs of tasks in progress', { task })
  return (name) => ({
    succeeded: runs.cell({ task: name, outcome: 'success' }),
    failed: runs.cell({ task: name, outcome: 'error' }),
    seconds: seconds.cell({ task: name }),
    running: running.cell({ task: name }),
  })
}
