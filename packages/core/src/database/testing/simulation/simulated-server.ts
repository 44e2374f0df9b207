import type { DriverConnection, DriverResult, DriverStatement } from '../../drivers/driver.ts'

/** Either a statement with parameters, or commands. */
export type ServerRequest = { readonly statement: DriverStatement } | { readonly command: string }

/** A result, or the tag of the last command. */
export type ServerResult = DriverResult | string

interface Waiting {
  readonly session: ServerSession
  readonly run: () => Promise<void>
}

/** PostgreSQL's for a statement that its client has cancelled. */
const cancelled = { code: '57014', severity: 'ERROR' } as const

/**
 * Serves many sessions with the one connection of a PGlite: transactions run one after the other, and a statement of another session waits until
 * the open one has ended. Which of those that wait is next is chosen by `Math.random`, which a simulation seeds.
 */
export class SimulatedServer {
  readonly #connection: DriverConnection
  #waiting: Waiting[] = []
  /** The session whose transaction is open. */
  #holder: ServerSession | null = null
  #running: Promise<void> | null = null

  constructor(connection: DriverConnection) {
    this.#connection = connection
  }

  connect(): ServerSession {
    return new ServerSession({
      run: (session, work) => this.#run(session, work),
      execute: (session, request) => this.#execute(session, request),
      end: (session) => this.#end(session),
      forget: (session, work) => {
        const before = this.#waiting.length
        this.#waiting = this.#waiting.filter((each) => each.session !== session || each.run !== work)
        return this.#waiting.length < before
      },
    })
  }

  /** Ends all sessions: an open transaction is rolled back. For the time between two simulations. */
  async reset(): Promise<void> {
    this.#waiting = []
    while (this.#running !== null) await this.#running
    if (this.#holder !== null) await this.#connection.command('rollback')
    this.#holder = null
  }

  #run(session: ServerSession, run: () => Promise<void>): void {
    this.#waiting.push({ session, run })
    this.#next()
  }

  #next(): void {
    if (this.#running !== null) return
    // The first of each session: its statements have an order.
    const first = this.#waiting.filter(
      (each, i) => this.#waiting.findIndex(({ session }) => session === each.session) === i,
    )
    const ready = first.filter(({ session }) => this.#holder === null || session === this.#holder)
    const next = ready[Math.floor(Math.random() * ready.length)]
    if (next === undefined) return
    this.#waiting.splice(this.#waiting.indexOf(next), 1)
    this.#running = next.run().finally(() => {
      this.#running = null
      this.#next()
    })
  }

  async #execute(session: ServerSession, request: ServerRequest): Promise<ServerResult> {
    if ('statement' in request) return this.#connection.query(request.statement, null)
    const { command } = request
    try {
      return await this.#connection.command(command)
    } finally {
      if (/^\s*begin\b/i.test(command)) this.#holder = session
      // A COMMIT that fails ends the transaction as well.
      else if (/^\s*(?:commit|rollback)\s*$/i.test(command)) this.#holder = null
    }
  }

  async #end(session: ServerSession): Promise<void> {
    if (this.#holder !== session) return
    await this.#connection.command('rollback')
    this.#holder = null
  }
}

interface ServerWork {
  run(session: ServerSession, work: () => Promise<void>): void
  execute(session: ServerSession, request: ServerRequest): Promise<ServerResult>
  end(session: ServerSession): Promise<void>
  /** False: it runs, or has run. */
  forget(session: ServerSession, work: () => Promise<void>): boolean
}

/** What the server does for one connection. A client sends a request when the one before was answered. */
export class ServerSession {
  readonly #work: ServerWork

  constructor(work: ServerWork) {
    this.#work = work
  }

  /** Calls one of both, now or later. Returns what cancels a request that waits: it is then answered with an error. */
  request(request: ServerRequest, answer: (result: ServerResult) => void, fail: (error: unknown) => void): () => void {
    const run = (): Promise<void> => this.#work.execute(this, request).then(answer, fail)
    this.#work.run(this, run)
    return () => {
      if (this.#work.forget(this, run))
        fail(Object.assign(new Error('canceling statement due to user request'), cancelled))
    }
  }

  /** A request that waits is executed first, as PostgreSQL does: it learns of the end of a client when it has answered. */
  end(): void {
    this.#work.run(this, () => this.#work.end(this))
  }
}
