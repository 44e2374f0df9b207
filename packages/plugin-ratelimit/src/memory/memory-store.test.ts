import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@twinwire/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Rule } from '../rule.ts'
import type { Charge, QuotaStatus } from '../store.ts'
import { createRule, storeSuite } from '../testing/index.ts'
import { MemoryStore, memoryStore } from './memory-store.ts'

/** A clock that the test sets. */
function aClock(): Clock & { ms: number } {
  return {
    ms: 0,
    now() {
      return this.ms
    },
    monotonic() {
      return this.ms
    },
    timer: () => ({ cancel: () => {} }),
  }
}

describe('the memory store', () => {
  storeSuite({ it, expect }, { open: () => new MemoryStore(aClock(), 1000) })

  it('never returns a promise', () => {
    const store = new MemoryStore(aClock(), 10)
    const charges = [{ rule: createRule('a'), key: 'ann', cost: 1 }]
    const lease = { id: '1', slots: [{ scope: 'identity', key: 'ann', max: 1 }] } as const
    const results: unknown[] = [
      store.consume(charges),
      store.adjust('charge', charges),
      store.peek(charges),
      store.reset(charges),
      store.acquire(lease),
      store.renew([lease]),
      store.release(lease),
      store.close(),
    ]
    for (const result of results) expect(result).not.toBeInstanceOf(Promise)
  })

  it('refills evenly, one point at a time', () => {
    const clock = aClock()
    const store = new MemoryStore(clock, 10)
    const charge = { rule: createRule('a', { points: 10, periodMs: 1000 }), key: 'ann', cost: 1 }
    store.consume([{ ...charge, cost: 10 }])
    expect(store.consume([charge]).statuses[0]).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 100,
      resetMs: 1000,
    })
    clock.ms = 99.999
    expect(store.consume([charge]).statuses[0]).toEqual({ allowed: false, remaining: 0, retryAfterMs: 1, resetMs: 901 })
    clock.ms = 100
    expect(store.consume([charge]).statuses[0]).toEqual({ allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 1000 })
    clock.ms = 1100
    expect(store.peek([charge])[0]).toEqual({ allowed: true, remaining: 10, retryAfterMs: 0, resetMs: 0 })
  })

  it.each([1, 3, 6, 7, 9, 11, 999])(
    'accepts all of %i points at once, whether or not the period is divisible',
    (points) => {
      const store = new MemoryStore(aClock(), 10)
      const charge = { rule: createRule('a', { points, periodMs: 1000 }), key: 'ann', cost: 1 }
      let accepted = 0
      while (store.consume([charge]).allowed) accepted++
      expect(accepted).toBe(points)
    },
  )

  it('equals a token bucket, in every history of several rules and keys', () => {
    fc.assert(
      fc.property(
        fc.array(ruleArbitrary, { minLength: 1, maxLength: 3 }),
        fc.array(actionArbitrary, { maxLength: 60 }),
        (rules, actions) => {
          const clock = aClock()
          const store = new MemoryStore(clock, 1000)
          const model = new Model()
          for (const action of actions) {
            if (action.kind === 'wait') {
              // Half a microsecond after an integer, so that float rounding cannot change the integer part.
              clock.ms = (Math.floor(clock.ms * 1000) + Math.round(action.ms * 1000) + 0.5) / 1000
              model.wait(Math.round(action.ms * 1000))
              continue
            }
            const charges = toCharges(rules, action.charges)
            if (action.kind === 'consume') expectEqual(store.consume(charges), model.consume(charges))
            else if (action.kind === 'reset') {
              store.reset(charges)
              model.reset(charges)
            } else {
              store.adjust(action.kind, charges)
              model.adjust(action.kind, charges)
            }
            expectEqual(
              store.peek(charges),
              charges.map((charge) => model.statusOf(charge)),
            )
          }
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('never accepts more in any period than the capacity and what refills in it', () => {
    fc.assert(
      fc.property(ruleArbitrary, fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 120 }), (rule, waits) => {
        const clock = aClock()
        const store = new MemoryStore(clock, 10)
        const acceptedAt: number[] = []
        for (const wait of waits) {
          clock.ms += wait / 8
          if (store.consume([{ rule, key: 'ann', cost: 1 }]).allowed) acceptedAt.push(clock.ms * 1000)
        }
        for (const [i, from] of acceptedAt.entries())
          for (const [j, to] of acceptedAt.entries())
            if (j >= i && j - i + 1 > rule.capacity + Math.floor((to - from + 1) / rule.intervalUs))
              expect.fail(`${j - i + 1} accepted from ${from} to ${to}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps at most maxKeys buckets per rule: 1,000,000 distinct keys', () => {
    const clock = aClock()
    const store = new MemoryStore(clock, 1000)
    const rules = [createRule('a'), createRule('b', { periodMs: 60_000 })]
    let max = 0
    for (let i = 0; i < 500_000; i++) {
      clock.ms += 0.5
      store.consume(rules.map((rule) => ({ rule, key: `${i}`, cost: 1 })))
      max = Math.max(max, store.size)
    }
    expect(max).toBe(2000)
  })

  it('deletes full buckets when others are inserted, without a timer', () => {
    const clock = aClock()
    const store = new MemoryStore(clock, 100_000)
    const rule = createRule('a', { points: 10, periodMs: 1000 })
    for (let i = 0; i < 10_000; i++) store.consume([{ rule, key: `first ${i}`, cost: 1 }])
    clock.ms = 5000
    for (let i = 0; i < 10_000; i++) store.consume([{ rule, key: `second ${i}`, cost: 1 }])
    expect(store.size).toBe(10_000)
  })

  it('does not evict a bucket with a larger debt than others: a flood of keys resets no caller', () => {
    let evicted = 0
    const store = new MemoryStore(aClock(), 1000, () => evicted++)
    const rule = createRule('login', { points: 5 })
    for (let i = 0; i < 5; i++) store.consume([{ rule, key: 'ann', cost: 1 }])
    for (let i = 0; i < 100_000; i++) store.consume([{ rule, key: `made up ${i}`, cost: 1 }])
    expect(store.consume([{ rule, key: 'ann', cost: 1 }]).allowed).toBe(false)
    expect(evicted).toBe(99_001)
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses maxKeys %s', (maxKeys) => {
    expect(() => memoryStore({ maxKeys })).toThrow('memoryStore(): maxKeys must be an integer of at least 1')
  })
})

const ruleArbitrary: fc.Arbitrary<Rule> = fc
  .record({
    points: fc.integer({ min: 1, max: 20 }),
    burst: fc.nat({ max: 10 }),
    periodMs: fc.integer({ min: 1, max: 5000 }),
  })
  .map((figures) => createRule('a rule', figures))

const chargesArbitrary = fc.array(
  fc.record({ rule: fc.nat({ max: 2 }), key: fc.constantFrom('ann', 'bob'), cost: fc.integer({ min: 1, max: 4 }) }),
  { minLength: 1, maxLength: 3 },
)
const actionArbitrary = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('consume' as const), charges: chargesArbitrary }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 4_000_000 }).map((us) => us / 1000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('charge' as const, 'refund' as const), charges: chargesArbitrary }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), charges: chargesArbitrary }) },
)

/** No bucket twice and no cost above the capacity, as the plugin guarantees. */
function toCharges(
  rules: readonly Rule[],
  raw: readonly { rule: number; key: string; cost: number }[],
): readonly Charge[] {
  const charges = new Map<string, Charge>()
  for (const { rule: index, key, cost } of raw) {
    const rule = rules[index % rules.length]
    if (rule === undefined) continue
    charges.set(`${rules.indexOf(rule)} ${key}`, { rule, key, cost: Math.min(cost, rule.capacity) })
  }
  return [...charges.values()]
}

/** A token bucket in exact integers: a token is worth `intervalUs`, and one unit of worth refills per microsecond. */
class Model {
  readonly #worth = new Map<Rule, Map<string, bigint>>()

  wait(us: number): void {
    for (const [rule, byKey] of this.#worth)
      for (const [key, worth] of byKey) {
        const more = worth + BigInt(us)
        byKey.set(key, more < BigInt(rule.spanUs) ? more : BigInt(rule.spanUs))
      }
  }

  statusOf({ rule, key, cost }: Charge): QuotaStatus {
    const worth = this.#of(rule, key)
    const price = BigInt(cost * rule.intervalUs)
    return {
      allowed: worth >= price,
      remaining: Number(worth / BigInt(rule.intervalUs)),
      retryAfterMs: worth >= price ? 0 : toCeilMs(price - worth),
      resetMs: toCeilMs(BigInt(rule.spanUs) - worth),
    }
  }

  consume(charges: readonly Charge[]) {
    const before = charges.map((charge) => this.statusOf(charge))
    if (before.some(({ allowed }) => !allowed)) return { allowed: false, statuses: before }
    for (const { rule, key, cost } of charges)
      this.#set(rule, key, this.#of(rule, key) - BigInt(cost * rule.intervalUs))
    return {
      allowed: true,
      statuses: charges.map((charge) => ({ ...this.statusOf(charge), allowed: true, retryAfterMs: 0 })),
    }
  }

  adjust(kind: 'charge' | 'refund', charges: readonly Charge[]): void {
    for (const { rule, key, cost } of charges) {
      const change = BigInt(cost * rule.intervalUs) * (kind === 'charge' ? -1n : 1n)
      const worth = this.#of(rule, key) + change
      this.#set(rule, key, worth < 0n ? 0n : worth > BigInt(rule.spanUs) ? BigInt(rule.spanUs) : worth)
    }
  }

  reset(charges: readonly Charge[]): void {
    for (const { rule, key } of charges) this.#set(rule, key, BigInt(rule.spanUs))
  }

  #of(rule: Rule, key: string): bigint {
    return this.#worth.get(rule)?.get(key) ?? BigInt(rule.spanUs)
  }

  #set(rule: Rule, key: string, worth: bigint): void {
    const byKey = this.#worth.get(rule) ?? new Map<string, bigint>()
    byKey.set(key, worth)
    this.#worth.set(rule, byKey)
  }
}

/** `toEqual`, but fast when the values are equal. */
function expectEqual(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}

const toCeilMs = (us: bigint): number => Number((us + 999n) / 1000n)
