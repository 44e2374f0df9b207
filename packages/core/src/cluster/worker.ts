import process from 'node:process'
import { watchSignals } from '../app/lifecycle/signals.ts'
import { systemClock } from '../base/clock.ts'
import { joinCluster, type WorkerApp, type WorkerLink } from '../base/cluster-worker.ts'
import { fromFailure, toFailure } from './failure.ts'
import { type FromParent, type FromWorker, isFromParent, mark } from './messages.ts'

/** How long the last message of a process may take to be sent. */
const lastMessageMs = 1000

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The worker's end of the channel to its parent. */
class Worker implements WorkerLink {
  readonly #apps = new Set<WorkerApp>()
  readonly #waiting = new Map<number, Waiting>()
  #questions = 0
  #freePorts = 0
  #listening = false
  #started = false
  #closed: Promise<void> | null = null

  constructor() {
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
      void this.end()
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'answer') waiting?.resolve(message.value)
    else waiting?.reject(fromFailure(message.failure))
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

/** Runs in a worker. */
export async function runWorker(run: () => unknown): Promise<void> {
  const worker = new Worker()
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
