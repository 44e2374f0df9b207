// The block of docs_site/cli.md: the commands work with it.
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { runNode } from '../support/run-node.ts'

const page = await readBlocks('cli-page')
const program = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))
const tests = fileURLToPath(new URL('..', import.meta.url))

describe('the block of the page about the command', () => {
  testBlocks(page)

  it('works with twinwire doctor', async () => {
    const flags = ['--conditions=@twinwire/source', '--import', 'tsx', program]
    const { code, output } = await runNode([...flags, 'doctor', '--tools', `${page.folder}/twinwire.ts`], {
      cwd: tests,
    })
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('The database is embedded') })
  }, 120_000)
})
