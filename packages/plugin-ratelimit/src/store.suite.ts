import { expect, it } from 'vitest'
import type { Rule, RuleScope } from './rule.ts'
import type { LimitStore, Take } from './store.ts'

/** A rule whose buckets do not change while a test runs, unless the test says so. */
export function aRule(
  name: string,
  figures: Partial<Pick<Rule, 'points' | 'burst' | 'periodMs' | 'scope'>> = {},
): Rule {
  const { points = 10, burst = 0, periodMs = 86_400_000, scope = 'identity' } = figures
  const intervalUs = Math.floor((periodMs * 1000) / points)
  const capacity = points + burst
  return { name, scope, points, burst, periodMs, capacity, intervalUs, spanUs: capacity * intervalUs }
}

const ttlMs = 60_000

/**
 * What every store does. `open` gives one that is empty, or keys that nobody has used: `unique` makes every name of a test its own.
 * Time does not have to stand still.
 */
export function limitStoreSuite(open: () => Promise<{ readonly store: LimitStore; readonly unique: string }>): void {
  const start = async (figures: Parameters<typeof aRule>[1] = {}) => {
    const { store, unique } = await open()
    const rule = aRule(`rule of ${unique}`, figures)
    const take = (key = 'ann', cost = 1, of = rule): Take => ({ rule: of, key: `${key} of ${unique}`, cost })
    const left = async (key = 'ann', of = rule): Promise<number | undefined> =>
      (await store.peek([take(key, 1, of)]))[0]?.remaining
    const lease = (
      id: string,
      ...seats: readonly (readonly [scope: 'identity' | 'address', key: string, max: number])[]
    ) => ({
      id: `${id} of ${unique}`,
      seats: seats.map(([scope, key, max]) => ({ scope, key: `${key} of ${unique}`, max })),
    })
    return { store, unique, rule, take, left, lease }
  }

  it('lets exactly the bucket pass, and says truly what is left and when it passes again', async () => {
    const { store, take } = await start({ points: 3, burst: 2, periodMs: 3 * 3_600_000 })
    const passed: (number | undefined)[] = []
    for (let i = 0; i < 5; i++) {
      const { allowed, standings } = await store.consume([take()])
      expect([allowed, standings.length, standings[0]?.allowed, standings[0]?.retryAfterMs]).toEqual([true, 1, true, 0])
      passed.push(standings[0]?.remaining)
    }
    expect(passed).toEqual([4, 3, 2, 1, 0])
    const { allowed, standings } = await store.consume([take()])
    expect(allowed).toBe(false)
    expect(standings[0]).toMatchObject({ allowed: false, remaining: 0 })
    const { retryAfterMs = 0, resetMs = 0 } = standings[0] ?? {}
    // An hour and five hours, less what the calls above took.
    expect(retryAfterMs).toBeGreaterThan(3_540_000)
    expect(retryAfterMs).toBeLessThanOrEqual(3_600_000)
    expect(resetMs).toBeGreaterThan(5 * 3_600_000 - 60_000)
    expect(resetMs).toBeLessThanOrEqual(5 * 3_600_000)
  })

  it('takes one as a consume of it does, where it can do so at once', async () => {
    const { store, take, left } = await start({ points: 3, burst: 2 })
    if (store.takeOne === undefined) return
    const passed = [1, 3, 2, 1, 1].map((cost) => store.takeOne?.(take('ann', cost)))
    expect(passed).toEqual([true, true, false, true, false])
    expect(await left()).toBe(0)
    expect((await store.consume([take()])).allowed).toBe(false)
    expect(store.takeOne(take('bob'))).toBe(true)
    expect(await left('bob')).toBe(4)
  })

  it('lets exactly the bucket pass when all ask at once', async () => {
    const { store, take } = await start()
    const verdicts = await Promise.all(Array.from({ length: 200 }, async () => store.consume([take()])))
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10)
  })

  it('takes a cost whole or not at all', async () => {
    const { store, take, left } = await start()
    expect((await store.consume([take('ann', 7)])).allowed).toBe(true)
    expect((await store.consume([take('ann', 4)])).allowed).toBe(false)
    expect(await left()).toBe(3)
    expect((await store.consume([take('ann', 3)])).allowed).toBe(true)
    expect(await left()).toBe(0)
  })

  it('keeps keys, rules and scopes apart, whatever characters they have', async () => {
    const { store, take, rule, left } = await start()
    const other = aRule(`${rule.name}:`)
    const scoped = aRule(rule.name, { scope: 'address' })
    await store.consume([take('a:b', 5)])
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

  it('takes from all buckets or from none', async () => {
    const { store, take, rule, left } = await start()
    const scopes: readonly RuleScope[] = ['identity', 'address', 'route', 'custom']
    const rules = scopes.map((scope) => aRule(`${rule.name} and more`, { scope, points: 4 }))
    const takes = rules.map((of) => take('ann', 1, of))
    const full = rules[2] ?? rule
    await store.adjust('take', [take('ann', 3, full)])
    const first = await store.consume([take(), ...takes])
    expect([first.allowed, first.standings.map(({ remaining }) => remaining)]).toEqual([true, [9, 3, 3, 0, 3]])
    const second = await store.consume([take(), ...takes])
    expect([second.allowed, second.standings.map(({ allowed }) => allowed)]).toEqual([
      false,
      [true, true, true, false, true],
    ])
    expect(second.standings.map(({ remaining }) => remaining)).toEqual([9, 3, 3, 0, 3])
    expect(await Promise.all([left(), ...rules.map((of) => left('ann', of))])).toEqual([9, 3, 3, 0, 3])
  })

  it('adjusts: takes what is there and not more, gives back what was taken and not more', async () => {
    const { store, take, left } = await start()
    await store.adjust('take', [take('ann', 4)])
    expect(await left()).toBe(6)
    await store.adjust('take', [take('ann', 9), take('bob', 1)])
    expect([await left(), await left('bob')]).toEqual([0, 9])
    await store.adjust('give back', [take('ann', 2), take('bob', 3), take('eve', 1)])
    expect([await left(), await left('bob'), await left('eve')]).toEqual([2, 10, 10])
    expect((await store.consume([take('bob', 10)])).allowed).toBe(true)
    expect((await store.consume([take('bob')])).allowed).toBe(false)
  })

  it('peeks without taking, and resets', async () => {
    const { store, take, left } = await start()
    await store.consume([take('ann', 10)])
    const [standing] = await store.peek([take('ann', 3)])
    expect(standing).toMatchObject({ allowed: false, remaining: 0 })
    expect((await store.peek([take('bob', 10), take('ann')])).map(({ allowed }) => allowed)).toEqual([true, false])
    expect(await left('bob')).toBe(10)
    await store.reset([take('ann'), take('bob')])
    expect(await left()).toBe(10)
    expect((await store.consume([take('ann', 10)])).allowed).toBe(true)
  })

  it('leases seats up to their number, and again when one was released', async () => {
    const { store, lease } = await start()
    const of = (id: string) => lease(id, ['identity', 'ann', 2], ['address', '1.2.3.4', 9])
    const [first, second, third] = [of('1'), of('2'), of('3')]
    expect(await store.acquire(first, ttlMs)).toBe(null)
    expect(await store.acquire(second, ttlMs)).toBe(null)
    // Held already: no third seat.
    expect(await store.acquire(second, ttlMs)).toBe(null)
    expect(await store.acquire(third, ttlMs)).toEqual(third.seats[0])
    expect(await store.acquire(lease('4', ['identity', 'bob', 2]), ttlMs)).toBe(null)
    await store.release(first)
    await store.release(first)
    expect(await store.acquire(third, ttlMs)).toBe(null)
    expect(await store.acquire(first, ttlMs)).toEqual(first.seats[0])
  })

  it('leases every seat or none', async () => {
    const { store, lease } = await start()
    expect(await store.acquire(lease('1', ['address', '1.2.3.4', 1]), ttlMs)).toBe(null)
    const both = lease('2', ['identity', 'ann', 1], ['address', '1.2.3.4', 1])
    expect(await store.acquire(both, ttlMs)).toEqual(both.seats[1])
    expect(await store.acquire(lease('3', ['identity', 'ann', 1]), ttlMs)).toBe(null)
  })

  it('seats exactly as many as there are when all ask at once', async () => {
    const { store, lease } = await start()
    const asked = Array.from({ length: 40 }, async (_, i) =>
      store.acquire(lease(String(i), ['identity', 'ann', 5]), ttlMs),
    )
    expect((await Promise.all(asked)).filter((refused) => refused === null)).toHaveLength(5)
  })

  it('renews leases it does not know, also over the number', async () => {
    const { store, lease } = await start()
    const open = ['1', '2', '3'].map((id) => lease(id, ['identity', 'ann', 2]))
    await store.renew(open, ttlMs)
    const late = lease('4', ['identity', 'ann', 2])
    expect(await store.acquire(late, ttlMs)).toEqual(late.seats[0])
    for (const each of open.slice(0, 2)) await store.release(each)
    expect(await store.acquire(late, ttlMs)).toBe(null)
  })
}
