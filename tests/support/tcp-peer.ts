import { connect } from 'node:net'
import { onTestFinished } from 'vitest'

/** A client that sends bytes as a test writes them, and keeps every byte that came. */
export interface TcpPeer {
  write(bytes: string | Uint8Array): void
  /** All that came, one character for each byte. */
  text(): string
  /** Resolves with it when it matches, or contains the string; rejects when the connection closes first. */
  until(wanted: RegExp | string): Promise<string>
  /** Resolves with all that came when the server has closed the connection. */
  readonly closed: Promise<string>
  /** The client leaves. */
  leave(): void
}

export async function dialTcp(port: number): Promise<TcpPeer> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const chunks: Buffer[] = []
  const text = (): string => Buffer.concat(chunks).toString('latin1')
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text())))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A reset is one way for the server to close.
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return {
    text,
    closed,
    write: (bytes) => void socket.write(bytes),
    leave: () => void socket.destroy(),
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (typeof wanted === 'string' ? !text().includes(wanted) : !wanted.test(text())) return
          socket.off('data', look)
          resolve(text())
        }
        socket.on('data', look)
        socket.once('close', () => reject(new Error(`closed before ${wanted}: ${JSON.stringify(text())}`)))
        look()
      }),
  }
}
