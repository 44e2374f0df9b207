// The blocks of docs_site/static-files.md: they compile, and what is in them runs.
import { createTestApp } from '@twinwire/core/testing'
import { describe, expect, it } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

const page = await readBlocks('static-files-page')
const { folder } = page

describe('the blocks of the page about static files', () => {
  testBlocks(page, { 'public/index.html': '<p>' })

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
    const { app: shown } = await import(`${folder}/app.ts`)
    expect(shown).toBeDefined()
  })
})
