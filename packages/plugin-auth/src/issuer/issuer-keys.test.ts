import { BootError } from '@twinwire/core'
import { checkOptions } from '@twinwire/core/plugin'
import { createTestApp, createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it } from 'vitest'
import { authFrame, bearer, counted, nextJson, startApp } from '../auth.fixtures.ts'
import type { Published } from './issuer-documents.ts'
import { IssuerKeys, type IssuerState, type KeyOptions, keyRules } from './issuer-keys.ts'

const keySet = (...ids: string[]): Published['keys'] => ({
  find: () => Promise.reject(new Error('Not used here')),
  ids: new Set(ids),
  someWithoutId: false,
  fingerprint: ids.join(),
})

/** An issuer whose answers the test sets. */
function create(options: KeyOptions = {}) {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const issuer = { reads: 0, answer: (): Published | Promise<Published> => ({ keys: keySet('k1'), notBeforeMs: 0 }) }
  const changes: [IssuerState, IssuerState][] = []
  const keys = new IssuerKeys(checkOptions('keys', options, keyRules), {
    clock,
    log,
    read: async () => {
      issuer.reads++
      return issuer.answer()
    },
    onChange: (now, before) => void changes.push([now, before]),
  })
  const fail = (): void => {
    issuer.answer = () => Promise.reject(new Error('down'))
  }
  const publish = (...ids: string[]): void => {
    issuer.answer = () => ({ keys: keySet(...ids), notBeforeMs: 0 })
  }
  return { clock, log, issuer, changes, keys, fail, publish }
}

describe('issuer keys', () => {
  it('are read at the start and then by a timer, so that no call waits for them [defect 7]', async () => {
    const { keys, issuer, clock } = create()
    await keys.start()
    expect([issuer.reads, keys.current?.keys.ids.has('k1')]).toEqual([1, true])
    await clock.advance(600_000 - 1)
    expect(issuer.reads).toBe(1)
    await clock.advance(1)
    expect(issuer.reads).toBe(2)
    keys.close()
    expect(clock.pendingTimers).toBe(0)
  })

  it('are read once for concurrent calls', async () => {
    const { keys, issuer, clock, publish } = create()
    await keys.start()
    await clock.advance(30_000)
    publish('k1', 'k2')
    const states = await Promise.all(Array.from({ length: 50 }, () => keys.renew()))
    expect(issuer.reads).toBe(2)
    expect(states.every((state) => state?.keys.ids.has('k2'))).toBe(true)
  })

  it('are read again at most once per cooldown, whatever tokens arrive', async () => {
    const { keys, issuer, clock } = create()
    await keys.start()
    for (let second = 0; second < 60; second++) {
      await keys.renew()
      await clock.advance(1000)
    }
    expect(issuer.reads).toBe(2)
  })

  it('are used while the issuer is down, for a limited time [defect 7]', async () => {
    const { keys, clock, fail, log } = create()
    await keys.start()
    fail()
    await clock.advance(3_599_999)
    expect(keys.current).not.toBe(null)
    expect(await keys.renew()).toBe(null)
    await clock.advance(1)
    expect(keys.current).toBe(null)
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })

  it('are read again after a failure: soon when there are none yet, then less and less often', async () => {
    const { keys, issuer, clock, fail, publish } = create()
    fail()
    await keys.start()
    const times: number[] = []
    for (let second = 0; second < 120; second++) {
      const before = issuer.reads
      await clock.advance(1000)
      if (issuer.reads > before) times.push(second + 1)
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 61, 91])
    publish('k1')
    await clock.advance(1000)
    expect(keys.current?.keys.ids.has('k1')).toBe(true)
  })

  it('wait for a running read when there are none yet', async () => {
    const { keys, issuer } = create()
    let answer = (_: Published): void => {}
    issuer.answer = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const started = keys.start()
    const waiting = keys.get()
    await Promise.resolve()
    answer({ keys: keySet('k1'), notBeforeMs: 0 })
    await started
    expect((await waiting)?.keys.ids.has('k1')).toBe(true)
  })

  it('report a change, and only a change', async () => {
    const { keys, clock, changes, publish, issuer } = create()
    await keys.start()
    await keys.refresh()
    expect(changes).toEqual([])
    publish('k2')
    await keys.refresh()
    issuer.answer = () => ({ keys: keySet('k2'), notBeforeMs: 5000 })
    await keys.refresh()
    expect(changes.map(([now, before]) => [before.keys.fingerprint, now.keys.fingerprint, now.notBeforeMs])).toEqual([
      ['k1', 'k2', 0],
      ['k2', 'k2', 5000],
    ])
    expect(clock.pendingTimers).toBe(1)
  })

  it('of an issuer of another name are a boot error, and later only logged', async () => {
    const { keys, issuer, publish } = create()
    const problem = new BootError('auth.wrong_issuer', 'another issuer')
    issuer.answer = () => Promise.reject(problem)
    await expect(keys.start()).rejects.toBe(problem)
    publish('k1')
    await keys.start()
    issuer.answer = () => Promise.reject(problem)
    await keys.refresh()
    expect(keys.current).not.toBe(null)
  })
})

describe('over real HTTP', () => {
  it('a new key is found by the first token that it signs', async () => {
    const { request, issuer, clock } = await startApp(createTestApp)
    await clock.advance(30_000)
    issuer.rotateKeys()
    expect((await request('GET /who', bearer(issuer.token('ada')))).status).toBe(200)
    expect(issuer.hits.certs).toBe(2)
  })

  it('a token whose key was removed is rejected, also from the cache', async () => {
    const { request, issuer, clock } = await startApp(createTestApp)
    const token = issuer.token('ada', { lifetimeMs: 3_600_000 })
    expect((await request('GET /who', bearer(token))).status).toBe(200)
    issuer.rotateKeys({ retire: true })
    await clock.advance(600_000)
    await expect.poll(() => issuer.hits.realm).toBe(2)
    await expect.poll(async () => (await request('GET /who', bearer(token))).status).toBe(401)
  })

  it('not-before of the realm invalidates tokens and closes sockets', async () => {
    const { request, connect, issuer, clock } = await startApp(createTestApp)
    const token = issuer.token('ada', { lifetimeMs: 3_600_000 })
    const socket = await connect()
    socket.send(authFrame(`Bearer ${token}`))
    await nextJson(socket)
    await clock.advance(590_000)
    issuer.setNotBefore(clock.now())
    await clock.advance(10_000)
    expect(await socket.closed).toEqual({ code: 4004, reason: 'Session revoked' })
    expect((await request('GET /who', bearer(token))).status).toBe(401)
    expect((await request('GET /who', bearer(issuer.token('ada')))).status).toBe(200)
  })

  it.each(['down', 'garbage', 'empty', 'huge', 'redirect', { status: 500 }] as const)(
    'an issuer with the fault %j leaves the last keys in use, and the breaker opens after five failures',
    async (fault) => {
      const { request, issuer, clock, app } = await startApp(createTestApp, { breaker: { failures: 5 } })
      issuer.setFault('certs', fault)
      const failures = () => counted(app, 'circuit_breaker_failures_total')[0]?.value
      await clock.advance(600_000)
      await expect.poll(failures).toBe(1)
      expect((await request('GET /who', bearer(issuer.token('ada')))).status).toBe(200)
      for (let i = 2; i <= 5; i++) {
        await clock.advance(30_000)
        await expect.poll(failures).toBe(i)
      }
      const service = 'keycloak'
      expect(counted(app, 'circuit_breaker_state')).toEqual([{ labels: { service }, value: 1 }])
      expect(counted(app, 'circuit_breaker_state_changes_total')).toEqual([
        { labels: { service, from_state: 'closed', to_state: 'open' }, value: 1 },
      ])
      const asked = issuer.hits.discovery + issuer.hits.certs
      await clock.advance(30_000)
      const rejected = { labels: { type: 'discovery', outcome: 'rejected' }, value: 1 }
      await expect.poll(() => counted(app, 'auth_issuer_requests_total')).toContainEqual(rejected)
      expect(issuer.hits.discovery + issuer.hits.certs).toBe(asked)
      expect((await request('GET /who', bearer(issuer.token('ada')))).status).toBe(200)
    },
  )

  it('a request to a slow issuer is cancelled after five seconds', async () => {
    const { request, issuer, clock, app } = await startApp(createTestApp)
    issuer.setFault('discovery', 'hang')
    issuer.setFault('certs', 'hang')
    issuer.rotateKeys()
    await clock.advance(30_000)
    const asked = issuer.hits.certs
    const answer = request('GET /who', bearer(issuer.token('ada')))
    await expect.poll(() => issuer.hits.certs).toBe(asked + 1)
    await clock.advance(5000)
    expect((await answer).status).toBe(503)
    expect(counted(app, 'keycloak_token_validation_total')).toEqual([
      { labels: { status: 'error', reason: 'unavailable' }, value: 1 },
    ])
  })
})
