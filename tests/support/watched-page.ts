import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

const screenshots = fileURLToPath(new URL('../../test-results/screenshots/', import.meta.url))
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** A page that reaches its own origin only, with what went wrong in it. */
export interface WatchedPage {
  readonly page: Page
  /** Errors of the console and of scripts, violations of the policy, and requests to other origins. */
  readonly faults: string[]
  /** Of every request, in order. */
  readonly urls: string[]
  close(): Promise<void>
}

/** Opens a page of an origin in a browser profile of its own. */
export async function openWatched(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const { origin } = new URL(url)
  const faults: string[] = []
  const urls: string[] = []
  await context.route(
    (each) => each.origin !== origin && each.protocol !== 'data:',
    (route) => {
      faults.push(`request to ${route.request().url()}`)
      return route.abort()
    },
  )
  const page = await context.newPage()
  page.on('request', (request) => urls.push(request.url()))
  page.on('websocket', (socket) => urls.push(socket.url()))
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  await page.goto(url)
  return { page, faults, urls, close: () => context.close() }
}

/**
 * What axe-core finds, each as the rule and where. It is evaluated, not loaded: the policy of the page allows no other script. `without`: rules that are
 * not asked.
 */
export async function findAccessFaults(page: Page, without: readonly string[] = []): Promise<readonly string[]> {
  await page.evaluate(readFileSync(axePath, 'utf8'))
  const rules = JSON.stringify(Object.fromEntries(without.map((rule) => [rule, { enabled: false }])))
  const found: unknown = await page.evaluate(
    `axe.run({ rules: ${rules} }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map((each) => each.html).join(' | ')))`,
  )
  return Array.isArray(found) ? found.map(String) : [`axe-core returned ${String(found)}`]
}

/** Keeps a picture for people in test-results, outside of git. Returns its path. */
export async function keepScreenshot(page: Page, name: string, fullPage = false): Promise<string> {
  mkdirSync(screenshots, { recursive: true })
  const path = `${screenshots}${name}.png`
  await page.screenshot({ path, fullPage, animations: 'disabled' })
  return path
}
