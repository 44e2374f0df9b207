import process from 'node:process'
import { watchSignals } from '../app/lifecycle/signals.ts'
import { systemClock } from '../base/clock.ts'
import {
  joinCluster,
  type MetricsPage,
  type MetricsPort,
  type WorkerApp,
  type WorkerIdentity,
  type WorkerLink,
} from '../base/cluster-worker.ts'
import { fromFailure, toFailure } from './failure.ts'
import { type FromParent, type FromWorker, isFromParent, mark, type Report } from './messages.ts'

/** How long connections that were accepted last have to send their request: it is served, and not refused by the drain. */
const lastRequestMs = 200
/** How long the last message of a process may take to be sent. */
const lastMessageMs = 1000

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The worker's end of the channel to its parent. */
class Worker implements WorkerLink {
  readonly id: number
  readonly workers: number
  readonly #apps = new Set<WorkerApp>()
  readonly #waiting = new Map<number, Waiting>()
  #questions = 0
  #freePorts = 0
  #listening = false
  #started = false
  #closed: Promise<void> | null = null
  #readMetrics: (() => Promise<unknown>) | null = null

  constructor({ id, workers }: WorkerIdentity) {
    this.id = id
    this.workers = workers
    process.on('message', (message) => {
      if (isFromParent(message)) this.#receive(message)
    })
    // The parent has ended without ending this process.
    process.once('disconnect', () => void this.end())
  }

  async claimPort(app: WorkerApp, host: string, port: number): Promise<number> {
    this.#apps.add(app)
    const nth = port === 0 ? this.#freePorts++ : 0
    const claimed = await this.#ask((id) => ({ mark, type: 'port', id, port: { host, port, nth } }))
    return Number(claimed)
  }

  async provideMetrics(read: () => Promise<unknown>, at: MetricsPort | null): Promise<void> {
    await this.#ask((id) => ({ mark, type: 'openMetrics', id, at }))
    this.#readMetrics = read
  }

  async readMetrics(accept: string): Promise<MetricsPage> {
    const page = await this.#ask((id) => ({ mark, type: 'readMetrics', id, accept }))
    if (!isPage(page)) throw new Error('The parent of this worker has no metrics')
    return page
  }

  listening(): void {
    this.#listening = true
    this.#tellServing()
  }

  /** `run` has succeeded. */
  started(): void {
    this.#started = true
    this.#tellServing()
  }

  async failed(error: unknown): Promise<never> {
    await this.#sendLast({ mark, type: 'failed', failure: toFailure(error) })
    process.exit(1)
  }

  /** Drains the apps. */
  close(): Promise<void> {
    this.#closed ??= Promise.all([...this.#apps].map((app) => app.close())).then(() => {})
    return this.#closed
  }

  async end(): Promise<void> {
    const code = await this.close().then(
      () => 0,
      () => 1,
    )
    // So that the sums of the cluster do not fall.
    const metrics = await this.#readMetrics?.().catch(() => null)
    if (metrics) await this.#sendLast({ mark, type: 'lastMetrics', metrics })
    process.exit(code)
  }

  #tellServing(): void {
    if (!this.#listening || !this.#started) return
    this.#send({ mark, type: 'serving' })
    // From here on the app keeps the worker alive. A worker that serves nothing any more ends, and is replaced.
    process.channel?.unref()
  }

  #receive(message: FromParent): void {
    if (message.type === 'drain') {
      for (const app of this.#apps) app.stopAccepting()
      setTimeout(() => void this.end(), lastRequestMs)
      return
    }
    if (message.type === 'ask') {
      const answer = (value: unknown): void => this.#send({ mark, type: 'report', id: message.id, value })
      // Data that cannot be copied cannot be sent.
      this.#report(message.what)
        .then(answer)
        .catch(() => answer(null))
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'answer') waiting?.resolve(message.value)
    else waiting?.reject(fromFailure(message.failure))
  }

  /** Null: there is none. */
  async #report(what: Report): Promise<unknown> {
    try {
      if (what === 'metrics') return (await this.#readMetrics?.()) ?? null
      const reports = await Promise.all([...this.#apps].map((app) => app.health()))
      return reports.find(({ status }) => status !== 'healthy') ?? reports[0] ?? null
    } catch {
      // The parent counts it.
      return null
    }
  }

  #ask(toQuestion: (id: number) => FromWorker): Promise<unknown> {
    const id = this.#questions++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send(toQuestion(id), (error) => {
        if (error === null || !this.#waiting.delete(id)) return
        reject(new Error('The parent of this worker has ended', { cause: error }))
      })
    })
  }

  #send(message: FromWorker, sent: (error: Error | null) => void = () => {}): void {
    if (!process.connected || process.send === undefined) {
      sent(new Error('The channel is closed'))
      return
    }
    process.send(message, undefined, undefined, sent)
  }

  #sendLast(message: FromWorker): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, lastMessageMs)
      this.#send(message, () => resolve())
    })
  }
}

function isPage(value: unknown): value is MetricsPage {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'body') instanceof Uint8Array
}

/** Runs in a worker. */
export async function runWorker(identity: WorkerIdentity, run: () => unknown): Promise<void> {
  const worker = new Worker(identity)
  joinCluster(worker)
  // A terminal, systemd or a container may send the signals of the parent to all processes.
  watchSignals(worker, process, systemClock)
  process.on('SIGHUP', () => {})
  try {
    await run()
  } catch (error) {
    return worker.failed(error)
  }
  worker.started()
}
