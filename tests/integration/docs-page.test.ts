// The page about the HTTP side of the reference application, in a browser that reaches nothing else.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as requestHttp } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp, guard, type Plugin, route } from '@twinwire/core'
import { openapi } from '@twinwire/plugin-openapi'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { type Example, startExample } from '../support/example.ts'
import { buildPages } from '../support/pages.ts'

const screenshots = fileURLToPath(new URL('../../test-results/screenshots/docs-page/', import.meta.url))
const startTimeoutMs = 180_000

describe.skipIf(!hasChromium())('the page about HTTP', { timeout: 120_000 }, () => {
  let example: Example
  let browser: Browser
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twinwire-docs-'))
    await buildPages()
    example = await startExample({ databaseUrl: `pglite://${join(folder, 'data')}` })
    browser = await startChromium()
  }, startTimeoutMs)
  afterAll(async () => {
    await browser?.close()
    await example?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Opens a page; when the test ends it must have requested nothing of another origin, broken no policy and reported no error. */
  async function open(options: BrowserContextOptions = {}, base = example.url): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options })
    const faults: string[] = []
    await context.route(
      (url) => url.origin !== new URL(base).origin,
      (route) => {
        faults.push(`request to ${route.request().url()}`)
        return route.abort()
      },
    )
    const page = await context.newPage()
    // An answer such as 401 is an error to the console, and not to us.
    page.on('console', (message) => {
      if (message.type() === 'error' && !/Failed to load resource: .* status of/.test(message.text()))
        faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(error.message))
    await context.exposeFunction('reportFault', (text: string) => void faults.push(text))
    await page.addInitScript(
      `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => reportFault(violatedDirective + ' ' + blockedURI))`,
    )
    onTestFinished(async () => {
      await context.close()
      expect(faults).toEqual([])
    })
    await page.goto(`${base}/docs`)
    await page.locator('.opblock').first().waitFor()
    return page
  }

  const operation = (page: Page) => page.locator('#operations-authors-GetAuthors')
  const expand = (page: Page) => operation(page).locator('.opblock-summary-control').click()

  async function authorize(page: Page, token: string): Promise<void> {
    await page.getByRole('button', { name: 'Authorize' }).click()
    const dialog = page.locator('.dialog-ux')
    await dialog.getByLabel('Value').fill(token)
    await dialog.getByRole('button', { name: 'Apply credentials' }).click()
    await dialog.locator('.btn-done').click()
  }

  /** The status of what is tried. */
  async function execute(page: Page): Promise<string | null> {
    await operation(page).getByRole('button', { name: 'Execute' }).click()
    return operation(page).locator('.live-responses-table .response-col_status').last().textContent()
  }

  it('tries a route without and with a token [defect 72]', async () => {
    const page = await open()
    expect(await page.title()).toBe('Authors: HTTP')
    await page.screenshot({ path: `${screenshots}light.png`, fullPage: true })
    await expand(page)
    await operation(page).getByRole('button', { name: 'Try it out' }).click()
    expect(await execute(page)).toContain('401')
    await authorize(page, example.tokens?.reader ?? '')
    await operation(page).getByPlaceholder('search').fill('le')
    await operation(page).getByRole('button', { name: 'Execute' }).click()
    await operation(page).locator('.live-responses-table', { hasText: 'Ursula' }).waitFor()
    await page.screenshot({ path: `${screenshots}tried.png` })
    expect(await operation(page).locator('.request-url').textContent()).toContain(`${example.url}/authors?search=le`)
    await page.locator('#websocket').click()
    await page.waitForURL(`${example.url}/docs/websocket`)
  })

  it('can be read in the dark', async () => {
    const page = await open({ colorScheme: 'dark' })
    await expand(page)
    await operation(page).locator('.header-col').first().waitFor()
    await page.screenshot({ path: `${screenshots}dark.png` })
    for (const selector of ['.top a', '.title', '.opblock-summary-path', '.parameter__name', '.header-col'])
      expect([selector, await contrast(page, selector)]).toEqual([selector, expect.toSatisfy((ratio) => ratio > 4.5)])
    await page.emulateMedia({ colorScheme: 'light' })
    for (const selector of ['.top a', '.title', '.header-col'])
      expect([selector, await contrast(page, selector)]).toEqual([selector, expect.toSatisfy((ratio) => ratio > 4.5)])
  })

  it('fits a phone', async () => {
    const page = await open({ viewport: { width: 360, height: 740 }, hasTouch: true })
    await page.screenshot({ path: `${screenshots}phone.png` })
    await expand(page)
    await operation(page).getByRole('button', { name: 'Try it out' }).click()
    await execute(page)
    await page.screenshot({ path: `${screenshots}phone-tried.png`, fullPage: true })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })

  it('is used by the keyboard', async () => {
    const page = await open()
    const focused = () => page.evaluate<string>('document.activeElement.id || document.activeElement.textContent')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the operations')
    await page.screenshot({ path: `${screenshots}keyboard.png` })
    const reached: string[] = []
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab')
      reached.push(await focused())
    }
    expect(reached).toEqual(expect.arrayContaining(['http', 'websocket', 'document', 'servers', 'Authorize']))
    await operation(page).locator('.opblock-summary-control').focus()
    await page.keyboard.press('Enter')
    await operation(page).getByRole('button', { name: 'Try it out' }).waitFor()
  })

  it('is opened with a cookie where guards protect it, and not without', async () => {
    const signedIn = guard({ name: 'signedIn', identity: 'required', run: () => {} })
    const cookies: Plugin = {
      name: 'cookies',
      setup: (host) =>
        host.identify(({ headers }) => (/session=ann/.test(headers.cookie ?? '') ? { id: 'ann', name: 'Ann' } : null), {
          credentialCookies: ['session'],
        }),
    }
    const app = createApp({
      environment: 'test',
      log: 'fatal',
      pkgIds: { GET_AUTHORS: 1 },
      routes: { GET_AUTHORS: route({ http: 'GET /authors', handler: () => ['Ursula'] }) },
      plugins: [cookies, openapi({ access: { use: [signedIn] } })],
    })
    onTestFinished(() => app.close())
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    expect((await fetch(`${url}/docs`)).status).toBe(401)
    const page = await open({ storageState: { cookies: [toCookie(url)], origins: [] } }, url)
    await expand(page)
    await operation(page).getByRole('button', { name: 'Try it out' }).click()
    expect(await execute(page)).toContain('200')
  })

  it('works behind a proxy that adds a prefix', async () => {
    const base = `${await startPrefixProxy(example.url, '/api/v1')}/api/v1`
    const page = await open({}, base)
    await expand(page)
    await operation(page).getByRole('button', { name: 'Try it out' }).click()
    await authorize(page, example.tokens?.reader ?? '')
    expect(await execute(page)).toContain('200')
    expect(await operation(page).locator('.request-url').textContent()).toContain(`${base}/authors`)
  })
})

const toCookie = (url: string) => ({
  name: 'session',
  value: 'ann',
  domain: new URL(url).hostname,
  path: '/',
  expires: -1,
  httpOnly: true,
  secure: false,
  sameSite: 'Strict' as const,
})

/** Of the text of the first element to what is behind it: 21 for black on white. */
function contrast(page: Page, selector: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    const parse = (text) => text.match(/[\\d.]+/g).map(Number)
    const element = document.querySelector(${JSON.stringify(selector)})
    let behind = element
    while (behind && (parse(getComputedStyle(behind).backgroundColor)[3] ?? 1) < 0.9) behind = behind.parentElement
    const luminance = (colour) => {
      const [r, g, b] = parse(colour).map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4))
      return 0.2126 * r + 0.7152 * g + 0.0722 * b
    }
    const page = behind ? getComputedStyle(behind).backgroundColor : 'rgb(255, 255, 255)'
    const [light, dark] = [luminance(getComputedStyle(element).color), luminance(page)].toSorted((a, b) => b - a)
    return (light + 0.05) / (dark + 0.05)
  })()`)
}

/** Passes what is below the prefix to the app, without it. */
async function startPrefixProxy(target: string, prefix: string): Promise<string> {
  const proxy = createServer((incoming, outgoing) => {
    if (incoming.url?.startsWith(`${prefix}/`) !== true) {
      outgoing.writeHead(404).end()
      return
    }
    const { method, headers } = incoming
    const sent = requestHttp(target + incoming.url.slice(prefix.length), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    sent.on('error', () => outgoing.destroy())
    incoming.pipe(sent)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  const address = proxy.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port')
  return `http://127.0.0.1:${address.port}`
}
