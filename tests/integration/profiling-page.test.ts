// The blocks of docs_site/profiling.md: they compile, and the app starts.
import { describe, expect, it } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

const page = await readBlocks('profiling-page')

describe('the blocks of the page about profiles', () => {
  testBlocks(page)

  it('run', async () => {
    const { app } = await import(`${page.folder}/app.ts`)
    await app.ready()
    expect(app.describe().toString()).toContain('GET /profiling/cpu')
    await app.close()
  })
})
