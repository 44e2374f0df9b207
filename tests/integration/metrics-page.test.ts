// The blocks of docs_site/metrics.md run, and a scrape has what the page shows. What each metric counts: metrics-truth.test.ts.
import process from 'node:process'
import { describe, expect, it, vi } from 'vitest'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks, startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('metrics')
// Before the tests: those of a block become tests of this file.
await writeBlocks(page.folder, page)

describe('the blocks of the page about metrics', async () => {
  testBlocks(page)

  await import(/* @vite-ignore */ `${page.folder}/billing.test.ts`)

  it('main.ts serves the lines that the page shows', async () => {
    const program = startProgram(page.folder, 'main.ts', { PORT: '0', ENV: 'dev' })
    const [url] = await program.find(/^http:\S+$/m)
    expect(await (await fetch(`${url}/books/7`)).json()).toEqual({ id: 7 })
    const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n')
    const shown = (shownBlocks(readPage('metrics'), 'text')[0] ?? '').replace(
      /node_version="[^"]*"/,
      `node_version="${process.versions.node}"`,
    )
    expect(lines.filter((line) => /^(http_requests_total|app_info)/.test(line))).toEqual(shown.split('\n'))
    await program.end()
  })
})
