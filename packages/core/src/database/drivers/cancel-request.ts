import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock } from '../../base/clock.ts'

/** The address of a server, as in the parsed options of postgres.js. */
export interface CancelTarget {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string | false | undefined
  readonly ssl: string | boolean | object
  readonly sslnegotiation?: string | null | undefined
}

/** The key of a connection, which the server sends when it starts. */
export interface Backend {
  readonly pid: number
  readonly secret: number
}

/** Time limit of a cancel request. */
const limitMs = 5000

/**
 * Asks PostgreSQL to cancel what a connection is doing (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS).
 * Resolves when the server has closed the request, which it does after it has signalled the connection's process: statements that are
 * sent later are not cancelled. Rejects when that cannot be known.
 *
 * postgres.js (3.4.9) has `cancel`, but its promise never settles over TLS, and it asks the first host only.
 */
export async function requestCancel(target: CancelTarget, backend: Backend, clock: Clock): Promise<void> {
  const { host, port, path } = target
  const servers = path ? [{ path }] : host.map((name, index) => ({ host: name, port: port[index] ?? port[0] ?? 5432 }))
  // postgres.js does not expose which of several hosts the connection is to; the others do not know the secret and do nothing.
  const results = await Promise.allSettled(servers.map((server) => requestAt(server, target, backend, clock)))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined && results.every((result) => result.status === 'rejected')) throw failure.reason
}

function requestAt(
  server: { readonly path: string } | { readonly host: string; readonly port: number },
  { ssl, sslnegotiation }: CancelTarget,
  backend: Backend,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const plain = connect(server)
    let socket: Socket = plain
    let sent = false
    const end = (error: Error | null): void => {
      timer.cancel()
      socket.destroy()
      plain.destroy()
      // After the request, a reset counts as success.
      if (sent && !(error instanceof TimeoutError)) resolve()
      else reject(error ?? new Error('The server closed the connection of a cancel request before it was sent'))
    }
    const timer = clock.timer(limitMs, () => end(new TimeoutError(`A cancel request took more than ${limitMs} ms`)))
    const watch = (each: Socket): void => {
      each.on('error', end)
      each.on('close', () => end(null))
    }
    const send = (): void => {
      sent = true
      socket.write(packet(80_877_102, backend.pid, backend.secret))
    }
    const secure = (): void => {
      const name = 'host' in server && isIP(server.host) === 0 ? { servername: server.host } : {}
      const direct = sslnegotiation === 'direct' ? { ALPNProtocols: ['postgresql'] } : {}
      socket = connectTls({ socket: plain, ...name, ...direct, ...trust(ssl) }, send)
      watch(socket)
    }
    const requestTls = (): void => {
      plain.once('data', ([answer]) => {
        if (answer === 0x53) secure()
        else if (ssl === 'prefer') send()
        else end(new Error('The server has no TLS for a cancel request'))
      })
      plain.write(packet(80_877_103))
    }
    watch(plain)
    plain.once('connect', () => {
      if (!ssl || 'path' in server) send()
      else if (sslnegotiation === 'direct') secure()
      else requestTls()
    })
  })
}

class TimeoutError extends Error {}

/** As postgres.js reads its option `ssl`. */
function trust(ssl: CancelTarget['ssl']): object {
  if (typeof ssl === 'object') return ssl
  return ssl === 'require' || ssl === 'allow' || ssl === 'prefer' ? { rejectUnauthorized: false } : {}
}

/** A packet: its length, then the numbers. */
function packet(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + numbers.length * 4)
  for (const [index, number] of [bytes.length, ...numbers].entries()) bytes.writeInt32BE(number | 0, index * 4)
  return bytes
}
