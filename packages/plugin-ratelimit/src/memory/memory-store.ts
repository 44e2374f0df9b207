import type { Clock } from '@twinwire/core'
import { toStanding, toWaitUs } from '../bucket-math.ts'
import { checkOptions, checkWholeNumber } from '../check-options.ts'
import type { Rule } from '../rule.ts'
import type { Lease, LimitStore, LimitStoreFactory, Seat, Standing, Take, Verdict } from '../store.ts'
import { BucketTable } from './bucket-table.ts'
import { MemoryLeases } from './memory-leases.ts'

export interface MemoryStoreOptions {
  /** Buckets that are kept for each rule. A full one is not kept. Default 100,000, which take about 20 MB when all are in use. */
  readonly maxKeys?: number
}

/** What the memory of limits tells of itself. */
export interface MemoryStoreEvents {
  /** A bucket has gone that was not full. */
  readonly onEvict?: () => void
}

/** Buckets and leases of this process. Every answer comes at once. */
export class MemoryStore implements LimitStore {
  readonly #clock: Clock
  readonly #maxKeys: number
  readonly #onEvict: () => void
  readonly #tables = new Map<Rule, BucketTable>()
  readonly #leases = new MemoryLeases()

  constructor(clock: Clock, maxKeys: number, { onEvict = () => {} }: MemoryStoreEvents = {}) {
    this.#clock = clock
    this.#maxKeys = maxKeys
    this.#onEvict = onEvict
  }

  /** Buckets that are kept now. */
  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }

  consume(takes: readonly Take[]): Verdict {
    const nowUs = this.#nowUs()
    const standings: Standing[] = []
    for (const take of takes) {
      const standing = this.#take(take, nowUs)
      standings.push(standing)
      // Nothing comes between, so what has been taken so far can be put back as if it had not.
      if (!standing.allowed) return this.#refuse(takes, standings, nowUs)
    }
    return { allowed: true, standings }
  }

  takeOne({ rule, key, cost }: Take): boolean {
    const nowUs = this.#nowUs()
    const table = this.#table(rule)
    const bucket = table.find(key)
    const debtUs = toDebtUs(bucket, nowUs)
    if (toWaitUs(rule, debtUs, cost) > 0) return false
    table.file(bucket, key, nowUs + debtUs + cost * rule.intervalUs, nowUs)
    return true
  }

  /** The last of `standings` is that of the take that was refused. */
  #refuse(takes: readonly Take[], standings: Standing[], nowUs: number): Verdict {
    const refused = standings.length - 1
    for (const take of takes.slice(0, refused)) this.#change(take, -take.cost, nowUs)
    for (const [i, take] of takes.entries()) if (i !== refused) standings[i] = this.#look(take, nowUs)
    return { allowed: false, standings }
  }

  adjust(what: 'take' | 'give back', takes: readonly Take[]): void {
    const nowUs = this.#nowUs()
    for (const take of takes) this.#change(take, what === 'take' ? take.cost : -take.cost, nowUs)
  }

  peek(takes: readonly Take[]): readonly Standing[] {
    const nowUs = this.#nowUs()
    return takes.map((take) => this.#look(take, nowUs))
  }

  reset(takes: readonly Take[]): void {
    for (const { rule, key } of takes) {
      const table = this.#table(rule)
      const bucket = table.find(key)
      if (bucket !== undefined) table.remove(bucket)
    }
  }

  acquire(lease: Lease): Seat | null {
    return this.#leases.acquire(lease)
  }

  renew(leases: readonly Lease[]): void {
    this.#leases.add(leases)
  }

  release(lease: Lease): void {
    this.#leases.release(lease)
  }

  close(): void {
    this.#tables.clear()
    this.#leases.clear()
  }

  #look({ rule, key, cost }: Take, nowUs: number): Standing {
    const debtUs = toDebtUs(this.#table(rule).find(key), nowUs)
    return toStanding(rule, debtUs, toWaitUs(rule, debtUs, cost))
  }

  #take({ rule, key, cost }: Take, nowUs: number): Standing {
    const table = this.#table(rule)
    const bucket = table.find(key)
    const debtUs = toDebtUs(bucket, nowUs)
    const waitUs = toWaitUs(rule, debtUs, cost)
    if (waitUs > 0) return toStanding(rule, debtUs, waitUs)
    const newDebtUs = debtUs + cost * rule.intervalUs
    table.file(bucket, key, nowUs + newDebtUs, nowUs)
    return toStanding(rule, newDebtUs, 0)
  }

  /** Takes what is there, or for a negative number gives back what was taken. */
  #change({ rule, key }: Take, points: number, nowUs: number): void {
    const table = this.#table(rule)
    const bucket = table.find(key)
    const debtUs = Math.min(toDebtUs(bucket, nowUs) + points * rule.intervalUs, rule.spanUs)
    if (debtUs > 0) table.file(bucket, key, nowUs + debtUs, nowUs)
    else if (bucket !== undefined) table.remove(bucket)
  }

  #table(rule: Rule): BucketTable {
    const known = this.#tables.get(rule)
    if (known !== undefined) return known
    const table = new BucketTable(rule.spanUs, this.#maxKeys, this.#onEvict)
    this.#tables.set(rule, table)
    return table
  }

  #nowUs(): number {
    return Math.floor(this.#clock.monotonic() * 1000)
  }
}

function toDebtUs(bucket: { readonly tat: number } | undefined, nowUs: number): number {
  return bucket === undefined || bucket.tat <= nowUs ? 0 : bucket.tat - nowUs
}

export const defaultMaxKeys = 100_000

/**
 * Keeps limits in the memory of this process: the default. Each process of an app then counts for itself.
 *
 * @example
 * rateLimit({ store: memoryStore({ maxKeys: 1_000_000 }) })
 */
export function memoryStore(options: MemoryStoreOptions = {}): LimitStoreFactory {
  checkOptions('memoryStore()', options, { maxKeys: true })
  const { maxKeys = defaultMaxKeys } = options

  checkWholeNumber('maxKeys of memoryStore()', maxKeys, 1)
  return {
    name: 'memory',
    remote: false,
    open: ({ clock, instruments }) => {
      const evicted = instruments.counter('rate_limit_evicted_keys_total', 'Buckets that had to be forgotten').cell()
      const store = new MemoryStore(clock, maxKeys, { onEvict: () => evicted.inc() })
      instruments
        .gauge('rate_limit_keys', 'Buckets in memory')
        .cell()
        .readFrom(() => store.size)
      return store
    },
  }
}
