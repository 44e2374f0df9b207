// A token in a cookie, in Chromium: a page of the app uses both wires without a token, and pages of other origins are refused, though the browser
// sends the cookie with all that they try.
import { createServer } from 'node:http'
import { type Connection, disconnects, reply, route } from '@twinwire/core'
import { definePlugin, pluginKey } from '@twinwire/core/plugin'
import { createTestApp } from '@twinwire/core/testing'
import { auth, authenticated } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { bundle } from '../support/bundle.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'

const cookieName = '__Host-access_token'
const chromiumThere = hasChromium()

/** What arrived with the cookie, from pages of other origins: `POST /save`, `upgrade`. */
const arrived: string[] = []
const saved: string[] = []
const connections: Connection[] = []

async function startApp() {
  const issuer = await createTestIssuer({ users: [{ username: 'ada' }], algorithms: ['ES256'] })
  const source = "import { createClient } from '@twinwire/client'\nObject.assign(globalThis, { createClient })"
  const script = await bundle({ source }, { platform: 'browser' })
  const html =
    '<!doctype html><title>Own</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'
  const watch = definePlugin(pluginKey('watch').of<null>(), {
    setup(host) {
      host.onRequest(({ wire, method, path, headers }) => {
        if (headers.cookie?.includes(cookieName) !== true || headers.origin === `http://${headers.host}`) return
        if (wire === 'ws' || method === 'POST') arrived.push(wire === 'ws' ? 'upgrade' : `${method} ${path}`)
      })
      host.onConnect((connection) => void connections.push(connection))
      return null
    },
  })
  const test = await createTestApp(
    {
      pkgIds: { WHO: 1, SAVE: 2 },
      routes: {
        WHO: route({ http: 'GET /who', use: [authenticated()], handler: (_input, { user }) => user.name }),
        SAVE: route({
          http: 'POST /save',
          use: [authenticated()],
          handler: (_input, { user }) => {
            saved.push(user.name)
            return 'saved'
          },
        }),
      },
      endpoints: [
        route({
          http: 'GET /page',
          access: 'public',
          handler: () => reply.text(html, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
        }),
        route({
          http: 'GET /page.js',
          access: 'public',
          handler: () => reply.text(script.text, { headers: { 'content-type': 'text/javascript; charset=utf-8' } }),
        }),
        route({
          http: { route: 'POST /sign-in', status: 204 },
          access: 'public',
          // So that the browser sends it with everything, and only the rule about origins refuses.
          handler: () =>
            reply(undefined, { cookies: { [cookieName]: { value: issuer.token('ada'), sameSite: 'none' } } }),
        }),
      ],
      plugins: [
        auth({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId, cookie: true }),
        watch,
      ],
      websocket: { origins: ['*'] },
    },
    { transport: 'uws' },
  )
  return {
    app: test.app,
    // Chromium takes it for secure, without TLS.
    own: `http://localhost:${test.address.port}`,
    async close() {
      await test.close()
      await issuer.stop()
    },
  }
}

/** A page of another origin. Of another port it is of the same site, of another host of another. */
async function startForeignPage(host: 'localhost' | '127.0.0.1'): Promise<string> {
  const server = createServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>Foreign</title><link rel="icon" href="data:,">')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It does not listen')
  return `http://${host}:${address.port}`
}

describe.skipIf(!chromiumThere)('a token in a cookie, in Chromium', () => {
  let subject: Awaited<ReturnType<typeof startApp>>
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    subject = await startApp()
    browser = await startChromium()
    page = await (await browser.newContext()).newPage()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await subject?.close()
  })

  test('a page of the app signs in, and calls over both wires', async () => {
    const { own, app } = subject
    await page.goto(`${own}/page`)
    await page.waitForFunction('typeof createClient === "function"')
    expect(await page.evaluate("fetch('/sign-in', { method: 'POST' }).then((answer) => answer.status)")).toBe(204)
    expect(await page.evaluate('document.cookie')).toBe('')
    const results = await page.evaluate(`(async () => {
      const options = { manifest: ${JSON.stringify(app.manifest())}, awaitAuth: true }
      globalThis.client = createClient(options)
      client.onState(({ status, closure }) => {
        if (status === 'closed' && closure.code === 4003)
          fetch('/sign-in', { method: 'POST' }).then(() => client.connect())
      })
      const overHttp = createClient({ ...options, wire: 'http' })
      return [await client.call('WHO'), await client.call('SAVE'), await overHttp.call('WHO'), await overHttp.call('SAVE')]
    })()`)
    expect([results, saved, arrived]).toEqual([['ada', 'saved', 'ada', 'saved'], ['ada', 'ada'], []])
  }, 60_000)

  test('its client comes back with another cookie when its token has expired', async () => {
    expect(connections.length).toBe(1)
    connections[0]?.close(disconnects.tokenExpired)
    await expect.poll(() => connections.length).toBe(2)
    expect(await page.evaluate("client.call('WHO')")).toBe('ada')
  }, 60_000)

  // Of the same site the browser sends every cookie, of other sites those with `SameSite=None`.
  test.each(['localhost', '127.0.0.1'] as const)(
    'a form of another origin on %s is refused, though the cookie comes with it',
    async (host) => {
      const { own } = subject
      const before = [saved.length, arrived.length]
      await page.goto(await startForeignPage(host))
      const [answer] = await Promise.all([
        page.waitForResponse(`${own}/save`),
        page.evaluate(`(() => {
          const form = Object.assign(document.createElement('form'), { method: 'post', action: '${own}/save' })
          document.body.append(form)
          form.submit()
        })()`),
      ])
      expect([answer.status(), await answer.json()]).toMatchObject([403, { error: { code: 'permission_denied' } }])
      expect([saved.length, arrived.slice(before[1])]).toEqual([before[0], ['POST /save']])
    },
    60_000,
  )

  test('a script of another origin is refused on both wires, though the cookie comes with it', async () => {
    const { own } = subject
    const before = [saved.length, arrived.length]
    await page.goto(await startForeignPage('localhost'))
    const sent = await page.evaluate(`(async () => {
      const answer = await fetch('${own}/save', { method: 'POST', mode: 'no-cors', credentials: 'include' })
      const socket = new WebSocket('${own.replace('http', 'ws')}/ws')
      return [answer.type, await new Promise((resolve) => {
        socket.onopen = () => resolve('open')
        socket.onerror = () => resolve('refused')
      })]
    })()`)
    expect(sent).toEqual(['opaque', 'refused'])
    expect([saved.length, arrived.slice(before[1])]).toEqual([before[0], ['POST /save', 'upgrade']])
  }, 60_000)
})
