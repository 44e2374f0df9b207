// The blocks of all pages are whole files, and compile: one run of the compiler for all.
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { otherSettings, pageGroups, readBlocks, writeBlocks } from '../support/page-blocks.ts'
import { runNode } from '../support/run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = fileURLToPath(new URL('../page-blocks.generated', import.meta.url))
const names = [...pageGroups().keys()]

test.each(names)('each block of %s has a name of its own', async (name) => {
  const { blocks, count } = await readBlocks(name)
  const files = blocks.map((block) => block.name)
  expect(files).toEqual([...new Set(files)])
  expect(files.length).toBe(count)
})

test('they compile', async () => {
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const name of names) {
    const page = await readBlocks(name)
    await writeBlocks(`${folder}/${name}`, page)
    // What another block imports.
    for (const block of page.blocks)
      if (/(^|\/)write-manifest\.ts$/.test(block.name))
        expect(
          await runNode(['--conditions=@twinwire/source', '--import', 'tsx', block.name], { cwd: `${folder}/${name}` }),
        ).toMatchObject({ code: 0 })
  }
  const settings = {
    extends: '../tsconfig.json',
    compilerOptions: {
      lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'],
      resolveJsonModule: true,
      jsx: 'react-jsx',
      allowJs: true,
      checkJs: true,
    },
    include: ['**/*.ts', '**/*.tsx', '**/*.js'],
    exclude: otherSettings,
  }
  await writeFile(`${folder}/tsconfig.json`, JSON.stringify(settings))
  const tsc = await runNode([`${root}/node_modules/typescript/bin/tsc`, '-p', folder, '--noEmit'], { cwd: folder })
  expect(tsc).toEqual({ code: 0, output: '' })
}, 300_000)
