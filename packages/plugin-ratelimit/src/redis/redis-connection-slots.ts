import type { RedisScript } from '@twinwire/redis'
import type { ConnectionSlot, Lease } from '../store.ts'
import { connectionsKey, groupByHashSlot } from './redis-keys.ts'
import { acquireScript, releaseScript, renewScript } from './scripts.ts'
import type { Operation, StoreConnection } from './store-connection.ts'

/** Members in one script: it blocks Redis for about a millisecond. */
const batchSize = 500
/** In a cluster a script handles one key; this many run at once. */
const concurrentScripts = 200

/** One connection in one of its slots. */
interface Member {
  readonly key: string
  readonly id: string
}

/** The connection slots of a store: for each scope and key a sorted set of connection ids, scored by the time at which their leases expire. */
export class RedisConnectionSlots {
  readonly #connection: StoreConnection
  readonly #prefix: string
  /** Leases that are released in this turn of the event loop: they are sent together. */
  #releasing: Lease[] = []
  #releaseBatch: Promise<void> | null = null
  #lastReleaseBatch: Promise<void> = Promise.resolve()
  /** Leases that are released during renewals: a renewal that is not sent yet must not add them again. */
  readonly #released = new Set<string>()
  #renewals = 0

  constructor(connection: StoreConnection, prefix: string) {
    this.#connection = connection
    this.#prefix = prefix
  }

  /** Over several hash slots: one after the other. When one is full, those that were acquired before it are released. */
  async acquire(lease: Lease, ttlMs: number): Promise<ConnectionSlot | null> {
    const groups = groupByHashSlot(
      lease.slots,
      (slot) => connectionsKey(this.#prefix, slot),
      this.#connection.isCluster,
    )
    try {
      for (const { keys, items } of groups) {
        const args = [ttlMs, lease.id, ...items.map(({ max }) => max)]
        const full = Number(await this.#connection.run('acquire', acquireScript, keys, args))
        const slot = items[full - 1]
        if (slot === undefined) continue
        if (groups.length > 1) await this.release(lease).catch(() => {})
        return slot
      }
    } catch (error) {
      // The lease may have been acquired all the same, or will be: the release is behind it on the same connection.
      this.release(lease).catch(() => {})
      throw error
    }
    return null
  }

  /** In sequential batches, so that Redis serves other calls in between. */
  async renew(leases: readonly Lease[], ttlMs: number): Promise<void> {
    const members = this.#toMembers(leases)
    const toBatch = (batch: readonly Member[]): readonly Member[] => batch.filter(({ id }) => !this.#released.has(id))
    this.#renewals += 1
    try {
      await this.#inBatches('renew', renewScript, [ttlMs], members, toBatch)
    } finally {
      this.#renewals -= 1
      if (this.#renewals === 0) this.#released.clear()
    }
  }

  release(lease: Lease): Promise<void> {
    if (this.#renewals > 0) this.#released.add(lease.id)
    this.#releasing.push(lease)
    if (this.#releaseBatch === null) {
      const batch = new Promise<void>((resolve, reject) => {
        setImmediate(() => {
          this.#releaseAll().then(resolve, reject)
        })
      })
      this.#releaseBatch = batch
      this.#lastReleaseBatch = batch
    }
    return this.#releaseBatch
  }

  /** Resolves when all pending releases have succeeded or failed. */
  async settle(): Promise<void> {
    await this.#lastReleaseBatch.catch(() => {})
  }

  async #releaseAll(): Promise<void> {
    const leases = this.#releasing
    this.#releasing = []
    this.#releaseBatch = null
    await this.#inBatches('release', releaseScript, [], this.#toMembers(leases), (batch) => batch)
  }

  #toMembers(leases: readonly Lease[]): readonly Member[] {
    return leases.flatMap(({ id, slots }) => slots.map((slot) => ({ key: connectionsKey(this.#prefix, slot), id })))
  }

  async #inBatches(
    operation: Operation,
    script: RedisScript,
    firstArgs: readonly number[],
    members: readonly Member[],
    toBatch: (batch: readonly Member[]) => readonly Member[],
  ): Promise<void> {
    for (let at = 0; at < members.length; at += batchSize) {
      const idsByKey = groupByKey(toBatch(members.slice(at, at + batchSize)))
      const groups = groupByHashSlot([...idsByKey.keys()], (key) => key, this.#connection.isCluster)
      for (let from = 0; from < groups.length; from += concurrentScripts) {
        await Promise.all(
          groups.slice(from, from + concurrentScripts).map(({ keys }) => {
            const args = keys.flatMap((key) => [idsByKey.get(key)?.length ?? 0, ...(idsByKey.get(key) ?? [])])
            return this.#connection.run(operation, script, keys, [...firstArgs, ...args])
          }),
        )
      }
    }
  }
}

function groupByKey(members: readonly Member[]): ReadonlyMap<string, readonly string[]> {
  const idsByKey = new Map<string, string[]>()
  for (const { key, id } of members) {
    const ids = idsByKey.get(key)
    if (ids === undefined) idsByKey.set(key, [id])
    else ids.push(id)
  }
  return idsByKey
}
