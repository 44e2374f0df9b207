// Tokens while the issuer is down, slow, or sends invalid responses: over real HTTP, with every request to it counted.
import type { Plugin } from '@twinwire/core'
import { CounterCell, type Instruments } from '@twinwire/core/plugin'
import { createTestApp, type TestApp, type VirtualClock } from '@twinwire/core/testing'
import type { AuthOptions } from '@twinwire/plugin-auth'
import type { IssuerEndpoint, IssuerFault, TestIssuer } from '@twinwire/plugin-auth/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { authFrame, authOf, bearer, pkgIds, routes, startIssuer } from '../../packages/plugin-auth/src/auth.fixtures.ts'

const secondMs = 1000
const minuteMs = 60 * secondMs
/** A complete read is one request to each of these. */
const documents = ['discovery', 'certs', 'realm'] as const satisfies readonly IssuerEndpoint[]

interface Subject {
  readonly issuer: TestIssuer
  readonly clock: VirtualClock
  /** Failed requests to the issuer of this type. */
  failures(type: 'discovery' | 'keys'): number
  status(token: string): Promise<number>
  readonly app: TestApp<typeof routes, Record<never, never>>
}

async function prepare() {
  const { issuer, clock } = await startIssuer()
  const boot = async (options: Partial<AuthOptions> = {}): Promise<Subject> => {
    // The breaker has separate tests at the end.
    let instruments: Instruments | undefined
    const probe: Plugin = {
      name: 'probe',
      setup(host) {
        instruments = host.instruments
      },
    }
    const plugins = [authOf(issuer, { breaker: { enabled: false }, ...options }), probe]
    const app = await createTestApp({ pkgIds, routes, clock, plugins })
    onTestFinished(() => app.close())
    const status = async (token: string): Promise<number> => (await app.request('GET /who', bearer(token))).status
    const failures = (type: string): number => {
      const family = instruments?.families().find(({ name }) => name === 'auth_issuer_requests_total')
      const found = family?.cells.find(({ labels }) => labels.type === type && labels.outcome === 'failure')
      return found?.cell instanceof CounterCell ? found.cell.value : 0
    }
    return { issuer, clock, app, status, failures }
  }
  return { issuer, clock, boot }
}

/** Waits for real HTTP; the virtual clock does not advance meanwhile. */
function eventually(read: () => unknown, expected: unknown): Promise<void> {
  return expect.poll(read, { timeout: 20_000, interval: 2 }).toEqual(expected)
}

async function isReady({ app }: Subject): Promise<number> {
  return (await app.request('GET /health/ready')).status
}

const faults: [what: string, fault: IssuerFault][] = [
  ['cuts the connection', 'down'],
  ['answers with a page of HTML', 'garbage'],
  ['answers with an empty object', 'empty'],
  ['answers without an end', 'huge'],
  ['redirects to another host', 'redirect'],
  ['answers 500', { status: 500 }],
  ['answers 404', { status: 404 }],
]

describe('an issuer that fails from the start', () => {
  test.each(faults)(
    'and %s: the app starts, tokens are 503 and not 401, and come to be good by themselves',
    async (_, fault) => {
      const { issuer, clock, boot } = await prepare()
      issuer.setFault('certs', fault)
      const subject = await boot()
      expect(issuer.hits).toMatchObject({ discovery: 1, certs: 1 })
      const token = issuer.token('ada')
      const answer = await subject.app.request('GET /who', bearer(token))
      expect(answer.status).toBe(503)
      expect(answer.json()).toMatchObject({ error: { code: 'unavailable' } })
      expect(await isReady(subject)).toBe(503)
      await expect(subject.app.connect({ headers: { authorization: `Bearer ${token}` } })).rejects.toMatchObject({
        status: 503,
      })
      const socket = await subject.app.connect()
      socket.send(authFrame(`Bearer ${token}`))
      // Not 4001: a client must not discard a token that may be valid.
      expect(await socket.closed).toMatchObject({ code: 1011 })
      // No call causes a request to the issuer.
      expect(issuer.hits).toMatchObject({ discovery: 1, certs: 1 })

      issuer.clearFaults()
      await clock.advance(secondMs)
      await eventually(() => subject.status(token), 200)
      expect(issuer.hits).toMatchObject({ discovery: 2, certs: 2 })
      expect(await isReady(subject)).toBe(200)
    },
  )

  test.each(documents)('at %s alone is as if all of it were away', async (endpoint) => {
    const { issuer, boot } = await prepare()
    issuer.setFault(endpoint, 'garbage')
    const { status } = await boot()
    expect(await status(issuer.token('ada'))).toBe(503)
  })

  test('is requested again after 1, 2, 4 ... seconds, at most once per cooldown', async () => {
    const { issuer, clock, boot } = await prepare()
    issuer.setFault('discovery', 'down')
    const { failures } = await boot({ keys: { cooldownMs: 5 * secondMs } })
    const pauses = [1, 2, 4, 5, 5]
    for (const [index, pause] of pauses.entries()) {
      await clock.advance(pause * secondMs - 1)
      expect(issuer.hits.discovery).toBe(index + 1)
      await clock.advance(1)
      // The next attempt is scheduled when this one has failed.
      await eventually(() => failures('discovery'), index + 2)
      expect(issuer.hits.discovery).toBe(index + 2)
    }
  })

  test('that takes ten seconds is cancelled after five: the boot continues, and no call waits for it', async () => {
    const { issuer, clock, boot } = await prepare()
    issuer.setFault('discovery', { delayMs: 10 * secondMs })
    const booting = boot()
    await eventually(() => issuer.hits.discovery, 1)
    await clock.advance(5 * secondMs)
    const { status } = await booting
    expect(await status(issuer.token('ada'))).toBe(503)
    issuer.clearFaults()
    await clock.advance(secondMs)
    await eventually(() => status(issuer.token('ada')), 200)
  })

  test('of another name is a boot error', async () => {
    const { issuer, boot } = await prepare()
    await expect(boot({ issuer: `${issuer.issuer}x`, internalUrl: issuer.issuer })).rejects.toThrow(
      `is of the issuer '${issuer.issuer}'`,
    )
  })
})

describe('an issuer that fails later', () => {
  test.each(faults)(
    'and %s: its last good keys serve for an hour, new tokens and old ones, and no longer',
    async (_, fault) => {
      const { issuer, clock, boot } = await prepare()
      const subject = await boot()
      const lifetimeMs = 3 * 60 * minuteMs
      const known = issuer.token('ada', { lifetimeMs })
      expect(await subject.status(known)).toBe(200)
      issuer.setFault('certs', fault)
      await clock.advance(10 * minuteMs)
      await eventually(() => issuer.hits.certs, 2)
      expect(await subject.status(known)).toBe(200)
      expect(await subject.status(issuer.token('bob', { lifetimeMs }))).toBe(200)
      expect(await isReady(subject)).toBe(200)
      await clock.advance(50 * minuteMs - 1)
      expect(await subject.status(issuer.token('bob', { lifetimeMs }))).toBe(200)
      await clock.advance(1)
      expect(await subject.status(issuer.token('bob', { lifetimeMs }))).toBe(503)
      expect(await isReady(subject)).toBe(503)

      issuer.clearFaults()
      const tryAgain = async (): Promise<number> => {
        await clock.advance(30 * secondMs)
        return subject.status(issuer.token('bob', { lifetimeMs }))
      }
      // An advance of the clock shortens the time of a running request, so one must complete between two of them.
      await expect.poll(tryAgain, { timeout: 25_000, interval: 250 }).toBe(200)
    },
  )

  test('and is slow: tokens of known keys get a response at once, a token of an unknown key after the timeout', async () => {
    const { issuer, clock, boot } = await prepare()
    const { status } = await boot()
    const known = issuer.token('ada')
    expect(await status(known)).toBe(200)
    issuer.rotateKeys()
    issuer.setFault('certs', { delayMs: 10 * secondMs })
    await clock.advance(30 * secondMs)
    const unknown = status(issuer.token('ada'))
    await eventually(() => issuer.hits.certs, 2)
    expect(await status(known)).toBe(200)
    expect(await status(issuer.token('bob', { header: { kid: undefined }, forged: true }))).toBe(401)
    await clock.advance(5 * secondMs)
    expect(await unknown).toBe(503)
    expect(issuer.hits.certs).toBe(2)
  })
})

describe('an issuer that rotates its keys', () => {
  test('is requested once for concurrent tokens of the new key', async () => {
    const { issuer, clock, boot } = await prepare()
    const { status } = await boot()
    await clock.advance(30 * secondMs)
    issuer.rotateKeys()
    const tokens = Array.from({ length: 50 }, () => issuer.token('ada'))
    expect(new Set(await Promise.all(tokens.map(status)))).toEqual(new Set([200]))
    expect(issuer.hits).toMatchObject({ discovery: 1, certs: 2, realm: 2 })
  })

  test('is requested at most once per cooldown, whatever key ids tokens contain', async () => {
    const { issuer, clock, boot } = await prepare()
    const { status } = await boot()
    const invented = (index: number): string => issuer.token('ada', { header: { kid: `invented-${index}` } })
    for (let round = 1; round <= 3; round += 1) {
      await clock.advance(30 * secondMs)
      const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => status(invented(index))))
      expect(new Set(answers)).toEqual(new Set([401]))
      for (let index = 0; index < 10; index += 1) expect(await status(invented(index))).toBe(401)
      expect(issuer.hits.certs).toBe(1 + round)
    }
    expect(await status(issuer.token('ada'))).toBe(200)
  })

  test('and retires the old ones: their tokens are rejected as soon as that is read, cached or not', async () => {
    const { issuer, clock, boot } = await prepare()
    const { status } = await boot()
    const old = issuer.token('ada', { lifetimeMs: 60 * minuteMs })
    expect(await status(old)).toBe(200)
    issuer.rotateKeys({ retire: true })
    expect(await status(old)).toBe(200)
    await clock.advance(10 * minuteMs)
    await eventually(() => issuer.hits.certs, 2)
    await eventually(() => status(old), 401)
    expect(await status(issuer.token('ada'))).toBe(200)
  })
})

describe('the circuit breaker', () => {
  test('makes no requests after consecutive failures, and closes again when the issuer responds [defect 16]', async () => {
    const { issuer, clock, boot } = await prepare()
    issuer.setFault('discovery', { status: 500 })
    const options = { breaker: { failures: 3, resetMs: 3000 }, keys: { cooldownMs: secondMs } }
    const { status, app, failures } = await boot(options)
    for (const count of [2, 3]) {
      await clock.advance(secondMs)
      await eventually(() => failures('discovery'), count)
    }
    expect(await status(issuer.token('ada'))).toBe(503)
    const changes = () =>
      app.logs.filter(({ message }) => message.startsWith('The circuit breaker')).map(({ fields }) => fields)
    expect(changes()).toMatchObject([{ service: 'keycloak', from: 'closed', to: 'open' }])
    issuer.clearFaults()
    await clock.advance(3000)
    await eventually(() => status(issuer.token('ada')), 200)
    expect(issuer.hits.discovery).toBe(4)
    expect(changes().slice(1)).toMatchObject([
      { from: 'open', to: 'half_open' },
      { from: 'half_open', to: 'closed' },
    ])
  })
})
