import type { MaybePromise } from '@twinwire/core'
import type { TestRunner } from '@twinwire/core/testing'
import type { Rule, RuleScope } from '../rule.ts'
import type { Charge, ConnectionSlot, Lease, LimitStore } from '../store.ts'

/** The store that `storeSuite` tests. */
export interface StoreSubject {
  /**
   * Called once per test. May return the same store again: every test uses its own names of rules, keys and leases, different from those of
   * other processes. The suite does not close it.
   */
  open(): MaybePromise<LimitStore>
}

type Figures = Partial<Pick<Rule, 'points' | 'burst' | 'periodMs' | 'scope'>>

/** A rule with its derived values. By default 10 points per day, so that its buckets do not refill during a test. */
export function createRule(
  name: string,
  { points = 10, burst = 0, periodMs = dayMs, scope = 'identity' }: Figures = {},
): Rule {
  const intervalUs = Math.floor((periodMs * 1000) / points)
  const capacity = points + burst
  return { name, scope, points, burst, periodMs, capacity, intervalUs, spanUs: capacity * intervalUs }
}

const dayMs = 86_400_000
const ttlMs = 60_000

/**
 * Tests the contract of `LimitStore`. Every store has to pass it.
 *
 * @example
 * import * as vitest from 'vitest'
 * storeSuite(vitest, { open: () => openMyStore() })
 */
export function storeSuite({ it, expect }: Pick<TestRunner, 'it' | 'expect'>, { open }: StoreSubject): void {
  const start = async (figures: Figures = {}) => {
    const store = await open()
    const suffix = `of ${globalThis.crypto.randomUUID()}`
    const rule = createRule(`rule ${suffix}`, figures)
    const charge = (key = 'ann', cost = 1, of = rule): Charge => ({ rule: of, key: `${key} ${suffix}`, cost })
    const left = async (key = 'ann', of = rule): Promise<number | undefined> =>
      (await store.peek([charge(key, 1, of)]))[0]?.remaining
    const lease = (id: string, ...slots: readonly ConnectionSlot[]): Lease => ({
      id: `${id} ${suffix}`,
      slots: slots.map((slot) => ({ ...slot, key: `${slot.key} ${suffix}` })),
    })
    return { store, rule, charge, left, lease }
  }
  const identity = (key: string, max: number): ConnectionSlot => ({ scope: 'identity', key, max })
  const address = (key: string, max: number): ConnectionSlot => ({ scope: 'address', key, max })

  it('accepts exactly the capacity, and returns what is left and when the next charge is accepted', async () => {
    const { store, charge } = await start({ points: 3, burst: 2, periodMs: 3 * 3_600_000 })
    const remaining: (number | undefined)[] = []
    for (let i = 0; i < 5; i++) {
      const { allowed, statuses } = await store.consume([charge()])
      expect([allowed, statuses.length, statuses[0]?.allowed, statuses[0]?.retryAfterMs]).toEqual([true, 1, true, 0])
      remaining.push(statuses[0]?.remaining)
    }
    expect(remaining).toEqual([4, 3, 2, 1, 0])
    const { allowed, statuses } = await store.consume([charge()])
    expect(allowed).toBe(false)
    expect(statuses[0]).toMatchObject({ allowed: false, remaining: 0 })
    const { retryAfterMs = 0, resetMs = 0 } = statuses[0] ?? {}
    // One hour and five hours, less the time of the calls above.
    expect(retryAfterMs).toBeGreaterThan(3_540_000)
    expect(retryAfterMs).toBeLessThanOrEqual(3_600_000)
    expect(resetMs).toBeGreaterThan(5 * 3_600_000 - 60_000)
    expect(resetMs).toBeLessThanOrEqual(5 * 3_600_000)
  })

  it('accepts in tryConsume what consume accepts, if it has tryConsume', async () => {
    const { store, charge, left } = await start({ points: 3, burst: 2 })
    if (store.tryConsume === undefined) return
    const accepted = [1, 3, 2, 1, 1].map((cost) => store.tryConsume?.(charge('ann', cost)))
    expect(accepted).toEqual([true, true, false, true, false])
    expect(await left()).toBe(0)
    expect((await store.consume([charge()])).allowed).toBe(false)
    expect(store.tryConsume(charge('bob'))).toBe(true)
    expect(await left('bob')).toBe(4)
  })

  it('accepts exactly the capacity of concurrent charges', async () => {
    const { store, charge } = await start()
    const results = await Promise.all(Array.from({ length: 200 }, async () => store.consume([charge()])))
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(10)
  })

  it('applies a cost completely or not at all', async () => {
    const { store, charge, left } = await start()
    expect((await store.consume([charge('ann', 7)])).allowed).toBe(true)
    expect((await store.consume([charge('ann', 4)])).allowed).toBe(false)
    expect(await left()).toBe(3)
    expect((await store.consume([charge('ann', 3)])).allowed).toBe(true)
    expect(await left()).toBe(0)
  })

  it('separates keys, rules and scopes, whatever characters they contain', async () => {
    const { store, charge, rule, left } = await start()
    const other = createRule(`${rule.name}:`)
    const scoped = createRule(rule.name, { scope: 'address' })
    await store.consume([charge('a:b', 5)])
    for (const [key, of] of [
      ['a', rule],
      ['a:b', other],
      ['a:b', scoped],
      ['a:b}', rule],
      ['{a:b', rule],
      ['ä\n\u0000', rule],
    ] as const)
      expect(await left(key, of)).toBe(10)
    expect(await left('a:b')).toBe(5)
  })

  it('charges all buckets or none', async () => {
    const { store, charge, rule, left } = await start()
    const scopes: readonly RuleScope[] = ['identity', 'address', 'route', 'custom']
    const rules = scopes.map((scope) => createRule(`${rule.name} and more`, { scope, points: 4 }))
    const charges = rules.map((of) => charge('ann', 1, of))
    const nearlyEmpty = rules[2] ?? rule
    await store.adjust('charge', [charge('ann', 3, nearlyEmpty)])
    const first = await store.consume([charge(), ...charges])
    expect([first.allowed, first.statuses.map(({ remaining }) => remaining)]).toEqual([true, [9, 3, 3, 0, 3]])
    const second = await store.consume([charge(), ...charges])
    expect([second.allowed, second.statuses.map(({ allowed }) => allowed)]).toEqual([
      false,
      [true, true, true, false, true],
    ])
    expect(second.statuses.map(({ remaining }) => remaining)).toEqual([9, 3, 3, 0, 3])
    expect(await Promise.all([left(), ...rules.map((of) => left('ann', of))])).toEqual([9, 3, 3, 0, 3])
  })

  it('adjusts: charges down to empty, refunds up to full', async () => {
    const { store, charge, left } = await start()
    await store.adjust('charge', [charge('ann', 4)])
    expect(await left()).toBe(6)
    await store.adjust('charge', [charge('ann', 9), charge('bob', 1)])
    expect([await left(), await left('bob')]).toEqual([0, 9])
    await store.adjust('refund', [charge('ann', 2), charge('bob', 3), charge('eve', 1)])
    expect([await left(), await left('bob'), await left('eve')]).toEqual([2, 10, 10])
    expect((await store.consume([charge('bob', 10)])).allowed).toBe(true)
    expect((await store.consume([charge('bob')])).allowed).toBe(false)
  })

  it('peeks without charging, and resets', async () => {
    const { store, charge, left } = await start()
    await store.consume([charge('ann', 10)])
    const [status] = await store.peek([charge('ann', 3)])
    expect(status).toMatchObject({ allowed: false, remaining: 0 })
    expect((await store.peek([charge('bob', 10), charge('ann')])).map(({ allowed }) => allowed)).toEqual([true, false])
    expect(await left('bob')).toBe(10)
    await store.reset([charge('ann'), charge('bob')])
    expect(await left()).toBe(10)
    expect((await store.consume([charge('ann', 10)])).allowed).toBe(true)
  })

  it('acquires slots up to their maximum, and again after a release', async () => {
    const { store, lease } = await start()
    const of = (id: string) => lease(id, identity('ann', 2), address('1.2.3.4', 9))
    const [first, second, third] = [of('1'), of('2'), of('3')]
    expect(await store.acquire(first, ttlMs)).toBe(null)
    expect(await store.acquire(second, ttlMs)).toBe(null)
    // Held already: renewed, not counted twice.
    expect(await store.acquire(second, ttlMs)).toBe(null)
    expect(await store.acquire(third, ttlMs)).toEqual(third.slots[0])
    expect(await store.acquire(lease('4', identity('bob', 2)), ttlMs)).toBe(null)
    await store.release(first)
    await store.release(first)
    expect(await store.acquire(third, ttlMs)).toBe(null)
    expect(await store.acquire(first, ttlMs)).toEqual(first.slots[0])
  })

  it('acquires all slots of a lease or none', async () => {
    const { store, lease } = await start()
    expect(await store.acquire(lease('1', address('1.2.3.4', 1)), ttlMs)).toBe(null)
    const both = lease('2', identity('ann', 1), address('1.2.3.4', 1))
    expect(await store.acquire(both, ttlMs)).toEqual(both.slots[1])
    expect(await store.acquire(lease('3', identity('ann', 1)), ttlMs)).toBe(null)
  })

  it('acquires exactly the maximum for concurrent leases', async () => {
    const { store, lease } = await start()
    const acquired = Array.from({ length: 40 }, async (_, i) =>
      store.acquire(lease(String(i), identity('ann', 5)), ttlMs),
    )
    expect((await Promise.all(acquired)).filter((full) => full === null)).toHaveLength(5)
  })

  it('adds unknown leases on renewal, even above the maximum', async () => {
    const { store, lease } = await start()
    const open = ['1', '2', '3'].map((id) => lease(id, identity('ann', 2)))
    await store.renew(open, ttlMs)
    const late = lease('4', identity('ann', 2))
    expect(await store.acquire(late, ttlMs)).toEqual(late.slots[0])
    for (const each of open.slice(0, 2)) await store.release(each)
    expect(await store.acquire(late, ttlMs)).toBe(null)
  })
}
