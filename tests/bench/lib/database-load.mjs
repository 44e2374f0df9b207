import { setTimeout } from 'node:timers/promises'
import { LoadGenerator } from './load-generator.mjs'

const settleLimitMs = 60_000

/** Calls that write, each with an id of its own. A run ends when every publication has left: what an outbox does later counts. */
export class DatabaseLoad extends LoadGenerator {
  #server = null

  async connect(server, connections, workload) {
    this.#server = server
    await super.connect(server, connections, workload)
  }

  async run(seconds, maxMessages) {
    const before = await this.#server.ask('state')
    const started = performance.now()
    const { messages } = await super.run(seconds, maxMessages)
    for (;;) {
      const { calls, published } = await this.#server.ask('state')
      if (calls - before.calls !== messages) throw new Error(`${messages} calls ran ${calls - before.calls} times`)
      if (published === calls) break
      if (performance.now() - started > seconds * 1000 + settleLimitMs)
        throw new Error(`${published} publications of ${calls} have left`)
      await setTimeout(2)
    }
    return { messages, seconds: (performance.now() - started) / 1000 }
  }
}
