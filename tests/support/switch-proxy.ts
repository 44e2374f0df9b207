import { createServer, type Socket, connect as tcp } from 'node:net'

/** A proxy in front of a server. */
export interface SwitchProxy {
  readonly port: number
  /** Cuts every connection; those of from now on reach another server. */
  switchTo(port: number): void
  /** What is open stays open, and nothing passes in either direction any more. */
  drop(): void
  close(): void
}

export async function startSwitchProxy(firstPort: number): Promise<SwitchProxy> {
  let target = firstPort
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const behind = tcp(target, '127.0.0.1')
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('data', (bytes) => other.write(bytes))
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    switchTo(port) {
      target = port
      for (const socket of sockets) socket.destroy()
    },
    drop() {
      for (const socket of sockets) socket.removeAllListeners('data').resume()
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
