import { describe, expect, it } from 'vitest'
import { checkListenOptions, defaultSocketLimits, pingAfterSeconds } from './socket-limits.ts'
import type { SocketLimits } from './transport.ts'

const check = (limits: Partial<SocketLimits>) => () =>
  checkListenOptions({ host: '::1', port: 0, websocketPath: '/ws', limits: { ...defaultSocketLimits, ...limits } })

describe('socket limits', () => {
  it('takes the defaults', () => {
    expect(check({})).not.toThrow()
  })

  it.each([0, 8, 960])('takes an idle timeout of %d', (idleTimeoutSeconds) => {
    expect(check({ idleTimeoutSeconds })).not.toThrow()
  })

  it.each([-1, 1, 7, 961, 8.5, Number.NaN])('refuses an idle timeout of %d, which would end the process', (value) => {
    expect(check({ idleTimeoutSeconds: value })).toThrow(
      `createApp(): websocket.idleTimeoutSeconds must be 0 or an integer from 8 to 960, received ${value}`,
    )
  })

  it.each([0, 1, 239])('takes a lifetime of %d', (maxLifetimeMinutes) => {
    expect(check({ maxLifetimeMinutes })).not.toThrow()
  })

  it.each([-1, 240, 1.5])('refuses a lifetime of %d, which would end the process', (value) => {
    expect(check({ maxLifetimeMinutes: value })).toThrow(
      'websocket.maxLifetimeMinutes must be an integer from 0 to 239',
    )
  })

  it.each([2 ** 31, 2 ** 32 + 1024, -1, Infinity])('refuses %d bytes, which would be cast to int32', (value) => {
    expect(check({ maxPayloadBytes: value })).toThrow('websocket.maxPayloadBytes')
    expect(check({ maxBackpressureBytes: value })).toThrow('websocket.maxBackpressureBytes')
  })

  it('refuses a back pressure limit of 0, which would be none', () => {
    expect(check({ maxBackpressureBytes: 0 })).toThrow('websocket.maxBackpressureBytes must be an integer from 1024')
  })

  it('fails with a code', () => {
    expect(check({ idleTimeoutSeconds: 1 })).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})

describe('the first ping of a silent client', () => {
  // As measured with uWebSockets.js 20.57, to the second above.
  it.each([
    [8, 4],
    [9, 8],
    [12, 8],
    [16, 8],
    [20, 12],
    [23, 16],
    [28, 20],
    [32, 16],
    [45, 32],
    [56, 40],
    [60, 44],
    [64, 48],
    [100, 84],
    [120, 104],
  ])('with an idle timeout of %d s comes after %d s by itself', (idleTimeoutSeconds, seconds) => {
    const limits = { ...defaultSocketLimits, idleTimeoutSeconds, pingIntervalSeconds: 960 }
    expect(pingAfterSeconds(limits)).toEqual({ seconds, isNative: true })
  })

  it('comes before a balancer cuts, by default and with any idle timeout', () => {
    for (const idleTimeoutSeconds of [0, 8, 60, 120, 960]) {
      const first = pingAfterSeconds({ ...defaultSocketLimits, idleTimeoutSeconds })?.seconds ?? Number.NaN
      expect(first).toBeLessThanOrEqual(44)
    }
    expect(pingAfterSeconds(defaultSocketLimits)).toEqual({ seconds: 44, isNative: true })
    expect(pingAfterSeconds({ ...defaultSocketLimits, idleTimeoutSeconds: 0 })).toEqual({
      seconds: 44,
      isNative: false,
    })
  })

  it('never comes without pings', () => {
    expect(pingAfterSeconds({ ...defaultSocketLimits, sendPings: false })).toBeNull()
  })
})
