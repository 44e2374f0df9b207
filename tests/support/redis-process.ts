import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'

/** A `redis-server` process that can be ended and started again. It ends with this process at the latest. */
export class RedisProcess {
  readonly #args: readonly string[]
  readonly #readyLine: string
  #child: ChildProcess | null = null
  readonly #kill = (): void => void this.#child?.kill('SIGKILL')

  /** @param readyLine - Part of the line of its log after which it takes connections. */
  constructor(args: readonly string[], readyLine = 'Ready to accept connections') {
    this.#args = args
    this.#readyLine = readyLine
    process.once('exit', this.#kill)
  }

  /** Resolves when it takes connections. A replica does so before its first synchronisation. */
  async start(): Promise<void> {
    const child = spawn('redis-server', this.#args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${log}`)))
      child.stdout.on('data', (chunk) => {
        log += chunk
        if (log.includes(this.#readyLine)) resolve()
      })
    })
    // Or else a full pipe would stop it.
    child.stdout.removeAllListeners('data').resume()
    child.stderr.resume()
  }

  /** SIGKILL: a frozen process would not hear SIGTERM. May be called again. */
  async crash(): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it for good; may be called again. */
  async stop(): Promise<void> {
    process.off('exit', this.#kill)
    await this.crash()
  }
}
