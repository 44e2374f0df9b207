// The blocks of docs_site/client-react.md: they compile, and run in Chromium against the app of the page.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from '@twinwire/client'
import type { App } from '@twinwire/core'
import type { Browser, Page } from 'playwright-core'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { bundle } from '../support/bundle.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const folder = fileURLToPath(new URL('../client-react-page.generated', import.meta.url))
const text = await readFile(`${root}/docs_site/client-react.md`, 'utf8')
const blocks = new Map(
  [...text.matchAll(/```tsx?\n\/\/ ([\w-]+\.tsx?)\n([\s\S]*?)```/g)].map(([, name = '', code = '']) => [name, code]),
)
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
  let app: App
  let url: string
  let browser: Browser
  const problems: string[] = []
  beforeAll(async () => {
    await mkdir(folder, { recursive: true })
    for (const [name, code] of blocks) await writeFile(`${folder}/${name}`, code)
    await writeFile(`${folder}/others.ts`, others)
    const loaded: { readonly app: App } = await import(`${folder}/app.ts`)
    app = loaded.app
    ;({ url } = await app.listen({ port: 0 }))
    await writeFile(`${folder}/manifest.json`, JSON.stringify(app.manifest()))
    if (chromiumThere) browser = await startChromium()
  })
  afterAll(async () => {
    await browser?.close()
    await app?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('has the blocks that are meant, and an adapter of ten lines', () => {
    const names = 'app.ts client.ts tasks.tsx main.tsx live-tasks.tsx offline.tsx queries.ts query-tasks.tsx'
    expect([...blocks.keys()]).toEqual(names.split(' '))
    expect(text.match(/```tsx?\n/g)).toHaveLength(blocks.size)
    const [, adapter = ''] = /\n(export function [\s\S]*)$/.exec(blocks.get('queries.ts') ?? '') ?? []
    expect(adapter.trim().split('\n').length).toBeLessThanOrEqual(10)
  })

  it('type checks unchanged', () => {
    expect(typeErrors([...blocks.keys()].map((name) => `${folder}/${name}`))).toEqual([])
  }, 300_000)

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

  /** Served from the origin of the app, as its proxy would. */
  async function open(entry: string): Promise<Page> {
    const context = await browser.newContext()
    // A document that the test supplies is from no address, and so may not reach one of this machine.
    await context.grantPermissions(['local-network-access'], { origin: url })
    const page = await context.newPage()
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    const script = await bundle(`client-react-page.generated/${entry}`, {
      platform: 'browser',
      jsx: 'automatic',
      define: { 'process.env.NODE_ENV': '"development"' },
    })
    const html =
      '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>'
    await page.route(`${url}/`, (route) => route.fulfill({ contentType: 'text/html', body: html }))
    await page.route(`${url}/page.js`, (route) => route.fulfill({ contentType: 'text/javascript', body: script.text }))
    await page.goto(`${url}/`)
    return page
  }

  async function add(title: string): Promise<void> {
    const client = createClient({ url, manifest: app.manifest(), WebSocket })
    await client.call('ADD_TASK', { title })
    client.close()
  }
})

function typeErrors(files: readonly string[]): readonly string[] {
  const { config } = ts.readConfigFile(`${root}/tsconfig.base.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const program = ts.createProgram(files, {
    ...options,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    jsx: ts.JsxEmit.ReactJSX,
    resolveJsonModule: true,
  })
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1
    return `${file?.fileName.replace(folder, '')}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
