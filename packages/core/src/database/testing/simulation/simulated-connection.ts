import type { ServiceConnection } from '../../../testing/simulation/service-link.ts'
import type { SimulatedProcess } from '../../../testing/simulation/simulated-node.ts'
import { connectionLost } from '../../drivers/connection-lost.ts'
import type { DriverConnection, DriverResult, DriverStatement } from '../../drivers/driver.ts'
import type { ServerRequest, ServerResult, ServerSession } from './simulated-server.ts'

/** A longer statement is cut in the history. */
const shownChars = 120

/** A connection of a simulated process over its network. */
export class SimulatedConnection implements DriverConnection {
  readonly #network: ServiceConnection
  readonly #session: ServerSession
  readonly #pending = new Set<(error: Error) => void>()
  lost = false

  constructor(process: Pick<SimulatedProcess, 'connect'>, session: ServerSession) {
    this.#session = session
    this.#network = process.connect('database', {
      closedAtService: () => session.end(),
      closedAtProcess: () => {
        this.lost = true
        this.#rejectAll(
          Object.assign(new Error('The connection to the simulated database was cut'), { code: 'ECONNRESET' }),
        )
      },
    })
  }

  async open(): Promise<void> {
    await this.#exchange(
      'connect',
      (answer) => {
        answer('connected', () => '')
        return () => {}
      },
      null,
    )
  }

  async query(statement: DriverStatement, signal: AbortSignal | null): Promise<DriverResult> {
    const result = await this.#request({ statement }, statement.text, signal)
    if (typeof result === 'string') throw new TypeError('A statement was answered with a command tag')
    return result
  }

  async command(text: string): Promise<string> {
    const result = await this.#request({ command: text }, text, null)
    return typeof result === 'string' ? result : ''
  }

  async close(): Promise<void> {
    this.lost = true
    this.#network.close()
    this.#rejectAll(connectionLost('CONNECTION_ENDED'))
  }

  #request(request: ServerRequest, text: string, signal: AbortSignal | null): Promise<ServerResult> {
    const what = text.replace(/\s+/g, ' ')
    return this.#exchange(
      what.length > shownChars ? `${what.slice(0, shownChars)}…` : what,
      (answer) =>
        this.#session.request(
          request,
          (result) => answer(typeof result === 'string' ? result : `${result.rows.length} rows`, () => result),
          (error) =>
            answer(String(error), () => {
              throw error
            }),
        ),
      signal,
    )
  }

  /** `arrive` runs in the server, and returns what cancels it there. */
  #exchange(
    what: string,
    arrive: (answer: (what: string, read: () => ServerResult) => void) => () => void,
    signal: AbortSignal | null,
  ): Promise<ServerResult> {
    if (this.lost) return Promise.reject(connectionLost())
    return new Promise((resolve, reject) => {
      let cancelThere: (() => void) | null = null
      const cancel = (): void => this.#network.toService(`cancel ${what}`, () => cancelThere?.())
      const settle = (): void => {
        this.#pending.delete(rejectIt)
        signal?.removeEventListener('abort', cancel)
      }
      const rejectIt = (error: Error): void => {
        settle()
        reject(error)
      }
      this.#pending.add(rejectIt)
      signal?.addEventListener('abort', cancel, { once: true })
      this.#network.toService(what, () => {
        cancelThere = arrive((answered, read) => {
          this.#network.toProcess(answered, () => {
            settle()
            try {
              resolve(read())
            } catch (error) {
              reject(error)
            }
          })
        })
      })
    })
  }

  #rejectAll(error: Error): void {
    for (const reject of [...this.#pending]) reject(error)
  }
}

/** A connection without a network, for the test itself. */
export function directConnection(session: ServerSession): DriverConnection {
  const request = (each: ServerRequest): Promise<ServerResult> =>
    new Promise((resolve, reject) => void session.request(each, resolve, reject))
  return {
    lost: false,
    open: async () => {},
    query: async (statement) => {
      const result = await request({ statement })
      if (typeof result === 'string') throw new TypeError('A statement was answered with a command tag')
      return result
    },
    command: async (text) => {
      const result = await request({ command: text })
      return typeof result === 'string' ? result : ''
    },
    close: async () => session.end(),
  }
}
