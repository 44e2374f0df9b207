import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { pinned } from './pin.mjs'
import { uwsEnvironment } from './uws.mjs'

const startLimitMs = 20_000
const answerLimitMs = 20_000

/** Read once: it costs a process. */
let uws

/** A server under test, in a process of its own. */
export class ServerProcess {
  #child
  port = 0
  /** @type {readonly string[]} */
  tokens = []

  constructor(child) {
    this.#child = child
  }

  /**
   * @param {URL} file
   * @param {{ core: number | null, env?: Record<string, string>, nodeArgs?: string[] }} options
   */
  static async start(file, { core, env = {}, nodeArgs = [] }) {
    uws ??= uwsEnvironment()
    const [command, args] = pinned(core, [...nodeArgs, fileURLToPath(file)])
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', ...uws, ...env },
    })
    const server = new ServerProcess(child)
    const { port, tokens } = await server.#answer(startLimitMs)
    server.port = port
    server.tokens = tokens
    return server
  }

  /** Microseconds of CPU, user and system, since it started: all of its threads. */
  async cpuMicros() {
    this.#child.send('usage')
    const { cpu } = await this.#answer(answerLimitMs)
    return cpu.user + cpu.system
  }

  /** What the server's `answers` say to a question. */
  async ask(name, argument = null) {
    this.#child.send({ name, argument })
    const { result } = await this.#answer(answerLimitMs)
    return result
  }

  /** Bytes of memory in use by the process. */
  async rss() {
    this.#child.send('usage')
    const { rss } = await this.#answer(answerLimitMs)
    return rss
  }

  async stop() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    if (this.#child.connected) this.#child.disconnect()
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
    await ended
    clearTimeout(cut)
  }

  #answer(limitMs) {
    return new Promise((resolve, reject) => {
      const finish = (act) => (value) => {
        clearTimeout(timer)
        this.#child.off('message', answered).off('exit', died).off('error', died)
        act(value)
      }
      const answered = finish(resolve)
      const died = finish((why) => reject(new Error(`The server has ended: ${why}`)))
      const timer = setTimeout(
        finish(() => reject(new Error('The server does not answer'))),
        limitMs,
      )
      this.#child.on('message', answered).on('exit', died).on('error', died)
    })
  }
}
