import type { ConnectionSlot, Lease } from '../store.ts'

/** The connection slots of this process. A lease does not expire here: it ends with its connection or with the process. */
export class MemoryConnectionSlots {
  /** Ids of the leases that hold a slot, by the slot's scope and key. */
  readonly #holders = new Map<string, Set<string>>()

  acquire(lease: Lease): ConnectionSlot | null {
    for (const slot of lease.slots) {
      const holders = this.#holders.get(nameOf(slot))
      if (holders !== undefined && holders.size >= slot.max && !holders.has(lease.id)) return slot
    }
    this.add([lease])
    return null
  }

  /** Does not check the limits. */
  add(leases: readonly Lease[]): void {
    for (const { id, slots } of leases) {
      for (const slot of slots) {
        const name = nameOf(slot)
        const holders = this.#holders.get(name)
        if (holders === undefined) this.#holders.set(name, new Set([id]))
        else holders.add(id)
      }
    }
  }

  release({ id, slots }: Lease): void {
    for (const slot of slots) {
      const name = nameOf(slot)
      const holders = this.#holders.get(name)
      if (holders?.delete(id) && holders.size === 0) this.#holders.delete(name)
    }
  }

  clear(): void {
    this.#holders.clear()
  }
}

function nameOf({ scope, key }: ConnectionSlot): string {
  return `${scope} ${key}`
}
