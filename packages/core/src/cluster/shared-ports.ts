import { probePort } from '../transport/probe-port.ts'
import type { PortClaim } from './messages.ts'

interface SharedPort {
  /** Workers that bind it. While there is one, no other process can have it. */
  readonly holders: Set<object>
  /** Resolves with its number. */
  readonly number: Promise<number>
}

/**
 * The ports of a cluster. A second listener with SO_REUSEPORT succeeds silently, so a port is probed before its first worker binds it; port 0 becomes
 * a free one, which stays the same for as long as the cluster runs.
 */
export class SharedPorts {
  readonly #ports = new Map<string, SharedPort>()
  readonly #probe: typeof probePort

  constructor(probe: typeof probePort = probePort) {
    this.#probe = probe
  }

  /** Rejects with a BootError: `unavailable_port`. */
  async claim(holder: object, { host, port, nth }: PortClaim): Promise<number> {
    const key = port === 0 ? `${host} 0 ${nth}` : `${host} ${port}`
    const known = this.#ports.get(key)
    if (known !== undefined && known.holders.size > 0) {
      known.holders.add(holder)
      return known.number
    }
    // At once, so that a claim that comes meanwhile waits for the same probe.
    const wanted = known?.number ?? Promise.resolve(port)
    const claimed: SharedPort = {
      holders: new Set([holder]),
      number: wanted.then((number) => this.#probe(host, number)),
    }
    this.#ports.set(key, claimed)
    try {
      return await claimed.number
    } catch (error) {
      // The next claim probes again.
      if (known === undefined) this.#ports.delete(key)
      else this.#ports.set(key, known)
      throw error
    }
  }

  /** The worker has ended. */
  release(holder: object): void {
    for (const { holders } of this.#ports.values()) holders.delete(holder)
  }
}
