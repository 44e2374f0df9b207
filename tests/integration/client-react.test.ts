// The hooks of @twinwire/client/react in Chromium, with React 18 and 19, in strict mode.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../support/bundle.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import type { CaseReport } from '../support/client-hosts/cases.ts'
import { type HostServer, startHostServer } from '../support/client-hosts/host-server.ts'

const caseCount = 12
const versions = {
  'React-18': { react: 'react-18', 'react-dom': 'react-dom-18' },
  'React-19': {},
} as const

describe.skipIf(!hasChromium())('the hooks', () => {
  let server: HostServer
  let browser: Browser
  beforeAll(async () => {
    const pages = await Promise.all(
      Object.entries(versions).map(async ([name, alias]) => {
        // The builds for development: they have strict mode.
        const define = { 'process.env.NODE_ENV': '"development"' }
        const { text } = await bundle('support/client-react/react-page.ts', { platform: 'browser', alias, define })
        const html = `<!doctype html><title>${name}</title><link rel="icon" href="data:,"><body><script type="module" src="/${name}.js"></script>`
        return [[`/${name}`, html] as const, [`/${name}.js`, text] as const]
      }),
    )
    server = await startHostServer(new Map(pages.flat()))
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  test.concurrent.each(Object.keys(versions))(
    'with %s',
    async (name) => {
      const page = await (await browser.newContext()).newPage()
      const problems: string[] = []
      page.on('pageerror', (error) => problems.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text())
      })
      await page.goto(`${server.origin}/${name}`)
      const config = await server.configOf(name)
      const reports: readonly CaseReport[] = JSON.parse(
        await page.evaluate(`runCases(${JSON.stringify(config)}).then(JSON.stringify)`),
      )
      expect(reports.filter(({ error }) => error !== null)).toEqual([])
      expect(reports).toHaveLength(caseCount)
      // What the boundary has caught is reported by React, and a connection that is refused by the browser.
      expect(problems.filter((each) => !/routes|boundary|WebSocket|ERR_/.test(each))).toEqual([])
    },
    120_000,
  )
})
