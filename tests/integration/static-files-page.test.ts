// The blocks of docs_site/static-files.md: they compile, and what is in them runs.
import type { App } from '@twinwire/core'
import { createTestApp, networkRawClient } from '@twinwire/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { originOf, programEnv } from '../support/page-origin.ts'
import { startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('static-files-page')
const { folder } = page
const files = {
  'public/index.html': '<p>',
  'public/main-3f9a1c22.js': 'void 0',
  'public/drafts/index.html': '<h1>',
  'public/drafts/plan.txt': 'a plan',
  'public/café/a.txt': 'tea',
}
/** Its root is a folder of the working directory. */
const serve = `import { closeOnSignals, createApp } from '@twinwire/core'
import { files } from './private-files.ts'

const app = createApp({ pkgIds: {}, routes: {}, endpoints: [files] })
await app.listen({ port: 0 })
closeOnSignals(app)
`

describe('the blocks of the page about static files', () => {
  testBlocks(page, { ...files, 'serve.ts': serve })

  it('run', async () => {
    const { testPage } = await import(`${folder}/test-page.ts`)
    expect(await testPage(`${folder}/public`)).toBe('<p>')
    const { exportAuthors } = await import(`${folder}/export.ts`)
    const { getInvoice } = await import(`${folder}/invoices.ts`)
    const app = await createTestApp({ pkgIds: {}, routes: {}, endpoints: [exportAuthors, getInvoice] })
    const { headers } = await app.request('GET /export')
    expect(headers['content-disposition']).toContain("filename*=UTF-8''%C3%9Cbersicht.csv")
    expect((await app.request('GET /invoices/0')).status).toBe(404)
    await app.close()
  })

  it('app.ts serves a folder, and its index to what a browser navigates to', async () => {
    const { app }: { app: App } = await import(`${folder}/app.ts`)
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const get = async (path: string, accept = 'text/html') => {
      const answer = await fetch(url + path, { headers: { accept } })
      return [answer.status, answer.headers.get('cache-control'), await answer.text()]
    }
    expect(await get('/')).toEqual([200, 'no-cache', '<p>'])
    expect(await get('/no/such/page')).toEqual([200, 'no-cache', '<p>'])
    expect(await get('/no/such/data', 'application/json')).toEqual([404, null, expect.any(String)])
    expect(await get('/main-3f9a1c22.js')).toEqual([200, expect.stringContaining('immutable'), 'void 0'])
    expect((await fetch(`${url}/index.html`, { method: 'POST' })).status).toBe(405)
  })

  it('private-files.ts refuses drafts, however they are spelled', async () => {
    const program = startProgram(folder, 'serve.ts', programEnv)
    const raw = networkRawClient({ port: Number(new URL(await originOf(program)).port) })
    const statuses: Record<string, number> = {}
    const paths = {
      '/': 200,
      '/caf%C3%A9/a.txt': 200,
      '/caf%c3%a9/%61.txt': 200,
      '/drafts/plan.txt': 403,
      '/drafts/none.txt': 403,
      '/drafts/': 403,
      '/%64rafts/plan.txt': 403,
      '/drafts%2Fplan.txt': 403,
      '/%E0%A4%A': 400,
    }
    for (const path of Object.keys(paths)) statuses[path] = (await raw.request({ method: 'GET', path })).status
    expect(statuses).toEqual(paths)
    // The folder itself is another name: its index is not sent without the slash.
    expect(await raw.request({ method: 'GET', path: '/drafts' })).toMatchObject({ status: 308 })
    await program.end()
  })
})
