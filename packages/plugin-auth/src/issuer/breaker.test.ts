import { Instruments } from '@twinwire/core/plugin'
import { createTestLogger } from '@twinwire/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { counted } from '../auth.fixtures.ts'
import { Breaker, BreakerOpenError, type BreakerOptions } from './breaker.ts'

function create(options: BreakerOptions) {
  const instruments = new Instruments()
  const breaker = new Breaker<unknown>('keycloak', options, instruments, createTestLogger())
  onTestFinished(() => breaker.close())
  const fail = () => breaker.run(() => Promise.reject(new Error('down'))).catch((error: unknown) => error)
  return { breaker, fail, app: { instruments } }
}

describe('the breaker', () => {
  it('opens after failures in a row, however far apart, and asks nothing then', async () => {
    const { breaker, fail, app } = create({ failures: 3 })
    await fail()
    await fail()
    await breaker.run(async () => 'up')
    await fail()
    await fail()
    expect(breaker.state).toBe('closed')
    expect(await fail()).toMatchObject({ message: 'down' })
    expect(breaker.state).toBe('open')
    let asked = false
    const refused = breaker.run(async () => {
      asked = true
    })
    await expect(refused).rejects.toBeInstanceOf(BreakerOpenError)
    expect([asked, counted(app, 'circuit_breaker_failures_total')[0]?.value]).toEqual([false, 5])
  })

  it('lets one request try after its time: a good one closes it, a bad one opens it again', async () => {
    const { breaker, fail, app } = create({ failures: 1, resetMs: 10 })
    const halfOpen = () =>
      new Promise<void>((resolve) => {
        breaker.onHalfOpen = resolve
      })
    let opened = halfOpen()
    await fail()
    await opened
    expect(counted(app, 'circuit_breaker_state')).toEqual([{ labels: { service: 'keycloak' }, value: 2 }])
    opened = halfOpen()
    await fail()
    expect(breaker.state).toBe('open')
    await opened
    expect(await breaker.run(async () => 'up')).toBe('up')
    expect(breaker.state).toBe('closed')
    const service = 'keycloak'
    expect(counted(app, 'circuit_breaker_state_changes_total')).toEqual([
      { labels: { service, from_state: 'closed', to_state: 'open' }, value: 1 },
      { labels: { service, from_state: 'open', to_state: 'half_open' }, value: 2 },
      { labels: { service, from_state: 'half_open', to_state: 'open' }, value: 1 },
      { labels: { service, from_state: 'half_open', to_state: 'closed' }, value: 1 },
    ])
  })

  it('that is switched off never opens', async () => {
    const { breaker, fail, app } = create({ enabled: false, failures: 1 })
    for (let i = 0; i < 10; i++) expect(await fail()).toMatchObject({ message: 'down' })
    expect(breaker.state).toBe('closed')
    expect(counted(app, 'circuit_breaker_failures_total')[0]?.value).toBe(10)
  })

  it('stays closed after one failure that was very long in coming', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { breaker } = create({ failures: 3 })
    const failing = breaker.run(() => new Promise((_, reject) => setTimeout(() => reject(new Error('slow')), 15_000)))
    const failed = expect(failing).rejects.toThrow('slow')
    await vi.advanceTimersByTimeAsync(15_000)
    await failed
    expect(breaker.state).toBe('closed')
  })
})
