import { describe, expect, it } from 'vitest'
import { redisBroker } from './redis-broker.ts'

describe('redisBroker()', () => {
  it('refuses wrong options before a connection is opened', () => {
    expect(() => redisBroker({})).toThrow('redisBroker(): url, sentinels, cluster or client is required')
    expect(() => redisBroker('localhost')).toThrow('redisBroker(): url must be redis://')
    expect(() => redisBroker({ url: 'redis://localhost', history: { size: 0, ttlMs: 1 } })).toThrow(
      'redisBroker(): history.size must be an integer from 1 to 100000',
    )
    expect(() => redisBroker({ url: 'redis://localhost', maxPublicationBytes: 0 })).toThrow('maxPublicationBytes')
  })

  it('cannot publish before the app has started', async () => {
    const broker = redisBroker('redis://localhost')
    await expect(
      broker.publish({ audience: { kind: 'all' }, pkgId: 1, data: null, cause: null }, undefined, null),
    ).rejects.toThrow('The app has not started')
    broker.unsubscribe({ kind: 'all' })
    await broker.close()
  })
})
