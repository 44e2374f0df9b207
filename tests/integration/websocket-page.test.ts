// The page of the WebSocket in Chromium, and the console of an app whose descriptions are hostile, and one without sign-in.

import {
  defineTopics,
  type EventTable,
  event,
  type RouteTable,
  route,
  staticFiles,
  stream,
  topic,
} from '@twinwire/core'
import { createTestApp, type TestApp } from '@twinwire/core/testing'
import { consoleFolder, openapi } from '@twinwire/plugin-openapi'
import type { Browser } from 'playwright-core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { findAccessFaults, keepScreenshot, openWatched, type WatchedPage } from '../support/watched-page.ts'

const waitMs = 30_000
const testMs = 120_000
const hostile = `<img src=x onerror="alert(1)"></script><script>alert(2)</script>'"`

interface Tree {
  name: string
  children: Tree[]
}
const Tree: v.GenericSchema<Tree> = v.object({ name: v.string(), children: v.array(v.lazy(() => Tree)) })

const app = () =>
  createTestApp(
    {
      pkgIds: { ECHO: 1, COUNT: 2, TREE: 3, CHOICE: 4, SAID: 100 },
      routes: {
        ECHO: route({
          summary: hostile,
          http: 'POST /echo/:id',
          access: 'public',
          input: v.object({
            id: v.number(),
            name: v.pipe(v.string(), v.title(hostile), v.description(hostile), v.examples([hostile])),
          }),
          output: v.object({ name: v.pipe(v.string(), v.description(hostile)) }),
          handler: ({ name }, call) => {
            call.broadcast(said, { text: name })
            return { name }
          },
        }),
        COUNT: route({
          http: 'GET /count/:to',
          access: 'public',
          input: v.object({ to: v.number() }),
          output: stream(v.object({ n: v.number() })),
          handler: async function* ({ to }) {
            for (let n = 1; n <= to; n += 1) yield { n }
          },
        }),
        TREE: route({ access: 'public', input: Tree, output: Tree, handler: (tree) => tree }),
        CHOICE: route({
          access: 'public',
          input: v.variant('kind', [
            v.object({ kind: v.literal('name'), name: v.nullable(v.string()) }),
            v.object({ kind: v.literal('size'), size: v.number(), tags: v.optional(v.array(v.picklist(['a', 'b']))) }),
          ]),
          output: v.unknown(),
          handler: (input) => input,
        }),
      },
      events: { SAID: said },
      topics: defineTopics({ 'tickets:{id}': topic({ subscribe: true, presence: true, authorize: () => true }) }),
      endpoints: [staticFiles({ root: consoleFolder(), prefix: '/', access: 'public' })],
      plugins: [openapi({ info: { title: hostile, version: hostile, description: hostile } })],
    },
    { transport: 'uws' },
  )

const said = event({ summary: hostile, data: v.object({ text: v.string() }) })

let started: Pick<TestApp<RouteTable, EventTable>, 'address' | 'close'>
let browser: Browser

describe.skipIf(!hasChromium())('pages in a browser', () => {
  beforeAll(async () => {
    ;[started, browser] = await Promise.all([app(), startChromium()])
  })
  afterAll(async () => {
    await browser?.close()
    await started?.close()
  })

  const open = async (path: string, options: Parameters<typeof openWatched>[2] = {}): Promise<WatchedPage> => {
    const watched = await openWatched(browser, `${started.address.url}${path}`, options)
    watched.page.setDefaultTimeout(waitMs)
    onTestFinished(async () => {
      await watched.close()
      expect(watched.faults).toEqual([])
    })
    return watched
  }

  test.each(['/docs/websocket', '/'])(
    'what a description says at %s is text',
    async (path) => {
      const { page } = await open(path)
      for (const place of [
        '#about',
        '#route/ECHO',
        '#event/SAID',
        '#connection',
        '#route/TREE',
        '#topic/tickets%3A%7Bid%7D',
      ]) {
        await page.goto(`${started.address.url}${path}${place}`)
        await page.locator(`.contents a[href="${place}"][aria-current]`).waitFor({ state: 'attached' })
        expect(await page.locator('img, script:not([src="page.js"]):not([src$="/page.js"])').count()).toBe(0)
      }
      await page.goto(`${started.address.url}${path}#route/ECHO`)
      await page.locator('main').getByText(hostile, { exact: true }).first().waitFor()
      expect(await page.title()).toContain(hostile)
    },
    testMs,
  )

  test.each(['light', 'dark'] as const)(
    'the page to read, %s: packages, events, topics, control frames, by link and on a phone',
    async (colorScheme) => {
      const { page } = await open('/docs/websocket', { colorScheme })
      await page.getByRole('link', { name: 'CHOICE' }).click()
      await page.getByRole('heading', { name: 'CHOICE' }).waitFor()
      expect(await page.locator('main').textContent()).toMatch(
        /"pkg_id": 4[\s\S]*form 1[\s\S]*kind[\s\S]*always "name"/,
      )
      expect(await page.getByRole('button', { name: 'Send' }).count()).toBe(0)
      expect(await findAccessFaults(page)).toEqual([])
      await keepScreenshot(page, `websocket-${colorScheme}`, true)
      await page.getByRole('searchbox').fill('said')
      expect(await page.getByRole('link', { name: 'CHOICE' }).count()).toBe(0)
      await page.getByRole('link', { name: 'SAID' }).click()
      await page.getByRole('heading', { name: 'SAID' }).waitFor()
      await page.goBack()
      await page.getByRole('heading', { name: 'CHOICE' }).waitFor()
      await page.setViewportSize({ width: 360, height: 740 })
      for (const place of ['#about', '#route/ECHO', '#connection']) {
        await page.goto(`${started.address.url}/docs/websocket${place}`)
        expect(await findAccessFaults(page), place).toEqual([])
        expect(await page.evaluate('document.documentElement.scrollWidth'), place).toBe(360)
      }
      await keepScreenshot(page, `websocket-phone-${colorScheme}`, true)
    },
    testMs,
  )

  test(
    'the console without sign-in: forms of lists, trees and alternatives, streams, JSON, an event of text that looks like HTML',
    async () => {
      const { page } = await open('/#route/CHOICE')
      const ok = page.locator('.entry.call[data-state=ok]')
      const send = () => page.getByRole('button', { name: 'Send' }).click()
      expect(await page.getByRole('button', { name: 'Sign in' }).count()).toBe(0)
      await page.getByLabel('Form').first().selectOption({ index: 1 })
      await page.getByLabel('size', { exact: true }).fill('1.5')
      await page.getByRole('button', { name: 'Add to tags' }).click()
      await page.getByLabel('tags 1').selectOption('b')
      await send()
      await ok.filter({ hasText: '"size": 1.5' }).filter({ hasText: '"b"' }).waitFor()

      await page.getByRole('button', { name: 'Edit as JSON' }).click()
      await page.getByLabel('Input as JSON').fill('{"kind":')
      await send()
      await page.getByText('The input is not JSON').waitFor()
      await page.getByLabel('Input as JSON').fill('{"kind":"name","name":null}')
      await page.getByRole('button', { name: 'Edit as a form' }).click()
      await send()
      await ok.filter({ hasText: '"name": null' }).waitFor()

      await page.goto(`${started.address.url}/#route/TREE`)
      await page.getByLabel('name', { exact: true }).fill('root')
      await page.getByRole('button', { name: 'Add to children' }).click()
      await page.getByLabel('name', { exact: true }).last().fill('leaf')
      await send()
      await ok.filter({ hasText: 'leaf' }).waitFor()

      await page.goto(`${started.address.url}/#route/COUNT`)
      for (const wire of ['WebSocket', 'HTTP']) {
        await page.getByLabel(wire, { exact: true }).check()
        await page.getByLabel('to', { exact: true }).fill('3')
        await send()
        await ok
          .filter({ hasText: 'COUNT' })
          .filter({ hasText: wire })
          .filter({ hasText: '3 items, the end' })
          .waitFor()
      }

      await page.goto(`${started.address.url}/#route/ECHO`)
      await page.getByLabel('id', { exact: true }).fill('7')
      await send()
      await page.locator('.entry.event').filter({ hasText: 'alert(1)' }).waitFor()
      expect(await page.locator('img').count()).toBe(0)

      await page.goto(`${started.address.url}/#topic/tickets%3A%7Bid%7D`)
      await page.getByRole('textbox', { name: 'Topic' }).fill('tickets:7')
      await page.getByRole('button', { name: 'Subscribe' }).click()
      await page.locator('.members li').waitFor()
      await keepScreenshot(page, 'console-anonymous', true)
    },
    testMs,
  )
})
