import { createServer } from 'node:net'
import { BootError } from '../base/boot-error.ts'

/**
 * Binds a port for a moment, and resolves with its number: for 0 one that is free.
 *
 * Rejects with a BootError: `unavailable_port` when a listener has it, also one that would share it, else `bad_option`.
 */
export function probePort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE'
      const message = `Cannot listen on port ${port} of ${host}: ${error.message}`
      reject(isTaken ? takenPort(host, port) : new BootError('bad_option', message, { cause: error }))
    })
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(bound))
    })
  })
}

export function takenPort(host: string, port: number): BootError {
  const message = `Port ${port} of ${host} is already in use: stop the other listener, or choose another port`
  return new BootError('unavailable_port', message)
}
