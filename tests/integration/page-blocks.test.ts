// The blocks of all pages that are files in tests compile: one run of the compiler for all.
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { pageTests, readBlocks, writeBlocks } from '../support/page-blocks.ts'
import { runNode } from '../support/run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = fileURLToPath(new URL('../page-blocks.generated', import.meta.url))
const names = Object.keys(pageTests) as (keyof typeof pageTests)[]

test('they compile', async () => {
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const name of names) await writeBlocks(`${folder}/${name}`, await readBlocks(name))
  await writeFile(`${folder}/tsconfig.json`, JSON.stringify({ extends: '../tsconfig.json', include: ['**/*.ts'] }))
  const tsc = await runNode([`${root}/node_modules/typescript/bin/tsc`, '-p', folder, '--noEmit'], { cwd: folder })
  expect(tsc).toEqual({ code: 0, output: '' })
}, 300_000)
