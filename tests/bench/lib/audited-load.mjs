import { setTimeout } from 'node:timers/promises'
import { HttpLoad } from './http-load.mjs'
import { LoadGenerator } from './load-generator.mjs'

const settleLimitMs = 60_000

/** A run ends when every row of the audit log has been written: what is done behind the answers counts. */
const untilWritten = (Load) =>
  class extends Load {
    #server = null

    async connect(server, ...rest) {
      this.#server = server
      await super.connect(server, ...rest)
    }

    async run(seconds, maxMessages) {
      const started = performance.now()
      const { messages } = await super.run(seconds, maxMessages)
      while ((await this.#server.ask('state')).waiting > 0) {
        if (performance.now() - started > seconds * 1000 + settleLimitMs) throw new Error('Rows were not written')
        await setTimeout(100)
      }
      return { messages, seconds: (performance.now() - started) / 1000 }
    }
  }

export const AuditedHttpLoad = untilWritten(HttpLoad)
export const AuditedSocketLoad = untilWritten(LoadGenerator)
