import { type CreateClient, connectionLost, PostgresConnection } from './postgres-connection.ts'

/** At most `max` connections, opened when needed, each in the hands of one user at a time; who waits is served in order. */
export class PostgresPool {
  readonly #create: CreateClient
  readonly #max: number
  readonly #idle: PostgresConnection[] = []
  readonly #waiting: { resolve(connection: PostgresConnection): void; reject(error: Error): void }[] = []
  readonly #inUse = new Set<PostgresConnection>()
  #onDrained: (() => void) | null = null
  #closed = false

  constructor(create: CreateClient, max: number) {
    this.#create = create
    this.#max = max
  }

  /** Lends a connection to `use`. */
  async with<T>(use: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = await this.#acquire()
    try {
      return await use(connection)
    } finally {
      this.#release(connection)
    }
  }

  /** Lends nothing any more, waits for what is lent, but not longer than `limit`, then cuts it. */
  async close(limit: () => Promise<void>): Promise<void> {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(connectionLost('CONNECTION_ENDED'))
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve
    })
    if (this.#inUse.size > 0) await Promise.race([drained, limit()])
    await Promise.all([...this.#idle.splice(0), ...this.#inUse].map((connection) => connection.end()))
  }

  async #acquire(): Promise<PostgresConnection> {
    if (this.#closed) throw connectionLost('CONNECTION_ENDED')
    const connection = this.#next()
    if (connection !== null) return connection
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Null when all are in use. The latest one first, so that those beyond the usual load stay unused. */
  #next(): PostgresConnection | null {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.lost) return this.#lend(idle)
      void idle.end()
    }
    return this.#inUse.size < this.#max ? this.#lend(new PostgresConnection(this.#create)) : null
  }

  #lend(connection: PostgresConnection): PostgresConnection {
    this.#inUse.add(connection)
    return connection
  }

  #release(connection: PostgresConnection): void {
    this.#inUse.delete(connection)
    if (connection.lost || this.#closed) void connection.end()
    else this.#idle.push(connection)
    if (this.#inUse.size === 0) this.#onDrained?.()
    const [first] = this.#waiting
    const next = first === undefined ? null : this.#next()
    if (next === null) return
    this.#waiting.shift()
    first?.resolve(next)
  }
}
