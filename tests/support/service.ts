import { createServer } from 'node:net'

/** Where a suite's service came from: named by the environment, found on this machine, or started by the suite. */
export type ServiceSource = 'given' | 'local' | 'own'

/** A service that cannot be had: one visible line and a skip, or a failure where services are required. */
export function serviceMissing(service: string, waysOut: string): false {
  const line = `${service} cannot be had here: ${waysOut}`
  if (process.env.TWINWIRE_REQUIRE_SERVICES === '1') throw new Error(line)
  console.warn(`SKIPPED, ${line}`)
  return false
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
