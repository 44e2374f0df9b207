import { type ChildProcess, fork } from 'node:child_process'
import process from 'node:process'
import { BootError } from '../base/boot-error.ts'
import { formatWorker, type WorkerIdentity, workerVariable } from '../base/cluster-worker.ts'
import { fromFailure, toFailure } from './failure.ts'
import { type Failure, type FromParent, type FromWorker, isFromWorker, mark, type Report } from './messages.ts'

export interface WorkerProcessOptions {
  readonly identity: WorkerIdentity
  readonly entry: string
  readonly args: readonly string[]
  readonly startTimeoutMs: number
  /** Answers the questions of a worker. */
  readonly answer: (worker: WorkerProcess, question: WorkerQuestion) => Promise<unknown>
}

export type WorkerQuestion = Extract<FromWorker, { readonly type: 'port' | 'openMetrics' | 'readMetrics' }>

/** How a process ended. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One process of a cluster, as the parent sees it. */
export class WorkerProcess {
  readonly id: number
  readonly pid: number | null
  /** Resolves when it serves. Rejects if it ends before that, with the error of its boot if it said which. */
  readonly served: Promise<void>
  readonly ended: Promise<WorkerEnd>
  readonly #child: ChildProcess
  readonly #options: WorkerProcessOptions
  #state: 'starting' | 'serving' | 'draining' | 'ended' = 'starting'
  #failure: Failure | null = null
  #asked = 0
  readonly #reports = new Map<number, (value: unknown) => void>()
  /** The metrics that it answered last. */
  lastMetrics: unknown = null
  /** `lastMetrics` are the answer to the last question. */
  answersMetrics = false

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    this.id = options.identity.id
    this.#child = fork(options.entry, [...options.args], {
      // With numbers such as Infinity, and bytes.
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...freeInspectPort(process.execArgv)],
      env: { ...process.env, [workerVariable]: formatWorker(process.pid, options.identity) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.pid = this.#child.pid ?? null
    this.ended = this.#watchEnd()
    this.served = this.#watchStart()
    // The parent does not wait for it while it closes.
    this.served.catch(() => {})
  }

  get state(): 'starting' | 'serving' | 'draining' | 'ended' {
    return this.#state
  }

  /** Lets it finish its calls and end. Kills it after `limitMs`; resolves with false then. */
  async drain(limitMs: number): Promise<boolean> {
    if (this.#state === 'ended') return true
    this.#state = 'draining'
    let finished = true
    const limit = setTimeout(() => {
      finished = false
      this.kill()
    }, limitMs)
    this.#send({ mark, type: 'drain' })
    await this.ended
    clearTimeout(limit)
    return finished
  }

  /** Resolves with null if it does not answer in time. */
  ask(what: Report, timeoutMs: number): Promise<unknown> {
    const id = this.#asked++
    return new Promise((resolve) => {
      const finish = (value: unknown): void => {
        clearTimeout(limit)
        this.#reports.delete(id)
        if (what === 'metrics') this.answersMetrics = value !== null
        if (what === 'metrics' && value !== null) this.lastMetrics = value
        resolve(value)
      }
      const limit = setTimeout(() => finish(null), timeoutMs)
      this.#reports.set(id, finish)
      void this.ended.then(() => finish(null))
      this.#send({ mark, type: 'ask', id, what })
    })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #watchEnd(): Promise<WorkerEnd> {
    return new Promise((resolve) => {
      let end: WorkerEnd | null = null
      const finish = (): void => {
        // What it said last may arrive after its exit.
        if (end === null || this.#child.connected) return
        this.#state = 'ended'
        resolve(end)
      }
      this.#child.once('exit', (code, signal) => {
        end = { code, signal }
        finish()
      })
      this.#child.once('disconnect', finish)
      this.#child.on('error', (error) => {
        this.#failure ??= toFailure(error)
        // It could not be started: there is no exit then.
        if (this.pid !== null) return
        end = { code: null, signal: null }
        finish()
      })
    })
  }

  #watchStart(): Promise<void> {
    const { startTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      let late = false
      const limit = setTimeout(() => {
        late = true
        this.kill()
      }, startTimeoutMs)
      this.#child.on('message', (message) => {
        if (!isFromWorker(message)) return
        if (message.type === 'serving') {
          clearTimeout(limit)
          if (this.#state === 'starting') this.#state = 'serving'
          resolve()
        } else this.#receive(message)
      })
      void this.ended.then((end) => {
        clearTimeout(limit)
        if (this.#failure !== null) return reject(fromFailure(this.#failure))
        const how = late ? `did not listen within ${startTimeoutMs} ms` : `ended ${describeEnd(end)} before it listened`
        const change = 'run must call app.listen() and wait for it; the output of the worker says more'
        reject(new BootError('failed_worker', `Worker ${this.id} ${how}: ${change}`))
      })
    })
  }

  #receive(message: FromWorker): void {
    if (message.type === 'failed') this.#failure = message.failure
    if (message.type === 'lastMetrics') this.lastMetrics = message.metrics
    if (message.type === 'report') this.#reports.get(message.id)?.(message.value)
    if (message.type === 'port' || message.type === 'openMetrics' || message.type === 'readMetrics')
      this.#answer(message)
  }

  #answer(question: WorkerQuestion): void {
    const { id } = question
    this.#options.answer(this, question).then(
      (value) => this.#send({ mark, type: 'answer', id, value }),
      (error: unknown) => this.#send({ mark, type: 'refusal', id, failure: toFailure(error) }),
    )
  }

  #send(message: FromParent): void {
    if (!this.#child.connected) return
    // A worker that has just ended cannot receive it; its end is noticed.
    this.#child.send(message, () => {})
  }
}

export function describeEnd({ code, signal }: WorkerEnd): string {
  return signal === null ? `with exit code ${code}` : `by ${signal}`
}

/** Two processes cannot have one port for the debugger. */
function freeInspectPort(execArgv: readonly string[]): readonly string[] {
  return execArgv.some((argument) => argument.startsWith('--inspect')) ? ['--inspect-port=0'] : []
}
