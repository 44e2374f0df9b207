// The blocks of docs_site/client-react.md run in Chromium against the app of the page.
import { writeFile } from 'node:fs/promises'
import { createClient } from '@twinwire/client'
import type { App } from '@twinwire/core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { bundle } from '../support/bundle.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { originOf, programEnv } from '../support/page-origin.ts'
import { startProgram } from '../support/page-program.ts'
import { runNode } from '../support/run-node.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('client-react-page')
const { folder } = page
/** As the page of the document, with what it shows further. */
const others = `
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createElement as h, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { client, TwinwireProvider } from './client.ts'
import { LiveTasks } from './live-tasks.tsx'
import { Offline } from './offline.tsx'
import { QueryTasks } from './query-tasks.tsx'

const below = h(QueryClientProvider, { client: new QueryClient() }, h(LiveTasks), h(Offline), h(QueryTasks))
createRoot(document.getElementById('root')!).render(h(StrictMode, null, h(TwinwireProvider, { client }, below)))
`

const chromiumThere = hasChromium()

describe('the page about React', () => {
  testBlocks(page, { 'others.ts': others })

  let app: App
  let url: string
  let browser: Browser
  const problems: string[] = []
  beforeAll(async () => {
    const loaded: { readonly app: App } = await import(`${folder}/app.ts`)
    app = loaded.app
    ;({ url } = await app.listen({ port: 0 }))
    const args = ['--conditions=@twinwire/source', '--import', 'tsx', 'write-manifest.ts']
    expect(await runNode(args, { cwd: folder })).toMatchObject({ code: 0 })
    if (chromiumThere) browser = await startChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await app?.close()
  })

  it('server.ts serves the app and its page', async () => {
    const program = startProgram(folder, 'server.ts', programEnv)
    const origin = await originOf(program)
    const document = page.documents.find(({ name }) => name === 'public/index.html')?.code
    expect(await (await fetch(`${origin}/`)).text()).toBe(document)
    const client = createClient({ url: origin, manifest: app.manifest(), WebSocket })
    expect(await client.call('ADD_TASK', { title: 'Sweep' })).toMatchObject({ title: 'Sweep' })
    client.close()
    await program.end()
  })

  it('has an adapter of ten lines', () => {
    const { code = '' } = page.blocks.find(({ name }) => name === 'queries.ts') ?? {}
    const [, adapter = ''] = /\n(export function [\s\S]*)$/.exec(code) ?? []
    expect(adapter.trim().split('\n').length).toBeLessThanOrEqual(10)
    expect(adapter).toContain('queryOptions(')
  })

  it.skipIf(!chromiumThere)('calls, shows errors, and follows what others do', async () => {
    const page = await open('main.tsx')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('alert').filter({ hasText: 'validation_error' }).waitFor()
    await page.getByLabel('title').fill('Water the plants')
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('listitem').filter({ hasText: 'Water the plants' }).waitFor()
    await add('Buy milk')
    await page.getByRole('listitem').filter({ hasText: 'Buy milk' }).waitFor()
    await page.getByLabel('search').fill('milk')
    await expect.poll(() => page.getByRole('listitem').allTextContents()).toEqual(['Buy milk'])
    await page.close()
  })

  it.skipIf(!chromiumThere)('keeps a state by events, and a query library is told by them', async () => {
    const page = await open('others.ts')
    await page.getByRole('button', { name: 'Call Ada' }).click()
    const states = () => page.getByRole('status').allTextContents()
    const first = 'Water the plants, Buy milk, Call Ada'
    await expect.poll(states).toEqual([first, first])
    await add('Sleep')
    await expect.poll(states).toEqual([`${first}, Sleep`, `${first}, Sleep`])
    await page.close()
    expect(problems).toEqual([])
  })

  /** Served by the app, with its content security policy. */
  async function open(entry: string): Promise<Page> {
    const script = await bundle(`client-react-page.generated/${entry}`, {
      platform: 'browser',
      jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"development"' },
    })
    await writeFile(`${folder}/public/main.js`, script.text)
    const page = await (await browser.newContext()).newPage()
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    await page.goto(`${url}/`)
    return page
  }

  async function add(title: string): Promise<void> {
    const client = createClient({ url, manifest: app.manifest(), WebSocket })
    await client.call('ADD_TASK', { title })
    client.close()
  }
})
