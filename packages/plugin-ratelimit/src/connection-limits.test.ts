import type { Connection, Plugin } from '@twinwire/core'
import { Disconnect, disconnects, reply, route } from '@twinwire/core'
import { createVirtualClock, fakeIdentity, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { openEvents } from '../../core/src/testing/event-reader.fixtures.ts'
import type { ConnectionLimitOptions } from './connection-limits.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { MemoryStore } from './memory/memory-store.ts'
import { rateLimit } from './ratelimit-plugin.ts'
import type { ConnectionSlot, Lease } from './store.ts'

const hello = route({ http: 'GET /hello', handler: () => 'hello' })
const tooMany = { code: 1008, reason: 'Maximum concurrent connections exceeded' }

describe('connection limits', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const open = async (connections: ConnectionLimitOptions, more: readonly Plugin[] = []) => {
      const limits = rateLimit({ http: false, websocket: false, preAuthentication: false, connections })
      // Replies to the handshake: a refused connection must not receive auth_ok.
      const admit: Plugin = {
        name: 'admit',
        setup: (host) =>
          host.controlFrame(
            'auth',
            ({ token }) => ({
              identity: { id: String(token), name: String(token) },
              reply: { type: 'auth_ok' },
            }),
            {},
          ),
      }
      const app = await start({
        pkgIds: { HELLO: 1 },
        routes: { HELLO: hello },
        defaultAccess: 'public',
        plugins: [admit, limits, ...more],
      })
      const login = async (name: string) => {
        const socket = await app.connect()
        socket.send(JSON.stringify({ type: 'auth', token: name }))
        return socket
      }
      const admitted = async (name: string) => {
        const socket = await login(name)
        expect(String((await socket.next()).data)).toBe('{"type":"auth_ok"}')
        return socket
      }
      const statuses = () => {
        const family = app.app.instruments.families().find(({ name }) => name === 'ws_connections_total')
        return Object.fromEntries(
          (family?.cells ?? []).map(({ labels, cell }) => [labels.status, 'value' in cell ? cell.value : 0]),
        )
      }
      return { ...app, login, admitted, statuses }
    }

    it('per identity: the next connection is closed with 1008 instead of auth_ok', async () => {
      const { login, admitted, statuses, app } = await open({ perIdentity: 2 })
      const first = await admitted('ann')
      await admitted('ann')
      const third = await login('ann')
      expect(await third.closed).toEqual(tooMany)
      expect(third.frames).toEqual([])
      await admitted('bob')
      expect(statuses()).toMatchObject({ accepted: 3, rejected_limit: 1 })
      first.close()
      await first.closed
      while (app.hub.ofIdentity('ann').length > 1) await new Promise((resolve) => setImmediate(resolve))
      await admitted('ann')
      expect(await (await login('ann')).closed).toEqual(tooMany)
    })

    it('per address: connections of all identities count', async () => {
      const { login, admitted } = await open({ perIdentity: false, perAddress: 2 })
      await admitted('ann')
      await admitted('bob')
      expect(await (await login('eve')).closed).toEqual(tooMany)
    })

    it('count clients of server-sent events, and answer one over the limit with 429 and its headers', async () => {
      const app = await start({
        pkgIds: {},
        routes: {},
        topics: { news: { authorize: () => true } },
        endpoints: [route({ http: 'GET /news', handler: () => reply.events({ topic: 'news' }) })],
        plugins: [
          fakeIdentity(),
          rateLimit({ http: false, websocket: false, preAuthentication: false, connections: { perIdentity: 2 } }),
        ],
      })
      const ann = { headers: { authorization: 'Bearer ann' } }
      const first = await openEvents(app.raw, '/news', ann)
      const second = await openEvents(app.raw, '/news', ann)
      expect([first.status, second.status]).toEqual([200, 200])
      const refused = await app.request('GET /news', ann)
      expect(refused.status).toBe(429)
      expect(refused.json()).toMatchObject({
        error: { code: 'rate_limit_exceeded', details: { limit: 2, remaining: 0 } },
      })
      expect(refused.headers).toMatchObject({
        'retry-after': '15',
        ratelimit: '"connections.identity";r=0;t=15',
        'ratelimit-policy': '"connections.identity";q=2',
        'x-ratelimit-limit': '2',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '15',
      })
      first.leave()
      await expect.poll(() => app.app.hub.size).toBe(1)
      expect((await openEvents(app.raw, '/news', ann)).status).toBe(200)
    })

    it('are off where they are false', async () => {
      const { admitted, app } = await open({ perIdentity: false, perAddress: false })
      for (let i = 0; i < 8; i++) await admitted('ann')
      expect(app.hub.size).toBe(8)
    })

    it('release the slots of a connection that another plugin refuses [defect 20]', async () => {
      let refuse = true
      const picky: Plugin = {
        name: 'picky',
        setup: (host) =>
          host.onConnect(() => {
            if (refuse) throw new Disconnect(disconnects.sessionRevoked)
          }),
      }
      const { login, admitted } = await open({ perIdentity: 1 }, [picky])
      expect((await (await login('ann')).closed).code).toBe(4004)
      refuse = false
      // The server handles the disconnect a moment later.
      for (;;) {
        const socket = await login('ann')
        const frame = await socket.next().catch(() => null)
        if (frame !== null) break
      }
      expect(await (await login('ann')).closed).toEqual(tooMany)
      await admitted('bob')
    })
  })

  const aConnection = (id: string): Connection =>
    ({ id, identity: { id: 'ann', name: 'Ann' }, address: '127.0.0.1' }) as Connection

  /** A store whose operations settle when the test calls `answerAll`. */
  function aSlowStore() {
    const clock = createVirtualClock()
    const calls: string[] = []
    const answers: (() => void)[] = []
    const store = new MemoryStore(clock, 10)
    const later = <T>(name: string, answer: () => T): Promise<T> => {
      calls.push(name)
      return new Promise((resolve) => answers.push(() => resolve(answer())))
    }
    const limiter = Object.assign(Object.create(store), {
      acquire: (lease: Lease) => later(`acquire ${lease.id}`, (): ConnectionSlot | null => store.acquire(lease)),
      release: (lease: Lease) => later(`release ${lease.id}`, () => store.release(lease)),
      renew: (leases: readonly Lease[]) => later(`renew ${leases.map(({ id }) => id)}`, () => {}),
    })
    const answerAll = async () => {
      for (const answer of answers.splice(0)) answer()
      await clock.advance(0)
    }
    return { clock, calls, limiter, answerAll }
  }
  const options = { perIdentity: 1, perAddress: false, leaseMs: 15_000 } as const

  it('release a lease that was acquired after its connection had closed', async () => {
    const { calls, limiter, answerAll } = aSlowStore()
    const connections = new ConnectionLimits(limiter, options, () => {})
    const connecting = connections.connect(aConnection('1'))
    connections.disconnect('1')
    expect(calls).toEqual(['acquire 1'])
    await answerAll()
    await connecting
    expect(calls).toEqual(['acquire 1', 'release 1'])
    await answerAll()
    const again = connections.connect(aConnection('2'))
    await answerAll()
    expect(await again).toBe(undefined)
  })

  it('renew the leases of open connections every third of leaseMs, and never two renewals at once [defect 27]', async () => {
    const { clock, calls, limiter, answerAll } = aSlowStore()
    const connections = new ConnectionLimits(limiter, options, () => {})
    connections.keepAlive(clock)
    const connecting = connections.connect(aConnection('1'))
    await clock.advance(5000)
    // Not acquired yet.
    expect(calls).toEqual(['acquire 1'])
    await answerAll()
    await connecting
    await clock.advance(5000)
    await clock.advance(60_000)
    expect(calls).toEqual(['acquire 1', 'renew 1'])
    await answerAll()
    await clock.advance(5000)
    expect(calls).toEqual(['acquire 1', 'renew 1', 'renew 1'])
    await answerAll()
    connections.disconnect('1')
    await clock.advance(30_000)
    expect(calls.slice(3)).toEqual(['release 1'])
    connections.close()
    expect(clock.pendingTimers).toBe(0)
  })
})
