import { UnavailableError } from '@twinwire/core'
import { Instruments } from '@twinwire/core/plugin'
import { createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryStore } from '../memory/memory-store.ts'
import { aRule, limitStoreSuite } from '../store.suite.ts'
import type { Lease, LimitStore, Take } from '../store.ts'
import { GuardedStore, type OnStoreError } from './guarded-store.ts'
import type { BreakerOptions } from './store-breaker.ts'

const open: GuardedStore[] = []
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})

/** A store elsewhere: asked by promise, counted, and away when a test says so. */
function start(
  onStoreError: OnStoreError = 'local',
  breaker: BreakerOptions & { readonly failures: number } = { failures: 3, resetMs: 30_000 },
) {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const instruments = new Instruments()
  const inner = new MemoryStore(clock, 20_000)
  const remote = { store: inner, asked: [] as string[], away: false }
  const ask = <T>(name: string, answer: () => T): Promise<T> => {
    remote.asked.push(name)
    return remote.away ? Promise.reject(new Error('away')) : Promise.resolve().then(answer)
  }
  const elsewhere: LimitStore = {
    consume: (takes) => ask('consume', () => inner.consume(takes)),
    adjust: (what, takes) => ask(what, () => inner.adjust(what, takes)),
    peek: (takes) => ask('peek', () => inner.peek(takes)),
    reset: (takes) => ask('reset', () => inner.reset(takes)),
    acquire: (lease) => ask('acquire', () => inner.acquire(lease)),
    renew: (leases) => ask('renew', () => inner.renew(leases)),
    release: (lease) => ask('release', () => inner.release(lease)),
    ping: () => ask('ping', () => {}),
    close: () => inner.close(),
  }
  const services = { clock, log, instruments, environment: 'test' } as const
  const guarded = new GuardedStore(elsewhere, { name: 'The store', service: 'redis', onStoreError, breaker, services })
  open.push(guarded)
  const rule = aRule('a rule', { points: 3, periodMs: 3_600_000 })
  const take = (key = 'ann', cost = 1): Take => ({ rule, key, cost })
  const fail = async () => {
    remote.away = true
    for (let i = 0; i < breaker.failures; i++) await guarded.peek([take('nobody')]).catch(() => {})
  }
  const cells = (name: string) =>
    (instruments.families().find((family) => family.name === name)?.cells ?? []).flatMap(({ labels, cell }) =>
      'value' in cell && cell.value !== 0 ? [[labels, cell.value]] : [],
    )
  return { guarded, remote, clock, log, take, fail, cells, rule }
}

describe('a store behind its breaker', () => {
  limitStoreSuite(async () => {
    const { guarded } = start()
    // A store whose consume leaves nothing out, as long as it is not asked twice for what it has refused.
    const store = {
      ...bound(guarded),
      consume: async (takes: readonly Take[]) => whole(await guarded.consume(takes), takes),
    }
    return { store, unique: 'a test' }
  })

  it('remembers what was refused until it may pass, and costs the store nothing meanwhile', async () => {
    const { guarded, remote, clock, take } = start()
    await guarded.consume([take('ann', 3)])
    expect((await guarded.consume([take()])).allowed).toBe(false)
    remote.asked.length = 0
    for (let i = 0; i < 10_000; i++) expect(guarded.consume([take()])).toMatchObject({ allowed: false })
    expect(remote.asked).toEqual([])
    await guarded.consume([take('bob')])
    expect(remote.asked).toEqual(['consume'])
    await clock.advance(1000)
    expect(guarded.consume([take()])).toEqual({
      allowed: false,
      standings: [{ allowed: false, remaining: 0, retryAfterMs: 1_199_000, resetMs: 3_599_000 }],
    })
  })

  it('asks again after a minute, since another process may have reset the bucket', async () => {
    const { guarded, remote, clock, take } = start()
    await guarded.consume([take('ann', 3)])
    await guarded.consume([take()])
    remote.store.reset([take()])
    await clock.advance(59_999)
    expect((await guarded.consume([take()])).allowed).toBe(false)
    await clock.advance(1)
    expect((await guarded.consume([take()])).allowed).toBe(true)
  })

  it('asks again when the bucket may have come back, and lets a smaller cost be asked for before', async () => {
    const { guarded, remote, clock } = start()
    const rule = aRule('quick', { points: 10, periodMs: 1000 })
    const quick = (cost: number) => ({ rule, key: 'ann', cost })
    await guarded.consume([quick(9)])
    expect((await guarded.consume([quick(3)])).allowed).toBe(false)
    remote.asked.length = 0
    expect((await guarded.consume([quick(1)])).allowed).toBe(true)
    await clock.advance(150)
    expect((await guarded.consume([quick(3)])).allowed).toBe(false)
    await clock.advance(150)
    expect((await guarded.consume([quick(3)])).allowed).toBe(true)
  })

  it('does not know how the other buckets stand of a call that it refuses from memory', async () => {
    const { guarded, take } = start()
    const other = { rule: aRule('other'), key: 'ann', cost: 1 }
    await guarded.consume([take('ann', 3)])
    await guarded.consume([take()])
    expect(await guarded.consume([other, take()])).toEqual({
      allowed: false,
      standings: [null, { allowed: false, remaining: 0, retryAfterMs: 1_200_000, resetMs: 3_600_000 }],
    })
    expect((await guarded.peek([other]))[0]?.remaining).toBe(10)
  })

  it('forgets a refusal when the bucket is reset here', async () => {
    const { guarded, take } = start()
    await guarded.consume([take('ann', 3)])
    expect((await guarded.consume([take()])).allowed).toBe(false)
    await guarded.reset([take()])
    expect((await guarded.consume([take()])).allowed).toBe(true)
  })

  it('remembers the last 10,000 refusals of a rule', async () => {
    const { guarded, remote, take } = start()
    for (let i = 0; i <= 10_000; i++) {
      remote.store.adjust('take', [take(`${i}`, 3)])
      await guarded.consume([take(`${i}`)])
    }
    remote.asked.length = 0
    await guarded.consume([take('10000')])
    expect(remote.asked).toEqual([])
    expect((await guarded.consume([take('0')])).allowed).toBe(false)
    expect(remote.asked).toEqual(['consume'])
  })

  it.each([
    ['local', 'each process limits by itself'],
    ['allow', 'calls pass without limits'],
    ['deny', 'calls are refused'],
  ] as const)('with %s tells of each change once, however many calls there are', async (onStoreError, meanwhile) => {
    const { guarded, remote, log, fail, take, cells } = start(onStoreError, { failures: 3, resetMs: 20 })
    await fail()
    const asked = remote.asked.length
    for (let i = 0; i < 500; i++) await (async () => guarded.consume([take(`${i}`)]))().catch(() => {})
    expect(remote.asked.length).toBeLessThanOrEqual(asked + 1)
    const lines = () => log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
    expect(lines()).toEqual([`The store fails: ${meanwhile}`])
    remote.away = false
    // The breaker's own time has to pass.
    for (let i = 0; lines().length === 1; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      await (async () => guarded.consume([take(`late ${i}`)]))().catch(() => {})
    }
    expect(lines()).toEqual([`The store fails: ${meanwhile}`, 'The store answers again'])
    expect(cells('circuit_breaker_state')).toEqual([])
    const changes = cells('circuit_breaker_state_changes_total')
    expect(changes).toContainEqual([{ service: 'redis', from_state: 'closed', to_state: 'open' }, 1])
    expect(changes).toContainEqual([{ service: 'redis', from_state: 'half_open', to_state: 'closed' }, 1])
    expect(Number(cells('circuit_breaker_failures_total')[0]?.[1])).toBeGreaterThanOrEqual(3)
  })

  it('without its store lets this process limit by the same rules, at once', async () => {
    const { guarded, fail, take } = start('local')
    await fail()
    const passed = Array.from({ length: 10 }, () => guarded.consume([take()]))
    expect(
      passed.map((verdict) => (verdict instanceof Promise ? 'later' : verdict.allowed)).filter((is) => is === true),
    ).toHaveLength(3)
    expect(passed.some((verdict) => verdict instanceof Promise)).toBe(false)
  })

  it('without its store still refuses what the store has refused', async () => {
    const { guarded, fail, take } = start('local')
    await guarded.consume([take('ann', 3)])
    await guarded.consume([take()])
    await fail()
    expect(guarded.consume([take()])).toMatchObject({ allowed: false })
  })

  it('lets all pass, or none, when it is told so; a call that meets the first failures too', async () => {
    for (const onStoreError of ['allow', 'deny'] as const) {
      const { guarded, remote, take } = start(onStoreError)
      remote.away = true
      for (let i = 0; i < 6; i++) {
        const verdict = (async () => guarded.consume([take('ann', 3)]))()
        if (onStoreError === 'allow') expect(await verdict).toEqual({ allowed: true, standings: [null] })
        else await expect(verdict).rejects.toThrow(UnavailableError)
      }
    }
  })

  it('keeps the count of connections of this process right from the start', async () => {
    const { guarded, fail } = start('local')
    const lease = (id: string): Lease => ({ id, seats: [{ scope: 'identity', key: 'ann', max: 2 }] })
    expect(await guarded.acquire(lease('1'), 1000)).toBe(null)
    expect(await guarded.acquire(lease('2'), 1000)).toBe(null)
    await fail()
    expect(guarded.acquire(lease('3'), 1000)).toEqual(lease('3').seats[0])
    await guarded.release(lease('1'))
    expect(guarded.acquire(lease('3'), 1000)).toBe(null)
  })

  it('without its store lets connections in, or none, when it is told so', async () => {
    const lease: Lease = { id: '1', seats: [{ scope: 'identity', key: 'ann', max: 1 }] }
    const allowing = start('allow')
    await allowing.fail()
    expect(await allowing.guarded.acquire(lease, 1000)).toBe(null)
    expect(await allowing.guarded.acquire({ ...lease, id: '2' }, 1000)).toBe(null)
    const denying = start('deny')
    await denying.fail()
    await expect((async () => denying.guarded.acquire(lease, 1000))()).rejects.toThrow(UnavailableError)
  })

  it('never rejects where nobody waits for the answer', async () => {
    const { guarded, remote, take } = start('deny')
    const lease: Lease = { id: '1', seats: [] }
    remote.away = true
    for (let i = 0; i < 5; i++) {
      await guarded.adjust('take', [take()])
      await guarded.renew([lease], 1000)
      await guarded.release(lease)
    }
    expect(remote.asked).toHaveLength(3)
  })

  it('tells whoever asks for buckets that the store is away', async () => {
    const { guarded, fail, take } = start('local')
    await fail()
    await expect(guarded.peek([take()])).rejects.toThrow(UnavailableError)
    await expect(guarded.reset([take()])).rejects.toThrow(UnavailableError)
  })

  it('asks however often it fails when the breaker is off', async () => {
    const { guarded, remote, take } = start('local', { enabled: false, failures: 3, resetMs: 1000 })
    remote.away = true
    for (let i = 0; i < 20; i++) await guarded.consume([take(`${i}`)])
    expect(remote.asked).toHaveLength(20)
  })
})

function bound(guarded: GuardedStore): Omit<LimitStore, 'consume'> {
  return {
    adjust: (what, takes) => guarded.adjust(what, takes),
    peek: (takes) => guarded.peek(takes),
    reset: (takes) => guarded.reset(takes),
    acquire: (lease, ttlMs) => guarded.acquire(lease, ttlMs),
    renew: (leases, ttlMs) => guarded.renew(leases, ttlMs),
    release: (lease) => guarded.release(lease),
    close: () => guarded.close(),
  }
}

function whole({ allowed, standings }: Awaited<ReturnType<GuardedStore['consume']>>, takes: readonly Take[]) {
  const known = standings.filter((standing) => standing !== null)
  expect(known).toHaveLength(takes.length)
  return { allowed, standings: known }
}
