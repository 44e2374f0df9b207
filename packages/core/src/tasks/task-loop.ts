import type { CounterCell, GaugeCell, HistogramCell } from '../base/cells.ts'
import type { Clock, Timer } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Task } from './task.ts'
import type { TaskLease } from './task-lease.ts'

export interface TaskCells {
  readonly succeeded: CounterCell
  readonly failed: CounterCell
  readonly seconds: HistogramCell
  readonly running: GaugeCell
}

/** Runs `work` once, in the trace of the run where there is one. */
export type SurroundTask = (name: string, work: () => Promise<void>) => Promise<void>

interface TaskLoopOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly cells: TaskCells
  /** Null: every node runs it. */
  readonly lease: TaskLease | null
  readonly surround: SurroundTask
}

/** Runs one task again and again, never twice at once. */
export class TaskLoop {
  readonly #task: Task
  readonly #options: TaskLoopOptions
  #timer: Timer | null = null
  #controller: AbortController | null = null
  #running: Promise<void> = Promise.resolve()
  /** The next run begins at the end of this one, and not after a pause. */
  #isWaiting = false
  #stopped = false

  constructor(task: Task, options: TaskLoopOptions) {
    this.#task = task
    this.#options = options
  }

  start(): void {
    const { lease } = this.#options
    if (lease === null) return this.#begin()
    lease.start({
      taken: () => this.#begin(),
      lost: () => {
        this.#timer?.cancel()
        this.#controller?.abort(new Error(`The task ${this.#task.name} may run on another node now`))
      },
    })
  }

  /** Begins nothing more, and aborts the signal of a run. Resolves when that has ended, and another node may go on. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#controller?.abort(new Error('The app is closing'))
    this.#options.lease?.end()
    await this.#running
    await this.#options.lease?.stop()
  }

  get #mayGoOn(): boolean {
    return !this.#stopped && this.#options.lease?.held !== false
  }

  #begin(): void {
    if (this.#stopped || this.#isWaiting) return
    this.#isWaiting = true
    // A run that was aborted when the lease was lost may not have ended yet.
    this.#running = this.#running.then(() => {
      this.#isWaiting = false
      return this.#run()
    })
  }

  async #run(): Promise<void> {
    const { clock, log, cells, surround } = this.#options
    if (!this.#mayGoOn) return
    const { name, everyMs, run } = this.#task
    const controller = new AbortController()
    const started = clock.monotonic()
    this.#controller = controller
    cells.running.inc()
    try {
      await surround(name, async () => {
        try {
          await run({ signal: controller.signal, log })
        } catch (error) {
          // What a run throws because it was told to end is not a failure.
          if (!controller.signal.aborted || !isOf(error, controller.signal)) throw error
        }
      })
      cells.succeeded.inc()
    } catch (error) {
      cells.failed.inc()
      log.error({ err: error }, `The task ${name} failed`)
    } finally {
      this.#controller = null
      cells.running.dec()
      cells.seconds.observe((clock.monotonic() - started) / 1000)
    }
    if (this.#mayGoOn && !this.#isWaiting) this.#timer = clock.timer(everyMs, () => this.#begin())
  }
}

function isOf(error: unknown, { reason }: AbortSignal): boolean {
  return error === reason || (error instanceof Error && (error.name === 'AbortError' || error.cause === reason))
}
