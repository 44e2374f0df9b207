import { BootError } from '../../base/boot-error.ts'

/** Ports that memory transports of this process listen on: two on one port is an error, as on a machine. */
const taken = new Set<number>()

/** The range that systems take free ports from. */
const firstFreePort = 49_152
const lastPort = 65_535

let nextPort = firstFreePort

/** Takes a port, or any for 0. `free` is idempotent. */
export function claimPort(wanted: number): { readonly port: number; readonly free: () => void } {
  const port = wanted === 0 ? findFreePort() : wanted
  if (taken.has(port)) {
    throw new BootError(
      'unavailable_port',
      `Port ${port} is in use by another memory transport: close it, or listen on another port`,
    )
  }
  taken.add(port)
  let held = true
  const free = (): void => {
    // By then the port may be another's.
    if (held) taken.delete(port)
    held = false
  }
  return { port, free }
}

function findFreePort(): number {
  for (let tries = firstFreePort; tries <= lastPort; tries += 1) {
    const port = nextPort
    nextPort = port === lastPort ? firstFreePort : port + 1
    if (!taken.has(port)) return port
  }
  throw new BootError('unavailable_port', 'No port is free: close memory transports that are not used')
}
