import { type Clock, systemClock, type Timer } from '../base/clock.ts'
import type { WorkerIdentity } from '../base/cluster-worker.ts'
import { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { migratesConnections, migrationAdvice } from '../base/migrates-connections.ts'
import { type ClusterCounters, createCounters } from './counters.ts'
import type { ResolvedClusterOptions } from './options.ts'
import { Reports } from './reports.ts'
import { Restarts } from './restarts.ts'
import { SharedPorts } from './shared-ports.ts'
import { describeEnd, WorkerProcess, type WorkerQuestion } from './worker-process.ts'

/** One of the numbered places for a worker, whichever process has it now. */
interface Slot {
  readonly identity: WorkerIdentity
  readonly restarts: Restarts
  current: WorkerProcess | null
  /** Starts while `current` still serves. */
  next: WorkerProcess | null
  /** Set while it waits to start a worker. */
  pause: Timer | null
}

/** Starts workers, replaces those that die, and ends them. */
export class ClusterParent {
  readonly #options: ResolvedClusterOptions
  readonly #log: Logger
  readonly #clock: Clock = systemClock
  readonly #ports = new SharedPorts()
  readonly #slots: readonly Slot[]
  readonly #alive = new Set<WorkerProcess>()
  readonly #reports: Reports
  readonly #counters: ClusterCounters
  readonly #onFailed: (error: unknown) => void
  /** Failed starts in a row, of all workers. */
  #failedStarts = 0
  #started: Promise<void> = Promise.resolve()
  #closed: Promise<boolean> | null = null
  #replacing: Promise<void> | null = null
  #replaceAgain = false

  /** `onFailed`: workers keep failing to start, and none serves. */
  constructor(options: ResolvedClusterOptions, onFailed: (error: unknown) => void) {
    const { workers, restart, log } = options
    this.#options = options
    this.#log = log
    this.#onFailed = onFailed
    const instruments = new Instruments()
    this.#counters = createCounters(instruments, () => this.serving)
    this.#reports = new Reports({ ...options, instruments, workers: () => [...this.#alive] })
    this.#slots = Array.from({ length: workers }, (_, index) => ({
      identity: { id: index + 1, workers },
      restarts: new Restarts(restart),
      current: null,
      next: null,
      pause: null,
    }))
  }

  get closing(): boolean {
    return this.#closed !== null
  }

  /** Processes that serve. */
  get serving(): number {
    return [...this.#alive].filter(({ state }) => state === 'serving').length
  }

  /**
   * Starts the first worker, which finds what is wrong and migrates the database, then the others at once. Resolves when each of them serves
   * or has failed once. Rejects with the error of the first.
   */
  start(): Promise<void> {
    this.#started = this.#start()
    return this.#started
  }

  async #start(): Promise<void> {
    const [first, ...others] = this.#slots
    if (first === undefined) return
    if (migratesConnections() === false) this.#log.warn(migrationAdvice)
    await this.#reports.start()
    if (this.closing) return
    const worker = this.#spawn(first)
    first.current = worker
    await worker.served
    // It may have said so when the drain had begun: nothing may start any more.
    if (this.closing) return
    this.#watch(first, worker)
    await Promise.all(others.map((slot) => this.#fill(slot)))
    this.#log.info({ workers: this.serving }, 'The cluster serves')
  }

  /** Replaces the workers one after another. While it runs, a further request makes it run once more. */
  replace(): Promise<void> {
    this.#replaceAgain = true
    this.#replacing ??= this.#replaceAll().finally(() => {
      this.#replacing = null
    })
    return this.#replacing
  }

  /** Drains all workers at once. Resolves with false if one of them had to be killed. */
  close(): Promise<boolean> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  kill(): void {
    for (const worker of this.#alive) worker.kill()
  }

  async #close(): Promise<boolean> {
    for (const slot of this.#slots) slot.pause?.cancel()
    this.#log.info({ workers: this.#alive.size }, 'Draining the workers')
    const drained = await Promise.all([...this.#alive].map((worker) => this.#drain(worker)))
    await this.#reports.close()
    return drained.every((each) => each)
  }

  async #drain(worker: WorkerProcess): Promise<boolean> {
    const { drainTimeoutMs } = this.#options
    const finished = await worker.drain(drainTimeoutMs)
    const fields = { worker: worker.id, pid: worker.pid }
    if (finished) this.#log.info(fields, 'Worker has ended')
    else this.#log.error(fields, `Worker did not end within ${drainTimeoutMs} ms and was killed`)
    return finished
  }

  #spawn({ identity }: Slot): WorkerProcess {
    const { entry, args, startTimeoutMs } = this.#options
    const worker = new WorkerProcess({
      identity,
      entry,
      args,
      startTimeoutMs,
      answer: (from, question) => this.#answer(from, question),
    })
    this.#alive.add(worker)
    this.#counters.starts.inc()
    this.#log.info({ worker: worker.id, pid: worker.pid }, 'Worker starts')
    void worker.ended.then(() => {
      this.#alive.delete(worker)
      this.#ports.release(worker)
      this.#reports.retire(worker)
    })
    return worker
  }

  async #answer(worker: WorkerProcess, question: WorkerQuestion): Promise<unknown> {
    if (question.type === 'port') return this.#ports.claim(worker, question.port)
    if (question.type === 'openMetrics') return this.#reports.openMetrics(question.at)
    return this.#reports.readMetrics(question.accept)
  }

  /** Starts a worker in an empty slot, and keeps the slot filled. Resolves when it serves or has failed. */
  async #fill(slot: Slot): Promise<void> {
    const worker = this.#spawn(slot)
    slot.current = worker
    try {
      await worker.served
    } catch (error) {
      if (slot.current !== worker) return
      slot.current = null
      this.#noteFailedStart(worker, error)
      if (slot.next === null) this.#refill(slot, 0)
      return
    }
    this.#watch(slot, worker)
  }

  /** The worker serves: replaces it when it dies. */
  #watch(slot: Slot, worker: WorkerProcess): void {
    const sinceMs = this.#clock.monotonic()
    this.#failedStarts = 0
    void worker.ended.then((end) => {
      if (slot.current !== worker) return
      slot.current = null
      if (this.#closed !== null) return
      this.#counters.deaths.inc()
      this.#log.error({ worker: worker.id, pid: worker.pid, ...end }, `Worker ended ${describeEnd(end)}`)
      if (slot.next === null) this.#refill(slot, this.#clock.monotonic() - sinceMs)
    })
  }

  #refill(slot: Slot, servedMs: number): void {
    if (this.#closed !== null) return
    const delayMs = slot.restarts.nextDelayMs(servedMs)
    if (delayMs > 0) this.#log.warn({ worker: slot.identity.id, delayMs }, 'Worker is started again after a pause')
    slot.pause = this.#clock.timer(delayMs, () => {
      slot.pause = null
      void this.#fill(slot)
    })
  }

  #noteFailedStart(worker: WorkerProcess, error: unknown): void {
    if (this.#closed !== null) return
    this.#failedStarts += 1
    this.#counters.failedStarts.inc()
    this.#log.error({ err: error, worker: worker.id, pid: worker.pid }, 'Worker failed to start')
    const { attempts } = this.#options.restart
    if (this.#failedStarts < attempts || this.serving > 0) return
    this.#log.fatal(`No worker serves, and ${attempts} starts in a row have failed`)
    void this.close()
    this.#onFailed(error)
  }

  async #replaceAll(): Promise<void> {
    await this.#started.catch(() => {})
    while (this.#replaceAgain && this.#closed === null) {
      this.#replaceAgain = false
      this.#log.info('Replacing the workers')
      for (const slot of this.#slots) if (!(await this.#replaceOne(slot))) break
    }
  }

  /** False: the rest keeps its workers. */
  async #replaceOne(slot: Slot): Promise<boolean> {
    if (this.#closed !== null) return false
    slot.pause?.cancel()
    slot.pause = null
    const worker = this.#spawn(slot)
    slot.next = worker
    try {
      await worker.served
    } catch (error) {
      slot.next = null
      // The old one may have died meanwhile; then it is tried again as after any other death.
      this.#noteFailedStart(worker, error)
      if (slot.current === null) this.#refill(slot, 0)
      return false
    }
    const old = slot.current
    slot.next = null
    slot.current = worker
    this.#watch(slot, worker)
    if (old !== null && this.#closed === null) await this.#drain(old)
    return this.#closed === null
  }
}
