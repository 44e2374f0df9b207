// Blocks of docs_site/cookies.md: what pages of other sites may not send, and a client whose token is in a cookie.
import type { AnyApp, Client, Manifest } from '@twinwire/client'
import { type AnyRoute, type Plugin, route } from '@twinwire/core'
import { createTestApp, onTransports } from '@twinwire/core/testing'
import { authenticated } from '@twinwire/plugin-auth'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { startIssuer } from '../../packages/plugin-auth/src/auth.fixtures.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('sessions-page', 'cookies-page')
const { folder } = page

const host = 'app.example'
const own = `http://${host}`
const foreign = 'https://evil.example'

describe('the blocks of the page about cookies', () => {
  testBlocks(page)

  onTransports({ describe, afterEach }, ({ start }) => {
    it('transfers.ts refuses what pages of other sites send', async () => {
      const { transfers }: { transfers: { transfer: AnyRoute } } = await import(`${folder}/transfers.ts`)
      const { request, client } = await start({ pkgIds: { TRANSFER: 1 }, routes: { TRANSFER: transfers.transfer } })
      // The rows of the page.
      const cases: readonly [number, Readonly<Record<string, string>>][] = [
        [200, { 'sec-fetch-site': 'same-origin' }],
        [200, { 'sec-fetch-site': 'none' }],
        [403, { 'sec-fetch-site': 'same-site', origin: own }],
        [403, { 'sec-fetch-site': 'cross-site' }],
        [200, { origin: own }],
        [403, { origin: foreign }],
        [403, { origin: 'null' }],
        [200, {}],
      ]
      for (const [status, headers] of cases) {
        const answer = await request('POST /account/transfers', { json: { amount: 5 }, headers: { host, ...headers } })
        expect([headers, answer.status]).toEqual([headers, status])
        if (status === 200) expect(answer.json()).toEqual({ transferred: 5 })
        else expect(answer.json()).toMatchObject({ error: { code: 'permission_denied' } })
      }
      const [ours, theirs] = await Promise.all([own, foreign].map((origin) => client({ headers: { host, origin } })))
      expect(await ours?.call('TRANSFER', { amount: 5 })).toEqual({ transferred: 5 })
      await expect(theirs?.call('TRANSFER', { amount: 5 })).rejects.toMatchObject({ code: 'permission_denied' })
    })
  })

  it('page.ts gets another cookie when the token has expired, and connects again', async () => {
    const { createKeycloak }: { createKeycloak(issuer: string): Plugin } = await import(`${folder}/sign-in.ts`)
    const { connect }: { connect(manifest: Manifest, renewCookie: () => Promise<void>): Client<AnyApp> } = await import(
      `${folder}/page.ts`
    )
    const { issuer, clock } = await startIssuer()
    const { app, address, close } = await createTestApp(
      {
        pkgIds: { WHO: 1 },
        routes: { WHO: route({ use: [authenticated()], handler: (_input, { user }) => user.name }) },
        plugins: [createKeycloak(issuer.issuer)],
        clock,
      },
      { transport: 'uws' },
    )
    onTestFinished(() => close())
    // As a browser: sockets have the cookie and the origin of the page.
    let cookie = ''
    class BrowserSocket extends WebSocket {
      constructor(url: string | URL) {
        super(url, { headers: { cookie, origin: address.url } })
      }
    }
    vi.stubGlobal('location', { origin: address.url })
    vi.stubGlobal('WebSocket', BrowserSocket)
    onTestFinished(() => void vi.unstubAllGlobals())
    const setCookie = (): void => {
      cookie = `__Host-access_token=${issuer.token('ada', { lifetimeMs: 60_000 })}`
    }
    setCookie()
    const renew = vi.fn(async () => setCookie())
    const client = connect(app.manifest(), renew)
    onTestFinished(() => client.close())
    const states: unknown[] = []
    client.onState(({ status, closure }) => states.push(closure?.code ?? status))
    expect(await client.call('WHO')).toBe('ada')
    expect(renew).not.toHaveBeenCalled()

    // Its lifetime, and the tolerance of ten seconds.
    await clock.advance(71_000)
    await vi.waitFor(() => expect(renew).toHaveBeenCalledOnce(), 15_000)
    await vi.waitFor(() => expect(states.at(-1)).toBe('open'), 15_000)
    expect(states).toContain(4003)
    expect(await client.call('WHO')).toBe('ada')
  })
})
