import type { Clock } from '@twinwire/core'
import { checkOptions, option } from '@twinwire/core/plugin'
import { toQuotaStatus, toWaitUs } from '../gcra.ts'
import type { Rule } from '../rule.ts'
import type {
  Charge,
  ConnectionSlot,
  ConsumeResult,
  Lease,
  LimitStore,
  LimitStoreFactory,
  QuotaStatus,
} from '../store.ts'
import { BucketTable } from './bucket-table.ts'
import { MemoryConnectionSlots } from './memory-connection-slots.ts'

export interface MemoryStoreOptions {
  /** Maximum number of buckets per rule, not counting full ones. Default 100,000, which need about 20 MB. */
  readonly maxKeys?: number | undefined
}

/** Keeps buckets and leases in this process. Synchronous. */
export class MemoryStore implements LimitStore {
  readonly #clock: Clock
  readonly #maxKeys: number
  readonly #onEvict: () => void
  readonly #tables = new Map<Rule, BucketTable>()
  /** Of the rule that was used last: many applications have one rule for most calls. */
  #lastRule: Rule | null = null
  #lastTable: BucketTable | null = null
  readonly #slots = new MemoryConnectionSlots()

  /** `onEvict` is called for each bucket that is deleted before it is full. */
  constructor(clock: Clock, maxKeys: number, onEvict: () => void = () => {}) {
    this.#clock = clock
    this.#maxKeys = maxKeys
    this.#onEvict = onEvict
  }

  /** Number of buckets, over all rules. */
  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }

  consume(charges: readonly Charge[]): ConsumeResult {
    const nowUs = this.#nowUs()
    const statuses: QuotaStatus[] = []
    for (const charge of charges) {
      const status = this.#charge(charge, nowUs)
      statuses.push(status)
      // Synchronous, so no other call sees the charges that are rolled back.
      if (!status.allowed) return this.#refuse(charges, statuses, nowUs)
    }
    return { allowed: true, statuses }
  }

  tryConsume({ rule, key, cost }: Charge): boolean {
    const nowUs = this.#nowUs()
    const table = this.#table(rule)
    const bucket = table.find(key)
    const debtUs = toDebtUs(bucket, nowUs)
    if (toWaitUs(rule, debtUs, cost) > 0) return false
    table.set(bucket, key, nowUs + debtUs + cost * rule.intervalUs, nowUs)
    return true
  }

  /** Rolls back. The last of `statuses` is that of the refused charge. */
  #refuse(charges: readonly Charge[], statuses: QuotaStatus[], nowUs: number): ConsumeResult {
    const refused = statuses.length - 1
    for (const charge of charges.slice(0, refused)) this.#change(charge, -charge.cost, nowUs)
    for (const [i, charge] of charges.entries()) if (i !== refused) statuses[i] = this.#statusOf(charge, nowUs)
    return { allowed: false, statuses }
  }

  adjust(kind: 'charge' | 'refund', charges: readonly Charge[]): void {
    const nowUs = this.#nowUs()
    for (const charge of charges) this.#change(charge, kind === 'charge' ? charge.cost : -charge.cost, nowUs)
  }

  peek(charges: readonly Charge[]): readonly QuotaStatus[] {
    const nowUs = this.#nowUs()
    return charges.map((charge) => this.#statusOf(charge, nowUs))
  }

  reset(charges: readonly Charge[]): void {
    for (const { rule, key } of charges) {
      const table = this.#table(rule)
      const bucket = table.find(key)
      if (bucket !== undefined) table.remove(bucket)
    }
  }

  acquire(lease: Lease): ConnectionSlot | null {
    return this.#slots.acquire(lease)
  }

  renew(leases: readonly Lease[]): void {
    this.#slots.add(leases)
  }

  release(lease: Lease): void {
    this.#slots.release(lease)
  }

  close(): void {
    this.#tables.clear()
    this.#lastRule = null
    this.#lastTable = null
    this.#slots.clear()
  }

  #statusOf({ rule, key, cost }: Charge, nowUs: number): QuotaStatus {
    const debtUs = toDebtUs(this.#table(rule).find(key), nowUs)
    return toQuotaStatus(rule, debtUs, toWaitUs(rule, debtUs, cost))
  }

  #charge({ rule, key, cost }: Charge, nowUs: number): QuotaStatus {
    const table = this.#table(rule)
    const bucket = table.find(key)
    const debtUs = toDebtUs(bucket, nowUs)
    const waitUs = toWaitUs(rule, debtUs, cost)
    if (waitUs > 0) return toQuotaStatus(rule, debtUs, waitUs)
    const newDebtUs = debtUs + cost * rule.intervalUs
    table.set(bucket, key, nowUs + newDebtUs, nowUs)
    return toQuotaStatus(rule, newDebtUs, 0)
  }

  /** Charges points, or refunds them when the number is negative; stops at an empty or a full bucket. */
  #change({ rule, key }: Charge, points: number, nowUs: number): void {
    const table = this.#table(rule)
    const bucket = table.find(key)
    const debtUs = Math.min(toDebtUs(bucket, nowUs) + points * rule.intervalUs, rule.spanUs)
    if (debtUs > 0) table.set(bucket, key, nowUs + debtUs, nowUs)
    else if (bucket !== undefined) table.remove(bucket)
  }

  #table(rule: Rule): BucketTable {
    if (rule === this.#lastRule && this.#lastTable !== null) return this.#lastTable
    let table = this.#tables.get(rule)
    if (table === undefined) {
      table = new BucketTable(rule.spanUs, this.#maxKeys, this.#onEvict)
      this.#tables.set(rule, table)
    }
    this.#lastRule = rule
    this.#lastTable = table
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
 * Keeps limits in the memory of this process. The default. With several processes each of them counts separately.
 *
 * @example
 * rateLimit({ store: memoryStore({ maxKeys: 1_000_000 }) })
 */
export function memoryStore(options: MemoryStoreOptions = {}): LimitStoreFactory {
  const { maxKeys } = checkOptions('memoryStore()', options, {
    maxKeys: option.integer({ min: 1, default: defaultMaxKeys }),
  })
  return {
    name: 'memory',
    remote: false,
    open: ({ clock, instruments }) => {
      const evicted = instruments
        .counter('rate_limit_evicted_keys_total', 'Buckets evicted from memory before they were full again')
        .cell()
      const store = new MemoryStore(clock, maxKeys, () => evicted.inc())
      instruments
        .gauge('rate_limit_keys', 'Buckets in memory, for limits without Redis')
        .cell()
        .readFrom(() => store.size)
      return store
    },
  }
}
