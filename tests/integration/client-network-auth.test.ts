// The client and plugin-auth over real sockets: tokens that expire, that are rejected or revoked, and another user.
import { type Client, type ClientOptions, type ConnectionState, createClient, type GetToken } from '@twinwire/client'
import { createVirtualClock, type VirtualClock } from '@twinwire/core/testing'
import { type AuthPlugin, auth } from '@twinwire/plugin-auth'
import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type NetworkApp, type NetworkAppType, startNetworkApp } from '../support/network-app.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const lifetimeMs = 300_000
const expiryWarningMs = 60_000
const ada = { username: 'ada', id: 'u-ada' }
const bob = { username: 'bob', id: 'u-bob' }

/** Of the app and of the issuer. The client has the real one. */
let clock: VirtualClock
let issuer: TestIssuer
let keycloak: AuthPlugin
let server: NetworkApp
let proxy: TcpProxy
let clients: Client<NetworkAppType>[]

beforeEach(async () => {
  clock = createVirtualClock()
  issuer = await createTestIssuer({ clock, lifetimeMs, algorithms: ['ES256'] })
  const { issuer: url, clientId } = issuer
  keycloak = auth({ issuer: url, audience: clientId, clientId, expiryWarningMs, toleranceMs: 1000 })
  server = await startNetworkApp({ clock, plugins: [keycloak] })
  proxy = await startTcpProxy(server.port)
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.close()
  await proxy.close()
  await server.close()
  await issuer.stop()
})

function connect(getToken: GetToken, options: Partial<ClientOptions> = {}): Client<NetworkAppType> {
  const client = createClient<NetworkAppType>({
    url: `http://127.0.0.1:${proxy.port}`,
    manifest: server.app.manifest(),
    WebSocket,
    getToken,
    reconnect: { minMs: 5, maxMs: 50 },
    ...options,
  })
  clients.push(client)
  return client
}

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => `resolved with ${JSON.stringify(value)}`,
    (reason: unknown) => reason,
  )

/** A `getToken` that counts, and keeps what was rejected. */
function tokensOf(next: (rejected: string | null) => string | null) {
  const rejected: (string | null)[] = []
  const getToken: GetToken = (request) => {
    rejected.push(request.rejected)
    return next(request.rejected)
  }
  return { rejected, getToken }
}

/** How the connections of a client ended. */
function closuresOf(client: Client<NetworkAppType>): number[] {
  const codes: number[] = []
  let last: ConnectionState['closure'] = null
  client.onState(({ closure }) => {
    if (closure !== null && closure !== last) codes.push(closure.code)
    last = closure
  })
  return codes
}

test('auth_expiring: the token is renewed on the same connection, again and again', async () => {
  const tokens: string[] = []
  const { rejected, getToken } = tokensOf(() => {
    tokens.push(issuer.token(ada))
    return tokens.at(-1) ?? null
  })
  const client = connect(getToken)
  expect(await client.call('DO', { n: 0 })).toBe(0)
  for (let n = 1; n <= 3; n += 1) {
    await clock.advance(lifetimeMs - expiryWarningMs)
    await expect.poll(() => tokens.length).toBe(n + 1)
    // It follows the renewal on the wire.
    expect(await client.call('DO', { n })).toBe(n)
  }
  expect(rejected).toEqual([null, ...tokens.slice(0, 3)])
  expect(proxy.accepted).toBe(1)
  expect(server.ledger.map(({ identity }) => identity)).toEqual(Array(4).fill('u-ada'))
})

test('a token that expires: 4003, and the client comes back with a new one', async () => {
  let available = issuer.token(ada)
  const { rejected, getToken } = tokensOf(() => available)
  const client = connect(getToken)
  await client.call('DO', { n: 0 })
  const codes = closuresOf(client)
  const first = available
  await clock.advance(lifetimeMs - expiryWarningMs)
  // Asked for another one, the application has none yet.
  await expect.poll(() => rejected).toEqual([null, first])
  available = issuer.token(ada)
  await clock.advance(expiryWarningMs + 5000)
  await expect.poll(() => codes).toEqual([4003])
  expect(await client.call('DO', { n: 1 })).toBe(1)
  expect(rejected).toEqual([null, first, first])
  expect(proxy.accepted).toBe(2)
})

test('a token that expires without another one ends the client', async () => {
  const only = issuer.token(ada)
  const client = connect(() => only)
  await client.call('DO', { n: 0 })
  await clock.advance(lifetimeMs + 5000)
  await expect.poll(() => client.state.status).toBe('closed')
  expect(client.state.closure).toMatchObject({ code: 4003 })
  expect(await reasonOf(client.call('DO', { n: 1 }))).toMatchObject({ code: 'closed', details: { code: 4003 } })
  expect(proxy.accepted).toBe(1)
})

test('a bad token: 4001, getToken() returns another one, and what waits is sent with it', async () => {
  const { rejected, getToken } = tokensOf((bad) => (bad === null ? 'nonsense' : issuer.token(ada)))
  const client = connect(getToken)
  const codes = closuresOf(client)
  expect(await client.call('DO', { n: 1 })).toBe(1)
  expect(codes).toEqual([4001])
  expect(rejected).toEqual([null, 'nonsense'])
  expect(server.ledger).toMatchObject([{ n: 1, identity: 'u-ada' }])
})

test('bad tokens only: the client ends, and its calls with it', async () => {
  let count = 0
  const { rejected, getToken } = tokensOf(() => `nonsense ${++count}`)
  const client = connect(getToken)
  expect(await reasonOf(client.call('DO', { n: 1 }))).toMatchObject({ code: 'closed', outcomeUnknown: false })
  expect(client.state).toMatchObject({ status: 'closed', closure: { code: 4001 } })
  expect(rejected.length).toBe(proxy.accepted)
  expect(proxy.accepted).toBeLessThanOrEqual(4)
  expect(server.ledger).toEqual([])
})

test('a revocation: 4004 ends the client and what waits; a new login connects it again', async () => {
  let token = issuer.token(ada)
  const { rejected, getToken } = tokensOf(() => token)
  const client = connect(getToken)
  const ended: unknown[] = []
  const subscription = client.subscribe('chat:1', { onEnd: (error) => ended.push(error.code) })
  await subscription.ready
  const held = reasonOf(client.call('HOLD', { n: 1 }))
  await expect.poll(() => server.held).toBe(1)
  keycloak.revoke('u-ada')
  expect(await held).toMatchObject({ code: 'connection_lost', outcomeUnknown: true })
  await expect.poll(() => client.state.status).toBe('closed')
  expect(client.state.closure).toMatchObject({ code: 4004 })
  expect(ended).toEqual(['closed'])
  expect(await reasonOf(client.call('DO', { n: 2 }))).toMatchObject({ code: 'closed', details: { code: 4004 } })
  expect([rejected.length, proxy.accepted]).toEqual([1, 1])
  await clock.advance(2000)
  token = issuer.token(ada)
  client.connect()
  expect(await client.call('DO', { n: 3 })).toBe(3)
  expect(server.ledger.map(({ n }) => n)).toEqual([1, 3])
})

test('another user signs in while calls wait: none of them reaches the server under the second token', async () => {
  let current = ada
  const user = connect(() => issuer.token(current))
  const received: number[] = []
  const ended: string[] = []
  const subscription = user.subscribe('chat:1', {
    onEvent: ({ data }) => received.push(data.n),
    onEnd: ({ code }) => ended.push(code),
  })
  await subscription.ready
  proxy.isRefusing = true
  proxy.cut()
  await expect.poll(() => user.state.status).not.toBe('open')
  const waiting = Array.from({ length: 20 }, (_, n) => reasonOf(user.call('DO', { n })))
  current = bob
  // The session of the application has changed; the client learns it from the token, or from the server.
  user.renewToken()
  // An attempt that has begun before has the first token.
  const { accepted } = proxy
  await expect.poll(() => proxy.accepted).toBeGreaterThan(accepted + 1)
  proxy.isRefusing = false
  for (const error of await Promise.all(waiting))
    expect(error).toMatchObject({ code: 'identity_changed', outcomeUnknown: false })
  expect(ended).toEqual(['identity_changed'])
  expect(await user.call('DO', { n: 100 })).toBe(100)
  expect(server.ledger).toMatchObject([{ n: 100, identity: 'u-bob' }])
  server.publish(1)
  await user.call('DO', { n: 101 })
  expect(received).toEqual([])
})

test('another user by renewToken() on an open connection: that one ends, and calls under way are not repeated', async () => {
  let current = ada
  const client = connect(() => issuer.token(current))
  const held = reasonOf(client.call('HOLD', { n: 1 }))
  await expect.poll(() => server.held).toBe(1)
  current = bob
  client.renewToken()
  expect(await held).toMatchObject({ code: 'connection_lost', outcomeUnknown: true })
  await expect.poll(() => client.state.identity).toBe('u-bob')
  expect(await client.call('DO', { n: 2 })).toBe(2)
  expect(server.ledger).toMatchObject([
    { n: 1, identity: 'u-ada' },
    { n: 2, identity: 'u-bob' },
  ])
})

test('signOut() rejects what waits, and the next user has an own connection', async () => {
  let current = ada
  const client = connect(() => issuer.token(current), { maxInFlight: 1 })
  const held = reasonOf(client.call('HOLD', { n: 1 }))
  await expect.poll(() => server.held).toBe(1)
  const waiting = reasonOf(client.call('DO', { n: 2 }))
  current = bob
  client.signOut()
  expect(await waiting).toMatchObject({ code: 'identity_changed', outcomeUnknown: false })
  expect(await held).toMatchObject({ outcomeUnknown: true })
  expect(await client.call('DO', { n: 3 })).toBe(3)
  expect(server.ledger).toMatchObject([
    { n: 1, identity: 'u-ada' },
    { n: 3, identity: 'u-bob' },
  ])
})

test('100 concurrent HTTP calls that meet 401 ask for one token', async () => {
  const expired = issuer.token(ada, { lifetimeMs: -60_000 })
  const { rejected, getToken } = tokensOf((bad) => (bad === null ? expired : issuer.token(ada)))
  const client = connect(getToken, { wire: 'http' })
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => client.call('DO', { n })))
  expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => n))
  expect(rejected).toEqual([null, expired])
  expect(new Set(server.ledger.map(({ id }) => id)).size).toBe(100)
  expect(server.ledger).toHaveLength(100)
})

describe('an upgrade that a proxy has authenticated', () => {
  function connectBehind(options: Partial<ClientOptions>): Client<NetworkAppType> {
    const headers = { authorization: `Bearer ${issuer.token(ada)}` }
    class OfProxy extends WebSocket {
      constructor(url: string) {
        super(url, { headers })
      }
    }
    return connect(() => null, { WebSocket: OfProxy, ...options })
  }

  test('with awaitAuth the client has that identity, on one connection', async () => {
    const client = connectBehind({ awaitAuth: true })
    expect(await client.call('DO', { n: 1 })).toBe(1)
    expect(client.state.identity).toBe('u-ada')
    expect(server.ledger).toMatchObject([{ n: 1, identity: 'u-ada' }])
    expect(proxy.accepted).toBe(1)
  })

  test('without it the client ends, and says what lacks: another connection would be told the same', async () => {
    const client = connectBehind({})
    client.connect()
    await expect.poll(() => client.state.status).toBe('closed')
    const error = await reasonOf(client.call('DO', { n: 1 }))
    expect(error).toMatchObject({ code: 'closed', msg: expect.stringContaining('`awaitAuth`') })
    expect(proxy.accepted).toBe(1)
  })
})
