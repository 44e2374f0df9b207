import { RedisError, type RedisScript } from '@twinwire/redis'
import { toQuotaStatus, toWaitUs } from '../gcra.ts'
import type { Charge, ConsumeResult, QuotaStatus } from '../store.ts'
import { bucketKey, groupByHashSlot, type HashSlotGroup } from './redis-keys.ts'
import { adjustScript, chargeScript, peekScript, refundScript, resetScript } from './scripts.ts'
import type { Operation, StoreConnection } from './store-connection.ts'

/** Result of one hash slot. */
interface SlotResult extends HashSlotGroup<Charge> {
  readonly isCharged: boolean
  /** The server's time, in microseconds. */
  readonly nowUs: number
  /** After the charge, or unchanged when it was refused. */
  readonly debtsUs: readonly number[]
}

/** The buckets of a store. All charges of a `consume` are atomic on one server; in a cluster those of one hash slot are. */
export class RedisBuckets {
  readonly #connection: StoreConnection
  readonly #keyOf: (charge: Charge) => string

  constructor(connection: StoreConnection, prefix: string) {
    this.#connection = connection
    this.#keyOf = (charge) => bucketKey(prefix, charge)
  }

  /**
   * Over several hash slots each of them checks and charges, in parallel; when one refuses, the others are refunded. So calls are never
   * accepted above a limit. They may be refused below it: until the refund arrives, the charges of a refused call count, and what would have
   * refilled in that time is lost. When the refund fails (the connection is lost at that moment), the charge refills like any other.
   */
  async consume(charges: readonly Charge[]): Promise<ConsumeResult> {
    const groups = this.#group(charges)
    const [first] = groups
    if (groups.length === 1 && first !== undefined) return toConsumeResult(charges, [await this.#charge(first)])
    const settled = await Promise.allSettled(groups.map((group) => this.#charge(group)))
    const results = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const failure = settled.find((each) => each.status === 'rejected')
    if (failure === undefined && results.every(({ isCharged }) => isCharged)) return toConsumeResult(charges, results)
    const charged = results.filter(({ isCharged }) => isCharged)
    await Promise.all(charged.map((result) => this.#refund(result).catch(() => {})))
    if (failure !== undefined) throw failure.reason
    return toConsumeResult(charges, results.map(toUncharged))
  }

  async peek(charges: readonly Charge[]): Promise<readonly QuotaStatus[]> {
    const results = this.#group(charges).map(async (group): Promise<SlotResult> => {
      const spans = group.items.map(({ rule }) => rule.spanUs)
      const debtsUs = toNumbers(await this.#connection.run('peek', peekScript, group.keys, spans), group.items.length)
      return { ...group, isCharged: false, nowUs: 0, debtsUs }
    })
    return toConsumeResult(charges, await Promise.all(results)).statuses
  }

  async adjust(kind: 'charge' | 'refund', charges: readonly Charge[]): Promise<void> {
    const sign = kind === 'charge' ? 1 : -1
    await this.#runAll('adjust', adjustScript, charges, (charge) => [sign * costUs(charge), charge.rule.spanUs])
  }

  async reset(charges: readonly Charge[]): Promise<void> {
    await this.#runAll('reset', resetScript, charges, () => [])
  }

  #group(charges: readonly Charge[]): readonly HashSlotGroup<Charge>[] {
    return groupByHashSlot(charges, this.#keyOf, this.#connection.isCluster)
  }

  async #charge(group: HashSlotGroup<Charge>): Promise<SlotResult> {
    const args = group.items.flatMap((charge) => [costUs(charge), charge.rule.spanUs])
    const reply = await this.#connection.run('consume', chargeScript, group.keys, args)
    const [accepted = 0, nowUs = 0, ...debtsUs] = toNumbers(reply, group.items.length + 2)
    return { ...group, isCharged: accepted === 1, nowUs, debtsUs }
  }

  async #refund({ keys, items, nowUs, debtsUs }: SlotResult): Promise<void> {
    const args = items.flatMap((charge, i) => [costUs(charge), nowUs + (debtsUs[i] ?? 0), charge.rule.spanUs])
    await this.#connection.run('refund', refundScript, keys, args)
  }

  async #runAll(
    operation: Operation,
    script: RedisScript,
    charges: readonly Charge[],
    toArgs: (charge: Charge) => number[],
  ): Promise<void> {
    await Promise.all(
      this.#group(charges).map(({ keys, items }) =>
        this.#connection.run(operation, script, keys, items.flatMap(toArgs)),
      ),
    )
  }
}

const costUs = ({ cost, rule }: Charge): number => cost * rule.intervalUs

function toUncharged(result: SlotResult): SlotResult {
  if (!result.isCharged) return result
  const debtsUs = result.debtsUs.map((debt, i) => {
    const charge = result.items[i]
    return charge === undefined ? debt : debt - costUs(charge)
  })
  return { ...result, isCharged: false, debtsUs }
}

/** Statuses in the order of `charges`. */
function toConsumeResult(charges: readonly Charge[], results: readonly SlotResult[]): ConsumeResult {
  const statuses = new Map<Charge, QuotaStatus>()
  for (const { items, isCharged, debtsUs } of results) {
    for (const [i, charge] of items.entries()) {
      const debtUs = debtsUs[i] ?? 0
      const waitUs = isCharged ? 0 : toWaitUs(charge.rule, debtUs, charge.cost)
      statuses.set(charge, toQuotaStatus(charge.rule, debtUs, waitUs))
    }
  }
  return {
    allowed: results.every(({ isCharged }) => isCharged),
    statuses: charges.flatMap((charge) => statuses.get(charge) ?? []),
  }
}

/** The reply of a script. A client of the application may be configured to return numbers as strings. */
function toNumbers(reply: unknown, count: number): readonly number[] {
  const numbers = Array.isArray(reply) ? reply.map(Number) : []
  if (numbers.length === count && numbers.every(Number.isSafeInteger)) return numbers
  throw new RedisError('error', 'Redis returned an unexpected reply to a rate-limit script')
}
