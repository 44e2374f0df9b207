import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '@twinwire/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Rule } from '../rule.ts'
import { aRule, limitStoreSuite } from '../store.suite.ts'
import type { Standing, Take } from '../store.ts'
import { MemoryStore, memoryStore } from './memory-store.ts'

/** A clock that a test sets. */
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
  limitStoreSuite(async () => ({ store: new MemoryStore(aClock(), 1000), unique: 'a test' }))

  it('never makes a promise', () => {
    const store = new MemoryStore(aClock(), 10)
    const takes = [{ rule: aRule('a'), key: 'ann', cost: 1 }]
    const lease = { id: '1', seats: [{ scope: 'identity', key: 'ann', max: 1 }] } as const
    const answers: unknown[] = [
      store.consume(takes),
      store.adjust('take', takes),
      store.peek(takes),
      store.reset(takes),
      store.acquire(lease),
      store.renew([lease]),
      store.release(lease),
      store.close(),
    ]
    for (const answer of answers) expect(answer).not.toBeInstanceOf(Promise)
  })

  it('refills evenly, a point at a time', () => {
    const clock = aClock()
    const store = new MemoryStore(clock, 10)
    const take = { rule: aRule('a', { points: 10, periodMs: 1000 }), key: 'ann', cost: 1 }
    store.consume([{ ...take, cost: 10 }])
    expect(store.consume([take]).standings[0]).toEqual({
      allowed: false,
      remaining: 0,
      retryAfterMs: 100,
      resetMs: 1000,
    })
    clock.ms = 99.999
    expect(store.consume([take]).standings[0]).toEqual({ allowed: false, remaining: 0, retryAfterMs: 1, resetMs: 901 })
    clock.ms = 100
    expect(store.consume([take]).standings[0]).toEqual({ allowed: true, remaining: 0, retryAfterMs: 0, resetMs: 1000 })
    clock.ms = 1100
    expect(store.peek([take])[0]).toEqual({ allowed: true, remaining: 10, retryAfterMs: 0, resetMs: 0 })
  })

  it.each([1, 3, 6, 7, 9, 11, 999])('lets all of %i points pass at once, however the period divides', (points) => {
    const store = new MemoryStore(aClock(), 10)
    const take = { rule: aRule('a', { points, periodMs: 1000 }), key: 'ann', cost: 1 }
    let passed = 0
    while (store.consume([take]).allowed) passed++
    expect(passed).toBe(points)
  })

  it('is the bucket that GCRA stands for: in every history, of several rules and keys', () => {
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
              // Half a microsecond past a whole one, which the fraction of a float cannot round away.
              clock.ms = (Math.floor(clock.ms * 1000) + Math.round(action.ms * 1000) + 0.5) / 1000
              model.wait(Math.round(action.ms * 1000))
              continue
            }
            const takes = toTakes(rules, action.takes)
            if (action.kind === 'consume') agree(store.consume(takes), model.consume(takes))
            else if (action.kind === 'reset') {
              store.reset(takes)
              model.reset(takes)
            } else {
              store.adjust(action.kind, takes)
              model.adjust(action.kind, takes)
            }
            agree(
              store.peek(takes),
              takes.map((take) => model.look(take)),
            )
          }
        },
      ),
      { numRuns: 1500 },
    )
  })

  it('never lets more pass in any stretch of time than the bucket and what comes back in it', () => {
    fc.assert(
      fc.property(ruleArbitrary, fc.array(fc.nat({ max: 3000 }), { minLength: 1, maxLength: 120 }), (rule, waits) => {
        const clock = aClock()
        const store = new MemoryStore(clock, 10)
        const passedAt: number[] = []
        for (const wait of waits) {
          clock.ms += wait / 8
          if (store.consume([{ rule, key: 'ann', cost: 1 }]).allowed) passedAt.push(clock.ms * 1000)
        }
        for (const [i, from] of passedAt.entries())
          for (const [j, to] of passedAt.entries())
            if (j >= i && j - i + 1 > rule.capacity + Math.floor((to - from + 1) / rule.intervalUs))
              expect.fail(`${j - i + 1} passed from ${from} to ${to}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps at most maxKeys buckets of a rule, whoever asks: 1,000,000 distinct keys', () => {
    const clock = aClock()
    const store = new MemoryStore(clock, 1000)
    const rules = [aRule('a'), aRule('b', { periodMs: 60_000 })]
    let most = 0
    for (let i = 0; i < 500_000; i++) {
      clock.ms += 0.5
      store.consume(rules.map((rule) => ({ rule, key: `${i}`, cost: 1 })))
      most = Math.max(most, store.size)
    }
    expect(most).toBe(2000)
  })

  it('lets go of buckets that are full again as new ones come, without a timer', () => {
    const clock = aClock()
    const store = new MemoryStore(clock, 100_000)
    const rule = aRule('a', { points: 10, periodMs: 1000 })
    for (let i = 0; i < 10_000; i++) store.consume([{ rule, key: `first ${i}`, cost: 1 }])
    clock.ms = 5000
    for (let i = 0; i < 10_000; i++) store.consume([{ rule, key: `second ${i}`, cost: 1 }])
    expect(store.size).toBe(10_000)
  })

  it('forgets no bucket that owes more than others do: a flood of keys resets nobody', () => {
    let evicted = 0
    const store = new MemoryStore(aClock(), 1000, { onEvict: () => evicted++ })
    const rule = aRule('login', { points: 5 })
    for (let i = 0; i < 5; i++) store.consume([{ rule, key: 'ann', cost: 1 }])
    for (let i = 0; i < 100_000; i++) store.consume([{ rule, key: `made up ${i}`, cost: 1 }])
    expect(store.consume([{ rule, key: 'ann', cost: 1 }]).allowed).toBe(false)
    expect(evicted).toBe(99_001)
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('does not start with maxKeys %s', (maxKeys) => {
    expect(() => memoryStore({ maxKeys })).toThrow('maxKeys of memoryStore() must be a whole number from 1')
  })
})

const ruleArbitrary: fc.Arbitrary<Rule> = fc
  .record({
    points: fc.integer({ min: 1, max: 20 }),
    burst: fc.nat({ max: 10 }),
    periodMs: fc.integer({ min: 1, max: 5000 }),
  })
  .map((figures) => aRule('a rule', figures))

const takesArbitrary = fc.array(
  fc.record({ rule: fc.nat({ max: 2 }), key: fc.constantFrom('ann', 'bob'), cost: fc.integer({ min: 1, max: 4 }) }),
  { minLength: 1, maxLength: 3 },
)
const actionArbitrary = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('consume' as const), takes: takesArbitrary }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 4_000_000 }).map((us) => us / 1000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('take' as const, 'give back' as const), takes: takesArbitrary }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const), takes: takesArbitrary }) },
)

/** No bucket twice, and no cost over the capacity: what the plugin sees to. */
function toTakes(rules: readonly Rule[], raw: readonly { rule: number; key: string; cost: number }[]): readonly Take[] {
  const takes = new Map<string, Take>()
  for (const { rule: index, key, cost } of raw) {
    const rule = rules[index % rules.length]
    if (rule === undefined) continue
    takes.set(`${rules.indexOf(rule)} ${key}`, { rule, key, cost: Math.min(cost, rule.capacity) })
  }
  return [...takes.values()]
}

/** Tokens that come back, in exact whole numbers: a token is worth `intervalUs`, and so many come in each microsecond. */
class Model {
  readonly #worth = new Map<Rule, Map<string, bigint>>()

  wait(us: number): void {
    for (const [rule, byKey] of this.#worth)
      for (const [key, worth] of byKey) {
        const more = worth + BigInt(us)
        byKey.set(key, more < BigInt(rule.spanUs) ? more : BigInt(rule.spanUs))
      }
  }

  look({ rule, key, cost }: Take): Standing {
    const worth = this.#of(rule, key)
    const price = BigInt(cost * rule.intervalUs)
    return {
      allowed: worth >= price,
      remaining: Number(worth / BigInt(rule.intervalUs)),
      retryAfterMs: worth >= price ? 0 : up(price - worth),
      resetMs: up(BigInt(rule.spanUs) - worth),
    }
  }

  consume(takes: readonly Take[]) {
    const before = takes.map((take) => this.look(take))
    if (before.some(({ allowed }) => !allowed)) return { allowed: false, standings: before }
    for (const { rule, key, cost } of takes) this.#set(rule, key, this.#of(rule, key) - BigInt(cost * rule.intervalUs))
    return { allowed: true, standings: takes.map((take) => ({ ...this.look(take), allowed: true, retryAfterMs: 0 })) }
  }

  adjust(what: 'take' | 'give back', takes: readonly Take[]): void {
    for (const { rule, key, cost } of takes) {
      const change = BigInt(cost * rule.intervalUs) * (what === 'take' ? -1n : 1n)
      const worth = this.#of(rule, key) + change
      this.#set(rule, key, worth < 0n ? 0n : worth > BigInt(rule.spanUs) ? BigInt(rule.spanUs) : worth)
    }
  }

  reset(takes: readonly Take[]): void {
    for (const { rule, key } of takes) this.#set(rule, key, BigInt(rule.spanUs))
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

/** What `toEqual` says, at a fraction of its cost. */
function agree(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}

const up = (us: bigint): number => Number((us + 999n) / 1000n)
