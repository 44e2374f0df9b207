// A custom store, written with public exports only.
import type { Charge, ConnectionSlot, LimitStore, QuotaStatus } from '@twinwire/plugin-ratelimit'
import { storeSuite } from '@twinwire/plugin-ratelimit/testing'
import { describe, expect, it } from 'vitest'

/** Keeps its data in two maps, as a client of a database would: with a promise for every result. */
function customStore(): LimitStore {
  const tats = new Map<string, number>()
  const leases = new Map<string, Set<string>>()
  const nowUs = (): number => Date.now() * 1000
  const bucketOf = ({ rule, key }: Charge): string => JSON.stringify([rule.scope, rule.name, key])
  const debtOf = (charge: Charge, now: number): number => Math.max(0, (tats.get(bucketOf(charge)) ?? 0) - now)
  const costUs = ({ rule, cost }: Charge): number => cost * rule.intervalUs
  const statusOf = (charge: Charge, debtUs: number, waitUs: number): QuotaStatus => ({
    allowed: waitUs <= 0,
    remaining: Math.floor((charge.rule.spanUs - debtUs) / charge.rule.intervalUs),
    retryAfterMs: Math.max(0, Math.ceil(waitUs / 1000)),
    resetMs: Math.ceil(debtUs / 1000),
  })
  const check = (charge: Charge, now: number): QuotaStatus => {
    const debtUs = debtOf(charge, now)
    return statusOf(charge, debtUs, debtUs + costUs(charge) - charge.rule.spanUs)
  }
  const change = (charge: Charge, byUs: number, now: number): number => {
    const debtUs = Math.min(charge.rule.spanUs, Math.max(0, debtOf(charge, now) + byUs))
    tats.set(bucketOf(charge), now + debtUs)
    return debtUs
  }
  const holdersOf = ({ scope, key }: ConnectionSlot): Set<string> => {
    const name = JSON.stringify([scope, key])
    const holders = leases.get(name) ?? new Set()
    leases.set(name, holders)
    return holders
  }
  return {
    async consume(charges) {
      const now = nowUs()
      const statuses = charges.map((charge) => check(charge, now))
      if (statuses.some(({ allowed }) => !allowed)) return { allowed: false, statuses }
      return {
        allowed: true,
        statuses: charges.map((charge) => statusOf(charge, change(charge, costUs(charge), now), 0)),
      }
    },
    async adjust(kind, charges) {
      const now = nowUs()
      for (const charge of charges) change(charge, kind === 'charge' ? costUs(charge) : -costUs(charge), now)
    },
    async peek(charges) {
      const now = nowUs()
      return charges.map((charge) => check(charge, now))
    },
    async reset(charges) {
      for (const charge of charges) tats.delete(bucketOf(charge))
    },
    async acquire({ id, slots }) {
      const full = slots.find((slot) => !holdersOf(slot).has(id) && holdersOf(slot).size >= slot.max)
      if (full !== undefined) return full
      for (const slot of slots) holdersOf(slot).add(id)
      return null
    },
    async renew(renewed) {
      for (const { id, slots } of renewed) for (const slot of slots) holdersOf(slot).add(id)
    },
    async release({ id, slots }) {
      for (const slot of slots) holdersOf(slot).delete(id)
    },
    async close() {
      tats.clear()
      leases.clear()
    },
  }
}

describe('a custom store', () => {
  storeSuite({ it, expect }, { open: customStore })
})

/** Runs the suite and returns the names of the tests that fail. */
async function failuresOf(store: LimitStore): Promise<readonly string[]> {
  const tests: { readonly name: string; readonly test: () => unknown }[] = []
  storeSuite({ it: (name, test) => tests.push({ name, test }), expect }, { open: () => store })
  const failed: string[] = []
  for (const { name, test } of tests) {
    try {
      await test()
    } catch {
      failed.push(name)
    }
  }
  return failed
}

it('the suite fails for a store that charges some buckets when it refuses others', async () => {
  const store = customStore()
  const partial: LimitStore = {
    ...store,
    async consume(charges) {
      const results = await Promise.all(charges.map(async (charge) => store.consume([charge])))
      return {
        allowed: results.every(({ allowed }) => allowed),
        statuses: results.flatMap(({ statuses }) => statuses),
      }
    },
  }
  expect(await failuresOf(partial)).toEqual(['charges all buckets or none'])
})
