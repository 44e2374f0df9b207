import { UnavailableError } from '@twinwire/core'
import { Instruments } from '@twinwire/core/plugin'
import { createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryStore } from '../memory/memory-store.ts'
import type { Charge, Lease, LimitStore } from '../store.ts'
import { createRule, storeSuite } from '../testing/index.ts'
import { GuardedStore, type OnStoreError, type ResolvedBreakerOptions } from './guarded-store.ts'

const open: GuardedStore[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

/** A remote store that records its calls, and fails when a test sets `unreachable`. */
function start(
  onStoreError: OnStoreError = 'local',
  breaker: ResolvedBreakerOptions = { enabled: true, failures: 3, resetMs: 30_000 },
) {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const instruments = new Instruments()
  const inner = new MemoryStore(clock, 20_000)
  const remote = { store: inner, calls: [] as string[], unreachable: false }
  const call = <T>(name: string, run: () => T): Promise<T> => {
    remote.calls.push(name)
    return remote.unreachable ? Promise.reject(new Error('unreachable')) : Promise.resolve().then(run)
  }
  const recorded: LimitStore = {
    consume: (charges) => call('consume', () => inner.consume(charges)),
    adjust: (kind, charges) => call(kind, () => inner.adjust(kind, charges)),
    peek: (charges) => call('peek', () => inner.peek(charges)),
    reset: (charges) => call('reset', () => inner.reset(charges)),
    acquire: (lease) => call('acquire', () => inner.acquire(lease)),
    renew: (leases) => call('renew', () => inner.renew(leases)),
    release: (lease) => call('release', () => inner.release(lease)),
    ping: () => call('ping', () => {}),
    close: () => inner.close(),
  }
  const services = { clock, log, instruments, environment: 'test' } as const
  const guarded = new GuardedStore(recorded, { name: 'The store', service: 'redis', onStoreError, breaker, services })
  open.push(guarded)
  const rule = createRule('a rule', { points: 3, periodMs: 3_600_000 })
  const charge = (key = 'ann', cost = 1): Charge => ({ rule, key, cost })
  const fail = async () => {
    remote.unreachable = true
    for (let i = 0; i < breaker.failures; i++) await guarded.peek([charge('someone')]).catch(() => {})
  }
  const cells = (name: string) =>
    (instruments.families().find((family) => family.name === name)?.cells ?? []).flatMap(({ labels, cell }) =>
      'value' in cell && cell.value !== 0 ? [[labels, cell.value]] : [],
    )
  return { guarded, remote, clock, log, charge, fail, cells, rule }
}

describe('a store behind its circuit breaker', () => {
  storeSuite(
    { it, expect },
    {
      open: () => {
        const { guarded } = start()
        return {
          ...bound(guarded),
          // Completes the statuses: they are null only after a cached denial.
          consume: async (charges) => complete(await guarded.consume(charges), charges),
        }
      },
    },
  )

  it('caches a denial until the charge can be accepted, and does not call the store meanwhile', async () => {
    const { guarded, remote, clock, charge } = start()
    await guarded.consume([charge('ann', 3)])
    expect((await guarded.consume([charge()])).allowed).toBe(false)
    remote.calls.length = 0
    for (let i = 0; i < 10_000; i++) expect(guarded.consume([charge()])).toMatchObject({ allowed: false })
    expect(remote.calls).toEqual([])
    await guarded.consume([charge('bob')])
    expect(remote.calls).toEqual(['consume'])
    await clock.advance(1000)
    expect(guarded.consume([charge()])).toEqual({
      allowed: false,
      statuses: [{ allowed: false, remaining: 0, retryAfterMs: 1_199_000, resetMs: 3_599_000 }],
    })
  })

  it('calls the store again after a minute, since another process may have reset the bucket', async () => {
    const { guarded, remote, clock, charge } = start()
    await guarded.consume([charge('ann', 3)])
    await guarded.consume([charge()])
    remote.store.reset([charge()])
    await clock.advance(59_999)
    expect((await guarded.consume([charge()])).allowed).toBe(false)
    await clock.advance(1)
    expect((await guarded.consume([charge()])).allowed).toBe(true)
  })

  it('calls the store again when the bucket may have refilled, and before that for a smaller cost', async () => {
    const { guarded, remote, clock } = start()
    const rule = createRule('quick', { points: 10, periodMs: 1000 })
    const quick = (cost: number) => ({ rule, key: 'ann', cost })
    await guarded.consume([quick(9)])
    expect((await guarded.consume([quick(3)])).allowed).toBe(false)
    remote.calls.length = 0
    expect((await guarded.consume([quick(1)])).allowed).toBe(true)
    await clock.advance(150)
    expect((await guarded.consume([quick(3)])).allowed).toBe(false)
    await clock.advance(150)
    expect((await guarded.consume([quick(3)])).allowed).toBe(true)
  })

  it('has no status for the other buckets of a call that is refused from the cache', async () => {
    const { guarded, charge } = start()
    const other = { rule: createRule('other'), key: 'ann', cost: 1 }
    await guarded.consume([charge('ann', 3)])
    await guarded.consume([charge()])
    expect(await guarded.consume([other, charge()])).toEqual({
      allowed: false,
      statuses: [null, { allowed: false, remaining: 0, retryAfterMs: 1_200_000, resetMs: 3_600_000 }],
    })
    expect((await guarded.peek([other]))[0]?.remaining).toBe(10)
  })

  it('deletes a cached denial when the bucket is reset in this process', async () => {
    const { guarded, charge } = start()
    await guarded.consume([charge('ann', 3)])
    expect((await guarded.consume([charge()])).allowed).toBe(false)
    await guarded.reset([charge()])
    expect((await guarded.consume([charge()])).allowed).toBe(true)
  })

  it('caches the last 10,000 denials of a rule', async () => {
    const { guarded, remote, charge } = start()
    for (let i = 0; i <= 10_000; i++) {
      remote.store.adjust('charge', [charge(`${i}`, 3)])
      await guarded.consume([charge(`${i}`)])
    }
    remote.calls.length = 0
    await guarded.consume([charge('10000')])
    expect(remote.calls).toEqual([])
    expect((await guarded.consume([charge('0')])).allowed).toBe(false)
    expect(remote.calls).toEqual(['consume'])
  })

  it.each([
    ['local', 'each process applies its limits on its own'],
    ['allow', 'calls are accepted without limits'],
    ['deny', 'calls are refused'],
  ] as const)('with %s logs each change once, however many calls there are', async (onStoreError, fallback) => {
    const { guarded, remote, clock, log, fail, charge, cells } = start(onStoreError)
    await fail()
    const before = remote.calls.length
    for (let i = 0; i < 500; i++) await (async () => guarded.consume([charge(`${i}`)]))().catch(() => {})
    expect(remote.calls.length).toBeLessThanOrEqual(before + 1)
    const lines = () => log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(lines()).toEqual([`The store is failing: ${fallback}`])
    remote.unreachable = false
    await clock.advance(30_000)
    await (async () => guarded.consume([charge('late')]))()
    expect(lines()).toEqual([`The store is failing: ${fallback}`, 'The store is available again'])
    expect(cells('circuit_breaker_state')).toEqual([])
    const changes = cells('circuit_breaker_state_changes_total')
    expect(changes).toContainEqual([{ service: 'redis', from_state: 'closed', to_state: 'open' }, 1])
    expect(changes).toContainEqual([{ service: 'redis', from_state: 'half_open', to_state: 'closed' }, 1])
    expect(Number(cells('circuit_breaker_failures_total')[0]?.[1])).toBeGreaterThanOrEqual(3)
  })

  it('without the store applies the same limits in this process, synchronously', async () => {
    const { guarded, fail, charge } = start('local')
    await fail()
    const results = Array.from({ length: 10 }, () => guarded.consume([charge()]))
    expect(
      results.map((result) => (result instanceof Promise ? 'later' : result.allowed)).filter((is) => is === true),
    ).toHaveLength(3)
    expect(results.some((result) => result instanceof Promise)).toBe(false)
  })

  it('without the store still applies cached denials', async () => {
    const { guarded, fail, charge } = start('local')
    await guarded.consume([charge('ann', 3)])
    await guarded.consume([charge()])
    await fail()
    expect(guarded.consume([charge()])).toMatchObject({ allowed: false })
  })

  it('accepts every call or none, as configured, including those that meet the first failures [defect 18]', async () => {
    for (const onStoreError of ['allow', 'deny'] as const) {
      const { guarded, remote, charge } = start(onStoreError)
      remote.unreachable = true
      for (let i = 0; i < 6; i++) {
        const result = (async () => guarded.consume([charge('ann', 3)]))()
        if (onStoreError === 'allow') expect(await result).toEqual({ allowed: true, statuses: [null] })
        else await expect(result).rejects.toThrow(UnavailableError)
      }
    }
  })

  it('knows the connections of this process when the store fails', async () => {
    const { guarded, fail } = start('local')
    const lease = (id: string): Lease => ({ id, slots: [{ scope: 'identity', key: 'ann', max: 2 }] })
    expect(await guarded.acquire(lease('1'), 1000)).toBe(null)
    expect(await guarded.acquire(lease('2'), 1000)).toBe(null)
    await fail()
    expect(guarded.acquire(lease('3'), 1000)).toEqual(lease('3').slots[0])
    await guarded.release(lease('1'))
    expect(guarded.acquire(lease('3'), 1000)).toBe(null)
  })

  it('without the store admits every connection or none, as configured [defect 19]', async () => {
    const lease: Lease = { id: '1', slots: [{ scope: 'identity', key: 'ann', max: 1 }] }
    const allowing = start('allow')
    await allowing.fail()
    expect(await allowing.guarded.acquire(lease, 1000)).toBe(null)
    expect(await allowing.guarded.acquire({ ...lease, id: '2' }, 1000)).toBe(null)
    const denying = start('deny')
    await denying.fail()
    await expect((async () => denying.guarded.acquire(lease, 1000))()).rejects.toThrow(UnavailableError)
  })

  it('never rejects where the result is not used', async () => {
    const { guarded, remote, charge } = start('deny')
    const lease: Lease = { id: '1', slots: [] }
    remote.unreachable = true
    for (let i = 0; i < 5; i++) {
      await guarded.adjust('charge', [charge()])
      await guarded.renew([lease], 1000)
      await guarded.release(lease)
    }
    expect(remote.calls).toHaveLength(3)
  })

  it('rejects peek and reset when the store is unreachable', async () => {
    const { guarded, fail, charge } = start('local')
    await fail()
    await expect(guarded.peek([charge()])).rejects.toThrow(UnavailableError)
    await expect(guarded.reset([charge()])).rejects.toThrow(UnavailableError)
  })

  it('always calls the store when the breaker is disabled', async () => {
    const { guarded, remote, charge } = start('local', { enabled: false, failures: 3, resetMs: 1000 })
    remote.unreachable = true
    for (let i = 0; i < 20; i++) await guarded.consume([charge(`${i}`)])
    expect(remote.calls).toHaveLength(20)
  })
})

function bound(guarded: GuardedStore): Omit<LimitStore, 'consume'> {
  return {
    adjust: (kind, charges) => guarded.adjust(kind, charges),
    peek: (charges) => guarded.peek(charges),
    reset: (charges) => guarded.reset(charges),
    acquire: (lease, ttlMs) => guarded.acquire(lease, ttlMs),
    renew: (leases, ttlMs) => guarded.renew(leases, ttlMs),
    release: (lease) => guarded.release(lease),
    close: () => guarded.close(),
  }
}

function complete({ allowed, statuses }: Awaited<ReturnType<GuardedStore['consume']>>, charges: readonly Charge[]) {
  const known = statuses.filter((status) => status !== null)
  expect(known).toHaveLength(charges.length)
  return { allowed, statuses: known }
}
