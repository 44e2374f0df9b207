// The documentation as a site: built, with all of its links, and read in a browser that reaches nothing else.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { errorCodes } from '@twinwire/core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { redirects } from '../../docs_site/.vitepress/redirects.ts'
import { referenceSidebar, sidebar, toAddress } from '../../docs_site/.vitepress/sidebar.ts'
import { redisBootErrors } from '../../packages/broker-redis/src/boot-errors.ts'
import { bootErrorCodes } from '../../packages/core/src/base/boot-error-codes.ts'
import { toAnchor } from '../../packages/core/src/base/docs-links.ts'
import { authBootErrors } from '../../packages/plugin-auth/src/boot-errors.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { freePort } from '../support/service.ts'
import { sitePages } from '../support/site-pages.ts'
import { findAccessFaults, keepScreenshot, openWatched } from '../support/watched-page.ts'

const folder = fileURLToPath(new URL('../../docs_site/', import.meta.url))
const program = join(folder, 'node_modules/vitepress/bin/vitepress.js')
const linksOf = (groups: typeof sidebar): readonly string[] =>
  groups.flatMap(({ items = [] }) => items.map(({ link = '' }) => link))

/** What readers look for, and the page, or one of those, that they should be shown among the first results. */
const searches: readonly (readonly [query: string, ...pages: readonly string[]])[] = [
  ['presence', 'topics'],
  ['subscribe', 'topics', 'client'],
  ['history', 'topics'],
  ['reconnect', 'client'],
  ['websocket auth', 'auth'],
  ['401', 'auth'],
  ['browser client', 'client'],
  ['graceful shutdown', 'running'],
  ['middleware', 'steps'],
  ['upload', 'uploads-and-streams'],
  ['migration', 'database', 'transactions'],
  ['nginx', 'behind-a-proxy'],
  ['E404', 'installing'],
  ['No WebSocket', 'client'],
  ['cors', 'http'],
  ['roles', 'auth'],
  ['two processes', 'cluster'],
  ['restart without downtime', 'behind-a-proxy'],
]

/** The label of the theme's button for the search lacks the names of its keys. */
const findOwnFaults = (page: Page, ...without: readonly string[]): Promise<readonly string[]> =>
  findAccessFaults(page, ['label-content-name-mismatch', ...without])

test('each page is in the sidebar, once', () => {
  const linked = linksOf(sidebar)
  expect(linked.toSorted()).toEqual(sitePages().map(toAddress).toSorted())
})

describe('the site', { timeout: 180_000 }, () => {
  let output = ''
  let url: string
  let stop = (): void => {}
  beforeAll(async () => {
    const run = spawnSync('npm', ['run', 'build'], { cwd: folder, encoding: 'utf8' })
    output = `${run.stdout}${run.stderr}`
    // A link to a page that does not exist ends it.
    expect(run.status, output).toBe(0)
    const port = await freePort()
    const child = spawn(process.execPath, [program, 'preview', folder, '--port', String(port)])
    stop = () => void child.kill()
    url = `http://localhost:${port}`
    await vi.waitFor(async () => expect((await fetch(url)).status).toBe(200), { timeout: 60_000, interval: 200 })
  }, 600_000)
  afterAll(() => stop())

  test('is built without a warning', () => {
    expect(output).not.toMatch(/warn|not loaded|fail/i)
  })

  test('has the reference of each entry point', async () => {
    const links = linksOf([referenceSidebar])
    expect(links).toContain('/reference/core-plugin')
    for (const link of links)
      expect([link, existsSync(join(folder, `.vitepress/dist${link}.html`))]).toEqual([link, true])
    const page = await (await fetch(`${url}/reference/core-plugin`)).text()
    expect(page).toContain('What a plugin is written with.')
    expect(page).toContain('id="definePlugin"'.toLowerCase())
  })

  test.each([
    ['boot-errors', Object.keys({ ...bootErrorCodes, ...authBootErrors, ...redisBootErrors })],
    ['wire-protocol', Object.keys(errorCodes)],
  ])('has an anchor in %s for each link that a message ends with', async (page, codes) => {
    const html = await (await fetch(`${url}/${page}`)).text()
    const ids = new Set([...html.matchAll(/\bid="([^"]+)"/g)].map(([, id = '']) => id))
    expect(codes.map(toAnchor).filter((anchor) => !ids.has(anchor))).toEqual([])
  })

  test.each(Object.entries(redirects))('/%s redirects to %s', async (name, target) => {
    const from = await fetch(`${url}/${name}`)
    const to = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(await from.text())?.[1]
    expect([from.status, to]).toEqual([200, `./${target}`])
    const page = await fetch(new URL(to ?? '', from.url))
    const [, anchor] = target.split('#')
    expect(page.status).toBe(200)
    expect(await page.text()).toContain(anchor === undefined ? '<h1' : `id="${anchor}"`)
  })

  test('says where to look, at an address that is none', async () => {
    const page = await fetch(`${url}/no-such-page`)
    expect(page.status).toBe(404)
    expect(await page.text()).toContain('Search for it')
  })

  test.skipIf(!hasChromium())('finds the page that is meant, among the first five results', async () => {
    const browser: Browser = await startChromium()
    try {
      const { page, faults } = await openWatched(browser, `${url}/once`, {})
      await page.keyboard.press('Control+k')
      const box = page.getByRole('searchbox')
      const options = page.getByRole('option')
      for (const [query, ...pages] of searches) {
        await box.fill('')
        await expect.poll(() => options.count()).toBe(0)
        await box.fill(query)
        await options.first().waitFor()
        const links = (await options.locator('a').all()).slice(0, 5)
        const first = await Promise.all(links.map((link) => link.getAttribute('href')))
        const names = first.map((href) => href?.replace(/^\/|#.*/g, ''))
        expect(
          pages.some((each) => names.includes(each)),
          `${query}: ${first.join(' ')}`,
        ).toBe(true)
      }
      expect(faults).toEqual([])
    } finally {
      await browser.close()
    }
  })

  test.skipIf(!hasChromium())(
    'can be read, searched and followed, in both schemes, and asks nothing of others',
    async () => {
      const browser: Browser = await startChromium()
      try {
        for (const colorScheme of ['light', 'dark'] as const) {
          const { page, faults, close } = await openWatched(browser, `${url}/once`, { colorScheme })
          await page.getByRole('heading', { name: 'Calls that have their effect once' }).waitFor()
          expect(await findOwnFaults(page), colorScheme).toEqual([])
          await keepScreenshot(page, `docs-site-${colorScheme}`)
          await page.keyboard.press('Control+k')
          await page.getByRole('searchbox').fill('bad_step_order')
          await page.getByRole('option').first().waitFor()
          await page.keyboard.press('Enter')
          await expect.poll(() => page.url()).not.toContain('/once')
          expect(await page.locator('main').textContent()).toContain('bad_step_order')
          expect(faults, colorScheme).toEqual([])
          await close()
        }
        const phone = await openWatched(browser, `${url}/wire-protocol#error-codes`, {
          viewport: { width: 360, height: 740 },
        })
        await phone.page.getByRole('heading', { name: 'Error codes' }).waitFor()
        expect(await phone.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
        await keepScreenshot(phone.page, 'docs-site-phone')
        expect(phone.faults).toEqual([])
      } finally {
        await browser.close()
      }
    },
  )

  test.skipIf(!hasChromium())(
    'every page fits a phone, and can be read by everyone',
    async () => {
      const browser: Browser = await startChromium()
      try {
        const viewport = { width: 360, height: 740 }
        const { page, faults } = await openWatched(browser, url, { viewport })
        const found: string[] = []
        for (const address of sitePages().map(toAddress)) {
          await page.goto(`${url}${address}`)
          await page.locator('main h1').first().waitFor()
          const width = Number(await page.evaluate('document.documentElement.scrollWidth'))
          if (width > viewport.width) found.push(`${address}: ${width} px`)
          // Colours are those of the theme, and take the most time: the test above has them.
          for (const fault of await findOwnFaults(page, 'color-contrast'))
            found.push(`${address}: ${fault.slice(0, 300)}`)
        }
        expect([...found, ...faults]).toEqual([])
      } finally {
        await browser.close()
      }
    },
    400_000,
  )
})
