// The console of the example in Chromium: a user signs in, calls over both wires, and sees replies, events, frames and denied calls.
import { copyFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { type Example, startExample } from '../support/example.ts'
import { findAccessFaults, keepScreenshot, openWatched, type WatchedPage } from '../support/watched-page.ts'

/** An embedded database and a browser take their time on a busy machine. */
const startTimeoutMs = 180_000
const waitMs = 30_000
const testMs = 120_000
const picture = fileURLToPath(new URL('../../docs_site/images/console.png', import.meta.url))

let example: Example
let browser: Browser

describe.skipIf(!hasChromium())('the console', () => {
  beforeAll(async () => {
    ;[example, browser] = await Promise.all([startExample({ databaseUrl: 'pglite://memory' }), startChromium()])
  }, startTimeoutMs)
  afterAll(async () => {
    await browser?.close()
    await example?.stop()
  })

  /** Opens it at a place, without a fault at the end of the test. */
  const open = async (hash = '', options: Parameters<typeof openWatched>[2] = {}): Promise<WatchedPage> => {
    const watched = await openWatched(browser, `${example.url}/${hash}`, options)
    watched.page.setDefaultTimeout(waitMs)
    onTestFinished(async () => {
      await watched.close()
      expect(watched.faults).toEqual([])
    })
    return watched
  }

  const signIn = async (page: Page, user: 'admin' | 'reader', lifetime = '5 minutes'): Promise<void> => {
    await page.getByLabel('Development user').selectOption(user)
    await page.getByLabel('Token valid for').selectOption(lifetime)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('WebSocket connected').waitFor()
  }
  const entries = (page: Page) => page.locator('.entries:not(.frames) .entry')
  const send = async (page: Page, state: 'failed' | 'ok'): Promise<string> => {
    await page.getByRole('button', { name: 'Send' }).click()
    const entry = page.locator(`.entry.call[data-state=${state}]`).first()
    await entry.waitFor()
    return (await entry.textContent()) ?? ''
  }

  test(
    'calls over both wires, and shows reply, status and time',
    async () => {
      const { page } = await open('#route/GET_AUTHORS')
      await signIn(page, 'admin')
      await page.getByText('create-author', { exact: true }).first().waitFor()
      expect(await send(page, 'ok')).toMatch(
        /GET_AUTHORS[\s\S]*WebSocket[\s\S]*status_code 0 OK[\s\S]*\d ms[\s\S]*10 items[\s\S]*Octavia/,
      )
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByLabel('HTTP', { exact: true }).check()
      await page.getByLabel('search', { exact: false }).last().fill('eco')
      expect(await send(page, 'ok')).toMatch(/HTTP[\s\S]*HTTP 200[\s\S]*\d ms[\s\S]*1 item[\s\S]*Umberto Eco/)
      await page.getByText('Errors', { exact: true }).last().click()
      await keepScreenshot(page, 'console-reply', true)
      // No value of JSON is dropped by the form.
      const json = page.getByLabel('Input as JSON')
      await page.getByRole('button', { name: 'Edit as JSON' }).click()
      await json.fill('{"name":"","surprise":[]}')
      await page.getByRole('button', { name: 'Edit as a form' }).click()
      await page.getByText('The form has no place for surprise').waitFor()
      await json.fill('{"name":""}')
      await page.getByRole('button', { name: 'Edit as a form' }).click()
      expect(await page.getByLabel('sent even if empty').and(page.locator(':checked')).count()).toBe(1)
      await page.getByRole('button', { name: 'Edit as JSON' }).click()
      expect(JSON.parse(await json.inputValue())).toEqual({ name: '' })
    },
    testMs,
  )

  test(
    'a created author arrives as an event; a topic tells who follows it',
    async () => {
      const { page } = await open('#topic/authors')
      await signIn(page, 'admin')
      await page.getByRole('button', { name: 'Subscribe' }).click()
      await page.getByText('subscribed at offset').waitFor()
      await page.locator('.members li').filter({ hasText: 'admin' }).first().waitFor()

      const other = await open('#topic/authors')
      await signIn(other.page, 'reader')
      await other.page.getByRole('button', { name: 'Subscribe' }).click()
      await page.locator('.members li').filter({ hasText: 'reader' }).waitFor()
      await entries(page).filter({ hasText: 'reader has joined' }).waitFor()

      await page.getByRole('link', { name: 'CREATE_AUTHOR' }).click()
      await page.getByRole('heading', { name: 'CREATE_AUTHOR' }).waitFor()
      await page.getByLabel('name', { exact: true }).fill('Italo Calvino')
      await page.getByLabel('name', { exact: true }).press('Control+Enter')
      for (const each of [page, other.page]) {
        await entries(each).filter({ hasText: 'AUTHOR_CREATED' }).filter({ hasText: 'Italo Calvino' }).waitFor()
        await entries(each).filter({ hasText: 'AUTHOR_CHANGED' }).filter({ hasText: 'topic authors' }).waitFor()
      }
      if (process.env['UPDATE_PICTURE'] === '1') await copyFile(await keepScreenshot(page, 'console'), picture)

      await other.page.getByRole('button', { name: 'Unsubscribe' }).click()
      await entries(page).filter({ hasText: 'reader has left' }).waitFor()
    },
    testMs,
  )

  test(
    'a refused role: status, codes, what is needed, and what the user has',
    async () => {
      const { page, faults } = await open('#route/DELETE_AUTHOR')
      await signIn(page, 'reader')
      await page.getByText('You lack the role delete-author').waitFor()
      // What cannot be read is neither sent nor lost with the wire.
      await page.getByLabel('id', { exact: true }).fill('0x1')
      await page.getByRole('button', { name: 'Send' }).click()
      await page.getByText('id: 0x1 is not a number').waitFor()
      await page.getByLabel('HTTP', { exact: true }).check()
      expect(await page.getByLabel('id', { exact: true }).inputValue()).toBe('0x1')
      await page.getByLabel('WebSocket', { exact: true }).check()
      await page.getByLabel('id', { exact: true }).fill('1')
      expect(await send(page, 'failed')).toMatch(
        /status_code 3 PERMISSION_DENIED[\s\S]*permission_denied[\s\S]*It needs: delete-author[\s\S]*You have: get-authors[\s\S]*You lack: delete-author/,
      )
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.getByLabel('HTTP', { exact: true }).check()
      expect(await send(page, 'failed')).toMatch(/HTTP 403[\s\S]*You lack: delete-author/)
      // The browser itself reports each answer of 400 and more.
      expect(faults.splice(0)).toEqual([expect.stringContaining('403')])
      await keepScreenshot(page, 'console-refused', true)
    },
    testMs,
  )

  test(
    'a pasted token works, and no token is anywhere: not in frames, storage, cookies or addresses',
    async () => {
      const token = example.tokens?.reader ?? ''
      const { page, urls } = await open('#route/GET_AUTHORS')
      await page.getByLabel('or a token').fill(`Bearer ${token}`)
      await page.getByRole('button', { name: 'Use it' }).click()
      await page.getByText('Signed in as reader').waitFor()
      await page.getByText('WebSocket connected').waitFor()
      await send(page, 'ok')
      await page.getByLabel('HTTP', { exact: true }).check()
      await send(page, 'ok')
      await page.locator('.entry', { hasText: 'HTTP 200' }).waitFor()
      await page.getByRole('button', { name: 'Raw frames' }).click()
      await page.locator('.frames').getByText('authorization: Bearer ••••').waitFor()
      expect(await page.locator('.frames').textContent()).toContain('"type":"auth","token":"••••"')
      await keepScreenshot(page, 'console-frames', true)

      const everywhere: unknown = await page.evaluate(
        `JSON.stringify([document.documentElement.outerHTML, location.href, document.cookie, { ...localStorage }, { ...sessionStorage },
        [...document.querySelectorAll('input, textarea')].map((each) => each.value)])`,
      )
      const [, payload = '', signature = ''] = token.split('.')
      expect(signature.length).toBeGreaterThan(40)
      for (const part of [token, payload, signature])
        expect(`${String(everywhere)} ${urls.join(' ')}`).not.toContain(part)
      expect(await page.context().cookies()).toEqual([])
      expect(await page.evaluate('[localStorage.length, sessionStorage.length]')).toEqual([0, 0])

      await page.reload()
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
    },
    testMs,
  )

  test('a short token is renewed by itself, without another connection; without that it ends', async () => {
    const { page, urls } = await open()
    await signIn(page, 'admin', '20 seconds')
    await page.getByText('Token expires in 0:').waitFor()
    await entries(page).filter({ hasText: 'Token renewed' }).nth(1).waitFor({ timeout: 90_000 })
    expect(urls.filter((url) => url.startsWith('ws:'))).toHaveLength(1)
    await page.getByLabel('renew by itself').uncheck()
    await page.getByText('WebSocket closed (4003 Token expired)').waitFor({ timeout: 90_000 })
    await page.getByText('Token expired', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Renew now' }).click()
    await page.getByText('Token expires in 0:').waitFor()
  }, 240_000)

  test.each(['light', 'dark'] as const)(
    'axe-core finds nothing, %s, and a phone has no horizontal scroll',
    async (colorScheme) => {
      const { page } = await open('#route/GET_PAGINATED_AUTHORS', { colorScheme })
      await page.getByRole('heading', { name: 'GET_PAGINATED_AUTHORS' }).waitFor()
      expect(await findAccessFaults(page)).toEqual([])
      await signIn(page, 'reader')
      await page.getByLabel('send it').check()
      await send(page, 'ok')
      expect(await findAccessFaults(page)).toEqual([])
      await keepScreenshot(page, `console-${colorScheme}`, true)
      for (const place of [
        '#route/DELETE_AUTHOR',
        '#event/AUTHOR_CHANGED',
        '#topic/authors',
        '#connection',
        '#about',
      ]) {
        await page.setViewportSize({ width: 360, height: 740 })
        await page.goto(`${example.url}/${place}`)
        expect(await findAccessFaults(page), place).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth'), place).toBe(360)
        await keepScreenshot(page, `console-phone-${colorScheme}-${place.replace(/\W+/g, '-')}`, true)
      }
    },
    240_000,
  )

  test(
    'all of it by keyboard',
    async () => {
      const { page } = await open()
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      expect(await page.evaluate('document.activeElement.id')).toBe('main')
      const focus = async (name: string): Promise<void> => {
        for (let presses = 0; presses < 80; presses += 1) {
          const text: unknown = await page.evaluate(
            'document.activeElement.innerText || document.activeElement.name || ""',
          )
          if (String(text).startsWith(name)) return
          await page.keyboard.press('Shift+Tab')
        }
        throw new Error(`${name} cannot be reached`)
      }
      await focus('Sign in')
      await page.keyboard.press('Enter')
      await page.getByText('WebSocket connected').waitFor()
      for (let presses = 0; presses < 80; presses += 1) {
        const text: unknown = await page.evaluate('document.activeElement.innerText')
        if (text === 'Send') break
        await page.keyboard.press('Tab')
      }
      await page.keyboard.press('Enter')
      await page.locator('.entry.call[data-state=ok]').waitFor()
      expect(await page.locator('[role=status]').last().textContent()).toContain('GET_AUTHORS')
    },
    testMs,
  )
})
