import { createServer, type Socket, connect as tcp } from 'node:net'

export type Direction = 'toServer' | 'toClient'

/** A proxy in front of a server, with what may happen to connections. What is said of connections is said of those that are open. */
export interface TcpProxy {
  readonly port: number
  /** Connections of clients, since the start. */
  readonly accepted: number
  /** Connections that are open now. */
  readonly open: number
  /** Connects from now on to another port. */
  target: number
  /** Milliseconds that all bytes take from now on, in each direction. */
  delayMs: number
  /** Resets each connection of from now on as soon as it is made. */
  isRefusing: boolean
  /** Resets all connections. */
  cut(): void
  /** Resets one connection; the oldest one is 0. */
  cutOne(index: number): void
  /** Neither bytes nor ends pass any more, in one direction or in both: each side believes that the other one is there. */
  drop(direction?: Direction): void
  /** Of one connection. */
  dropOne(index: number, direction?: Direction): void
  /** Resets all connections, and accepts none. */
  close(): Promise<void>
}

/** Both sockets of a connection. */
interface Pair {
  readonly client: Socket
  readonly server: Socket
  readonly dropped: Set<Direction>
}

const directions: readonly Direction[] = ['toServer', 'toClient']

function drop({ dropped }: Pair, direction?: Direction): void {
  for (const each of direction === undefined ? directions : [direction]) dropped.add(each)
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  const reset = (pair: Pair): void => {
    pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.resetAndDestroy()
  }
  const forward = (pair: Pair, direction: Direction): void => {
    const [from, to] = direction === 'toServer' ? [pair.client, pair.server] : [pair.server, pair.client]
    const queue: { readonly run: () => void; readonly dueMs: number }[] = []
    // In order, also when the delay becomes shorter.
    const flush = (): void => {
      for (;;) {
        const [first] = queue
        if (first === undefined) return
        const leftMs = first.dueMs - performance.now()
        if (leftMs > 0) return void setTimeout(flush, leftMs).unref()
        queue.shift()
        if (!pair.dropped.has(direction)) first.run()
      }
    }
    const pass = (run: () => void): void => {
      if (queue.push({ run, dueMs: performance.now() + proxy.delayMs }) === 1) flush()
    }
    from.setNoDelay(true)
    from.on('error', () => {})
    from.on('data', (bytes) => pass(() => to.write(bytes)))
    from.on('end', () => pass(() => to.end()))
    from.on('close', () =>
      pass(() => {
        pairs.delete(pair)
        to.destroy()
      }),
    )
  }
  let accepted = 0
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    accepted += 1
    if (proxy.isRefusing) {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const server = tcp({ port: proxy.target, host: '127.0.0.1', allowHalfOpen: true })
    const pair: Pair = { client, server, dropped: new Set() }
    pairs.add(pair)
    for (const direction of directions) forward(pair, direction)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const proxy: TcpProxy = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get accepted() {
      return accepted
    },
    get open() {
      return pairs.size
    },
    target: targetPort,
    delayMs: 0,
    isRefusing: false,
    cut() {
      for (const pair of pairs) reset(pair)
    },
    cutOne(index) {
      const pair = [...pairs][index]
      if (pair !== undefined) reset(pair)
    },
    drop(direction) {
      for (const pair of pairs) drop(pair, direction)
    },
    dropOne(index, direction) {
      const pair = [...pairs][index]
      if (pair !== undefined) drop(pair, direction)
    },
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      proxy.cut()
      await closed
    },
  }
  return proxy
}
