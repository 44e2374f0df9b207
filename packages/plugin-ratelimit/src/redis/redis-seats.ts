import type { Lease, Seat } from '../store.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { Operation } from './redis-instruments.ts'
import { seatKey } from './redis-keys.ts'
import { acquireScript, releaseScript, renewScript, type Script } from './scripts.ts'
import { groupBySlot } from './slots.ts'

/** Members that one script handles: that takes Redis about a millisecond, in which it serves nobody else. */
const batchSize = 500
/** In a cluster a script handles one seat; so many of them are on their way at once. */
const batchesAtOnce = 200

/** A seat, and a connection that sits on it. */
interface Sitting {
  readonly key: string
  readonly id: string
}

/** The seats of a store: for each a sorted set of the connections that sit on it, by the moment at which they lose it. */
export class RedisSeats {
  readonly #connection: RedisConnection
  readonly #prefix: string
  /** Given up in this turn of the event loop: they leave together. */
  #leaving: Lease[] = []
  #departure: Promise<void> | null = null
  #lastDeparture: Promise<void> = Promise.resolve()
  /** Given up while renewals are under way, which else might bring them back. */
  readonly #gone = new Set<string>()
  #renewals = 0

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection
    this.#prefix = prefix
  }

  /** Over several slots: one after the other, and what was taken before one is full, is given up again. */
  async acquire(lease: Lease, ttlMs: number): Promise<Seat | null> {
    const groups = groupBySlot(lease.seats, (seat) => seatKey(this.#prefix, seat), this.#connection.isCluster)
    try {
      for (const { keys, items } of groups) {
        const args = [ttlMs, lease.id, ...items.map(({ max }) => max)]
        const full = Number(await this.#connection.run('acquire', acquireScript, keys, args))
        const seat = items[full - 1]
        if (seat === undefined) continue
        if (groups.length > 1) await this.release(lease).catch(() => {})
        return seat
      }
    } catch (error) {
      // It may have been taken all the same, or will be: then it is given up behind that, on the same connection.
      this.release(lease).catch(() => {})
      throw error
    }
    return null
  }

  /** In batches, the next one when the last is done: other calls get their turn in between. */
  async renew(leases: readonly Lease[], ttlMs: number): Promise<void> {
    const sittings = this.#toSittings(leases)
    const toBatch = (batch: readonly Sitting[]): readonly Sitting[] => batch.filter(({ id }) => !this.#gone.has(id))
    this.#renewals += 1
    try {
      await this.#inBatches('renew', renewScript, [ttlMs], sittings, toBatch)
    } finally {
      this.#renewals -= 1
      if (this.#renewals === 0) this.#gone.clear()
    }
  }

  release(lease: Lease): Promise<void> {
    if (this.#renewals > 0) this.#gone.add(lease.id)
    this.#leaving.push(lease)
    if (this.#departure === null) {
      const departure = new Promise<void>((resolve, reject) => {
        setImmediate(() => {
          this.#leave().then(resolve, reject)
        })
      })
      this.#departure = departure
      this.#lastDeparture = departure
    }
    return this.#departure
  }

  /** Resolves when everybody who leaves has left, or could not. */
  async settle(): Promise<void> {
    await this.#lastDeparture.catch(() => {})
  }

  async #leave(): Promise<void> {
    const leases = this.#leaving
    this.#leaving = []
    this.#departure = null
    await this.#inBatches('release', releaseScript, [], this.#toSittings(leases), (batch) => batch)
  }

  #toSittings(leases: readonly Lease[]): readonly Sitting[] {
    return leases.flatMap(({ id, seats }) => seats.map((seat) => ({ key: seatKey(this.#prefix, seat), id })))
  }

  async #inBatches(
    operation: Operation,
    script: Script,
    first: readonly number[],
    sittings: readonly Sitting[],
    toBatch: (batch: readonly Sitting[]) => readonly Sitting[],
  ): Promise<void> {
    for (let at = 0; at < sittings.length; at += batchSize) {
      const members = membersByKey(toBatch(sittings.slice(at, at + batchSize)))
      const groups = groupBySlot([...members.keys()], (key) => key, this.#connection.isCluster)
      for (let from = 0; from < groups.length; from += batchesAtOnce) {
        await Promise.all(
          groups.slice(from, from + batchesAtOnce).map(({ keys }) => {
            const args = keys.flatMap((key) => [members.get(key)?.length ?? 0, ...(members.get(key) ?? [])])
            return this.#connection.run(operation, script, keys, [...first, ...args])
          }),
        )
      }
    }
  }
}

function membersByKey(sittings: readonly Sitting[]): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, string[]>()
  for (const { key, id } of sittings) {
    const ids = members.get(key)
    if (ids === undefined) members.set(key, [id])
    else ids.push(id)
  }
  return members
}
