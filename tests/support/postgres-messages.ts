import { createServer, type Socket, connect as tcp } from 'node:net'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
export interface PostgresMessage {
  readonly from: 'client' | 'server'
  /** One letter; '' for the first message of a client, which has no type. */
  readonly type: string
  /** The text of a Query; '' for all others. */
  readonly query: string
  /** The connection that it is of. */
  readonly connection: object
}

/** `hold`: it is not passed on, and nothing is after it. `last`: it is passed on, and nothing is after it. */
export type MessageVerdict = 'pass' | 'hold' | 'last'

export interface MessageProxy {
  readonly url: string
  /** Asked for each message, in order. */
  onMessage: (message: PostgresMessage) => MessageVerdict
  /** Called when nothing is passed on any more, on any connection. */
  onStop: () => void
  /** How long the server is not told that a client has left, as when its machine has disconnected. Milliseconds. */
  lingerMs: number
  /** What was held, and what comes, passes again. */
  resume(): void
  close(): void
}

/** A proxy in front of a PostgreSQL that passes on one message at a time, and stops at a chosen one. Without TLS. */
export async function startMessageProxy(databaseUrl: string): Promise<MessageProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let held: (() => void)[] | null = null
  const pass = (message: PostgresMessage, run: () => void): void => {
    if (held !== null) return void held.push(run)
    const verdict = proxy.onMessage(message)
    if (verdict !== 'hold') run()
    if (verdict === 'pass') return
    held = verdict === 'hold' ? [run] : []
    proxy.onStop()
  }
  const server = createServer((client) => {
    const behind = tcp(Number(target.port || 5432), target.hostname)
    const connection = {}
    for (const [from, to, name] of [
      [client, behind, 'client'],
      [behind, client, 'server'],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => {})
      from.on('close', () => sockets.delete(from))
      const read = messageReader(name === 'client')
      from.on('data', (chunk) => {
        for (const { type, bytes } of read(chunk)) {
          const query = name === 'client' && type === 'Q' ? bytes.toString('utf8', 5, bytes.length - 1) : ''
          pass({ from: name, type, query, connection }, () => void to.write(bytes))
        }
      })
    }
    client.on('close', () => setTimeout(() => behind.end(), proxy.lingerMs))
    behind.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const proxy: MessageProxy = {
    url: url.href,
    onMessage: () => 'pass',
    onStop: () => {},
    lingerMs: 0,
    resume: () => {
      const runs = held ?? []
      held = null
      for (const run of runs) run()
    },
    close: () => {
      server.close()
      for (const each of sockets) each.destroy()
    },
  }
  return proxy
}

interface Framed {
  readonly type: string
  readonly bytes: Buffer
}

/** Cuts what arrives into messages: a type of one byte, and a length that counts itself; the first one of a client has no type. */
function messageReader(startsUntyped: boolean): (chunk: Buffer) => readonly Framed[] {
  let typed = !startsUntyped
  let rest = Buffer.alloc(0)
  return (chunk) => {
    const found: Framed[] = []
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const start = typed ? 1 : 0
      if (rest.length < start + 4) return found
      const end = start + rest.readInt32BE(start)
      if (rest.length < end) return found
      found.push({ type: typed ? rest.toString('latin1', 0, 1) : '', bytes: rest.subarray(0, end) })
      rest = rest.subarray(end)
      typed = true
    }
  }
}
