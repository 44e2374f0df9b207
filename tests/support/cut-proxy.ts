import { createServer, type Socket, connect as tcp } from 'node:net'

/** What becomes of bytes that are on their way to the server or from it. */
export type Verdict = 'pass' | 'hold' | 'cut'

export interface CutProxy {
  /** The url of the database, by the proxy. */
  readonly url: string
  /** Decides on messages of clients and of the server; both may be changed at any time. */
  toServer: (bytes: Buffer) => Verdict
  toClient: (bytes: Buffer) => Verdict
  /** Cuts every connection. */
  cut(): void
  close(): void
}

/** A proxy in front of a PostgreSQL that cuts connections at a chosen message. It keeps the server's side open for what was passed on. */
export async function startCutProxy(databaseUrl: string): Promise<CutProxy> {
  const target = new URL(databaseUrl)
  const clients = new Set<Socket>()
  const servers = new Set<Socket>()
  const server = createServer((client) => {
    const behind = tcp(Number(target.port || 5432), target.hostname)
    clients.add(client)
    servers.add(behind)
    for (const each of [client, behind]) each.on('error', () => {})
    client.on('data', (bytes) => {
      const verdict = proxy.toServer(bytes)
      if (verdict === 'cut') client.destroy()
      else if (verdict === 'pass') behind.write(bytes)
    })
    behind.on('data', (bytes) => {
      const verdict = proxy.toClient(bytes)
      if (verdict === 'cut') client.destroy()
      else if (verdict === 'pass') client.write(bytes)
    })
    // The server ends its session when it has done what it was given.
    client.on('close', () => behind.end())
    behind.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const proxy: CutProxy = {
    url: url.href,
    toServer: () => 'pass',
    toClient: () => 'pass',
    cut: () => {
      for (const client of clients) client.destroy()
    },
    close: () => {
      server.close()
      for (const each of [...clients, ...servers]) each.destroy()
    },
  }
  return proxy
}
