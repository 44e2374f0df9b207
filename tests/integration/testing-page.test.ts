// The tests of docs_site/testing.md, run as a reader runs them: by the command of vitest, in a folder of their own.
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { runNode } from '../support/run-node.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 300_000 })

const page = await readBlocks('testing-page')
const root = fileURLToPath(new URL('../..', import.meta.url))
const markdown = await readFile(`${root}/docs_site/testing.md`, 'utf8')
/** What a schedule that fails prints. */
const [, shown = ''] = /```text\n([\s\S]*?)```/.exec(markdown) ?? []
const command = /^`(TWINWIRE_SIMULATION_SEED)=(\d+) npx vitest run (\S+) -t '([^']+)'`/m.exec(markdown)

const config = `const conditions = ['@twinwire/source', 'node']
export default { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } }, test: { maxWorkers: 2, testTimeout: 60_000 } }
`

interface Run {
  readonly code: number | null
  /** By file: the titles of tests that have passed. */
  readonly passed: Readonly<Record<string, readonly string[]>>
  /** By title, what the error says. */
  readonly failed: Readonly<Record<string, string>>
}

describe('the tests of the page about testing', () => {
  testBlocks(page, { 'vitest.config.mjs': config })

  async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    const vitest = `${root}/node_modules/vitest/vitest.mjs`
    const out = `${page.folder}/results.json`
    const { code, output } = await runNode([vitest, 'run', '--reporter=json', `--outputFile=${out}`, ...args], {
      cwd: page.folder,
      env: { ...process.env, VITEST: undefined, VITEST_JSON_OUTPUT_FILE: undefined, ...env },
    })
    const results: unknown = JSON.parse(await readFile(out, 'utf8').catch(() => expect.fail(output)))
    const passed: Record<string, string[]> = {}
    const failed: Record<string, string> = {}
    for (const { name, assertionResults } of Object(results).testResults)
      for (const { title, status, failureMessages } of assertionResults) {
        if (status === 'passed') {
          const file = name.replace(`${page.folder}/`, '')
          passed[file] = [...(passed[file] ?? []), title]
        }
        if (status === 'failed') failed[title] = failureMessages.join('\n')
      }
    return { code, passed, failed }
  }

  it('pass, but for the one with a defect, whose error is the one that is shown', async () => {
    const { passed, failed } = await run([])
    const { 'codec.test.ts': codec, ...others } = passed
    expect(codec?.length).toBeGreaterThan(20)
    expect(others).toEqual({
      'rename.test.ts': ['renames over both wires', 'rejects an empty name'],
      'request.test.ts': ['answers what a client of HTTP sees'],
      'transports.test.ts': ['answers on both wires', 'answers on both wires'],
      'event.test.ts': ['reaches every client'],
      'command.test.ts': ['renames an author, once for each version'],
      'add-author.test.ts': ['adds an author, whose name is then taken'],
      'chat.test.ts': ['shows no line twice, and comes back'],
      'add-author-schedules.test.ts': ['answers what the database has'],
    })
    expect(Object.keys(failed)).toEqual(['shows no line twice'])
    // Numbers, such as times and ids, are those of a version of core.
    const shapes = (text: string): readonly string[] =>
      text.split('\n').map((line) => line.trim().replaceAll(/\d+/g, '0'))
    const lines = shapes(shown).filter((line) => line !== '' && line !== '…')
    expect(lines.length).toBeGreaterThan(8)
    expect(shapes(failed['shows no line twice'] ?? '')).toEqual(expect.arrayContaining([...lines]))
  })

  it('plays the seed of the page alone', async () => {
    const [, variable = '', seed = '', file = '', title = ''] = command ?? []
    const { code, failed } = await run([file, '-t', title], { [variable]: seed })
    expect(code).toBe(1)
    expect(failed[title]).toContain(`The schedule of seed ${seed} failed: The invariant does not hold`)
    expect(shown).toContain(`The schedule of seed ${seed} failed`)
  })
})
