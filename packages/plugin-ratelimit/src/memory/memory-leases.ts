import type { Lease, Seat } from '../store.ts'

/** Who sits where, in this process. No lease runs out here: it ends with its connection, or with the process. */
export class MemoryLeases {
  readonly #bySeat = new Map<string, Set<string>>()

  acquire(lease: Lease): Seat | null {
    for (const seat of lease.seats) {
      const holders = this.#bySeat.get(nameOf(seat))
      if (holders !== undefined && holders.size >= seat.max && !holders.has(lease.id)) return seat
    }
    this.add([lease])
    return null
  }

  /** Also where all seats are taken. */
  add(leases: readonly Lease[]): void {
    for (const { id, seats } of leases) {
      for (const seat of seats) {
        const name = nameOf(seat)
        const holders = this.#bySeat.get(name)
        if (holders === undefined) this.#bySeat.set(name, new Set([id]))
        else holders.add(id)
      }
    }
  }

  release({ id, seats }: Lease): void {
    for (const seat of seats) {
      const name = nameOf(seat)
      const holders = this.#bySeat.get(name)
      if (holders?.delete(id) && holders.size === 0) this.#bySeat.delete(name)
    }
  }

  clear(): void {
    this.#bySeat.clear()
  }
}

function nameOf({ scope, key }: Seat): string {
  return `${scope} ${key}`
}
