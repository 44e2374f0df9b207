import { EventEmitter } from 'node:events'
import { Instruments } from '@twinwire/core/plugin'
import { createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it } from 'vitest'
import type { RedisClient } from './redis-client.ts'
import { resolveRedisOptions } from './redis-options.ts'
import { RedisSubscriber } from './redis-subscriber.ts'

/** Connects when the test says so, and answers no command unless it is told to. */
class FakeClient extends EventEmitter implements RedisClient {
  readonly isCluster = false
  status = 'wait'
  answers = false
  readonly #reply = (): Promise<unknown> => (this.answers ? Promise.resolve() : new Promise(() => {}))
  connect = (): Promise<unknown> => {
    this.status = 'connecting'
    return Promise.resolve()
  }
  become(status: 'connect' | 'ready' | 'close' | 'end'): void {
    this.status = status
    this.emit(status)
  }
  disconnect = (): void => {
    this.status = 'end'
  }
  duplicate = (): RedisClient => new FakeClient()
  evalsha = this.#reply
  eval = this.#reply
  ping = this.#reply
  subscribe = this.#reply
  unsubscribe = this.#reply
  ssubscribe = this.#reply
  sunsubscribe = this.#reply
}

function start() {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const clients: FakeClient[] = []
  const events: string[] = []
  const create = (): RedisClient => {
    const client = new FakeClient()
    clients.push(client)
    return client
  }
  const options = resolveRedisOptions(
    { url: 'redis://a', socketTimeoutMs: 1000 },
    { owner: 'test()', commandTimeoutMs: 300 },
  )
  const subscriber = new RedisSubscriber(
    create,
    options,
    { clock, log, instruments: new Instruments() },
    {
      up: () => void events.push('up'),
      down: (reason) => void events.push(reason),
      resubscribed: () => void events.push('resubscribed'),
      message: (channel, message) => void events.push(`${channel} ${message}`),
    },
  )
  const current = (): FakeClient => clients.at(-1) ?? expect.unreachable()
  const ready = (): void => {
    current().become('connect')
    current().become('ready')
  }
  return { clock, log, clients, events, subscriber, current, ready }
}

describe('a subscriber', () => {
  it('is replaced once for a subscription that is never answered, and not again because of it', async () => {
    const { clock, clients, events, subscriber, ready } = start()
    ready()
    const pending = expect(subscriber.subscribe(['a'])).rejects.toMatchObject({ code: 'timeout' })
    await clock.advance(300)
    await pending
    await clock.advance(700)
    expect(clients).toHaveLength(2)
    ready()
    await clock.advance(60_000)
    expect(clients).toHaveLength(2)
    expect(events).toEqual(['up', 'it did not reply', 'up'])
    subscriber.close()
    expect(clock.pendingTimers).toBe(0)
  })

  it('that never gets ready is replaced until it does, and reported once', async () => {
    const { clock, clients, events, subscriber, current, log, ready } = start()
    for (let i = 0; i < 3; i += 1) {
      current().become('connect')
      await clock.advance(1000)
    }
    expect(clients).toHaveLength(4)
    expect(events).toEqual(['it did not reply'])
    ready()
    expect(events).toEqual(['it did not reply', 'up'])
    expect(log.lines).toHaveLength(2)
    subscriber.close()
  })

  it('whose client has given up gets another one', async () => {
    const { clock, clients, events, current, ready } = start()
    ready()
    current().become('end')
    await clock.advance(1000)
    expect(clients).toHaveLength(2)
    ready()
    expect(events).toEqual(['up', 'it was closed', 'up'])
  })

  it('hears nothing of a client that was replaced', () => {
    const { clients, events, subscriber, ready } = start()
    ready()
    subscriber.replace('the probe was lost')
    const [old] = clients
    old?.emit('message', 'a', '1')
    old?.become('ready')
    old?.become('close')
    // An error event without a listener would be thrown.
    old?.emit('error', new Error('late'))
    expect(events).toEqual(['up', 'the probe was lost'])
  })

  it('asks for no channel where there is none', async () => {
    const { subscriber, ready } = start()
    ready()
    await subscriber.subscribe([])
    await subscriber.unsubscribe([])
  })
})
