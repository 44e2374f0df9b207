// The page shows the package of examples/plugin-tenants, whole files of it. `npm run test:outsider` installs, builds and tests that package.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readBlocks } from '../support/page-blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}/examples/plugin-tenants`
const { blocks } = await readBlocks('write-a-plugin')
const shown = blocks.filter(({ name }) => !name.startsWith('example/'))

test.each(shown)('$name is the file', ({ name, code }) => {
  expect(code).toBe(readFileSync(`${folder}/${name}`, 'utf8'))
})

test('every source is shown', () => {
  const sources = readdirSync(`${folder}/src`).map((name) => `src/${name}`)
  expect(sources.filter((name) => !shown.some((block) => block.name === name))).toEqual([])
})

test('package.json is the file', () => {
  const page = readFileSync(`${root}/docs_site/write-a-plugin.md`, 'utf8')
  expect(/```json\n([\s\S]*?)```/.exec(page)?.[1]).toBe(readFileSync(`${folder}/package.json`, 'utf8'))
})
