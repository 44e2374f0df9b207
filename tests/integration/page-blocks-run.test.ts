// Each block of a page is run: a test of the page names its file, a block that is run imports or starts it, or the page is played and starts it.
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type PageBlocks, pageGroups, readBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks } from '../support/page-program.ts'
import { playedPages } from '../support/played-page.ts'

/** By group, or by group and block: blocks that run without being named here. */
const runOtherwise: Readonly<Record<string, string>> = {
  'client-page': 'client-page.test.ts runs all programs of the page',
  'coming-from/nestjs/theirs.ts': 'coming-from.test.ts compiles it, and runs that',
  'database-page/drizzle.config.ts': 'drizzle-kit reads it',
  'testing-page/retry.test.ts': 'testing-page.test.ts runs all tests of the page',
  'uploads-page/mounted.ts': 'fetch-handlers.test.ts runs it',
  'write-a-plugin/tsup.config.ts': 'npm run test:outsider builds the package',
  'write-a-plugin/test/conformance.test.ts': 'npm run test:outsider tests the package',
}

const folder = fileURLToPath(new URL('.', import.meta.url))
const tests = readdirSync(folder)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))

/** The files that a block imports for more than their types, or starts. */
function filesOf({ name, code }: PageBlocks['blocks'][number]): readonly string[] {
  const found = code.replaceAll(/^import type .*$/gm, '').matchAll(/'(\.\.?\/[^']+\.[jt]sx?)'/g)
  return [...found].map(([, path = '']) => posix.join(posix.dirname(name), path))
}

/** The blocks of a group that nothing runs, as far as names tell. */
async function notRun(group: string): Promise<readonly string[]> {
  const { blocks } = await readBlocks(group)
  const isPlayed = group in playedPages
  const reads = (text: string): boolean =>
    text.includes(`readBlocks('${group}'`) || (isPlayed && /^import .*\bplayPage\b/m.test(text))
  const readers = tests.filter(reads).join('\n')
  const commands = isPlayed ? shownBlocks(readPage(group), 'sh').join('\n') : ''
  const run = new Set<string>()
  const add = (name: string): void => {
    const block = blocks.find((each) => each.name === name)
    if (block === undefined || run.has(name)) return
    run.add(name)
    for (const file of filesOf(block)) add(file)
  }
  for (const block of blocks) {
    const isNamed = new RegExp(`(?<![\\w-])${block.name.replaceAll('.', String.raw`\.`)}`).test(readers)
    const isStarted = isPlayed && (block.code.includes('.listen(') || commands.includes(block.name))
    if (isNamed || isStarted) add(block.name)
  }
  return blocks.flatMap(({ name }) => (run.has(name) ? [] : [`${group}/${name}`]))
}

test('each block of the pages is run', async () => {
  const left = (await Promise.all([...pageGroups().keys()].map(notRun))).flat()
  const reasons = Object.keys(runOtherwise)
  const covers = (reason: string, block: string): boolean => block === reason || block.startsWith(`${reason}/`)
  expect(left.filter((block) => !reasons.some((reason) => covers(reason, block)))).toEqual([])
  // No reason is left over.
  expect(reasons.filter((reason) => !left.some((block) => covers(reason, block)))).toEqual([])
})
