import { inspect, isDeepStrictEqual } from 'node:util'
import { type AnyRoute, type AppOptions, type BaseOptions, route } from '@twinwire/core'
import type { Instruments } from '@twinwire/core/plugin'
import {
  createVirtualClock,
  type LogLine,
  type RawSocket,
  type TestApp,
  type TestAppOptions,
  type VirtualClock,
} from '@twinwire/core/testing'
import { onTestFinished } from 'vitest'
import type { AuthOptions } from './auth-options.ts'
import { type AuthPlugin, auth } from './auth-plugin.ts'
import { authenticated, optionalUser, requireAnyRole, requireRoles, requireScope } from './steps.ts'
import { createTestIssuer, type TestIssuer, type TestIssuerOptions } from './testing/index.ts'

export const pkgIds = { WHO: 1, READ: 2, ADMIN: 3, EITHER: 4, WRITE: 5, OPEN: 6, PUBLIC: 7, PLAIN: 8 } as const

/** One route for each step, on both wires; each returns the name of the user. */
type Routes = Readonly<Record<keyof typeof pkgIds, AnyRoute>>

export const routes: Routes = {
  WHO: route({ http: 'GET /who', use: [authenticated()], handler: (_input, { user }) => user.name }),
  READ: route({ http: 'GET /read', use: [requireRoles('read')], handler: (_input, { user }) => user.name }),
  ADMIN: route({
    http: 'GET /admin',
    use: [requireRoles('realm:admin', 'write', 'read')],
    handler: (_input, { user }) => user.name,
  }),
  EITHER: route({
    http: 'GET /either',
    use: [requireAnyRole('realm:admin', 'write')],
    handler: (_input, { user }) => user.name,
  }),
  WRITE: route({
    http: 'GET /write',
    use: [requireScope('books:write', 'books:read')],
    handler: (_input, { user }) => user.name,
  }),
  OPEN: route({
    http: 'GET /open',
    access: 'public',
    use: [optionalUser()],
    handler: (_input, { user }) => user?.name ?? null,
  }),
  PUBLIC: route({ http: 'GET /public', access: 'public', handler: () => 'public' }),
  PLAIN: route({ http: 'GET /plain', handler: (_input, call) => call.identity?.name ?? null }),
}

/** Starts an issuer with the test's clock; it stops with the test. */
export async function startIssuer(
  options: TestIssuerOptions = {},
): Promise<{ issuer: TestIssuer; clock: VirtualClock }> {
  const clock = createVirtualClock()
  const issuer = await createTestIssuer({
    clock,
    // Creating an RSA key is slow on a busy machine.
    algorithms: ['ES256'],
    users: [
      { username: 'ada', roles: ['read'] },
      { username: 'bob', roles: ['read', 'write'], realmRoles: ['admin'] },
      { username: 'eve', clientRoles: { grafana: ['read', 'admin'] } },
    ],
    ...options,
  })
  onTestFinished(() => issuer.stop())
  return { issuer, clock }
}

export function authOf(issuer: TestIssuer, options: Partial<AuthOptions> = {}): AuthPlugin {
  return auth({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId, ...options })
}

type NoEvents = Record<never, never>
type Start = (
  options: AppOptions<typeof pkgIds, Routes, NoEvents>,
  kit?: Pick<TestAppOptions, 'leftovers'>,
) => Promise<TestApp<Routes, NoEvents>>

export interface AuthTest extends TestApp<Routes, NoEvents> {
  readonly issuer: TestIssuer
  readonly clock: VirtualClock
  readonly keycloak: AuthPlugin
}

/** What most tests need: an issuer and an app that accepts its tokens, with one clock. */
export async function startApp(
  start: Start,
  options: Partial<AuthOptions> = {},
  app: BaseOptions = {},
  issuerOptions: TestIssuerOptions = {},
): Promise<AuthTest> {
  const { issuer, clock } = await startIssuer(issuerOptions)
  const keycloak = authOf(issuer, options)
  const test = await start({ pkgIds, routes, clock, ...app, plugins: [keycloak, ...(app.plugins ?? [])] })
  return { ...test, issuer, clock, keycloak }
}

export function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } }
}

export function authFrame(token: unknown): string {
  return JSON.stringify({ type: 'auth', token })
}

/** The next frame, parsed. */
export async function nextJson(socket: RawSocket): Promise<Record<string, unknown>> {
  const { data } = await socket.next()
  if (typeof data !== 'string') throw new Error('Received a binary frame')
  return JSON.parse(data)
}

let lastId = 0
/** A package with a unique id. */
export function packet(pkgId: number, data: object = {}): string {
  const reqId = `00000000-0000-4000-8000-${String(++lastId).padStart(12, '0')}`
  return JSON.stringify({ pkg_id: pkgId, req_id: reqId, method: '', data })
}

/** The answer to a package. */
export async function callPackage(socket: RawSocket, pkgId: number): Promise<Record<string, unknown>> {
  socket.send(packet(pkgId))
  return nextJson(socket)
}

/** Cells of one instrument whose value has changed since `before`, with the difference. */
export function counted(
  app: { readonly instruments: Instruments },
  name: string,
  before: readonly Count[] = [],
): readonly Count[] {
  const family = app.instruments.families().find((each) => each.name === name)
  const counts = (family?.cells ?? []).map(({ labels, cell }) => {
    const value = 'value' in cell ? cell.value : cell.count
    const old = before.find((each) => isDeepStrictEqual(each.labels, labels))
    return { labels, value: value - (old?.value ?? 0) }
  })
  return counts.filter(({ value }) => value !== 0)
}

export interface Count {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All log lines as one string, with the causes of errors. */
export function textOf(logs: readonly LogLine[]): string {
  return inspect(logs, { depth: 20, maxStringLength: null, maxArrayLength: null, showHidden: true })
}
