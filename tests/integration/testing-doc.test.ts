import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const file = fileURLToPath(new URL('../testing-doc.generated.ts', import.meta.url))
const project = fileURLToPath(new URL('../tsconfig.testing-doc.generated.json', import.meta.url))

const page = readFileSync(`${root}/docs_site/testing.md`, 'utf8')
writeFileSync(file, [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code).join('\n'))
writeFileSync(project, JSON.stringify({ extends: './tsconfig.json', include: [], files: ['testing-doc.generated.ts'] }))
afterAll(() => {
  for (const each of [file, project]) rmSync(each, { force: true })
})

describe('the examples of docs_site/testing.md', async () => {
  // Their tests become tests of this suite.
  await import(file)

  it('type check unchanged', () => {
    const args = ['node_modules/typescript/bin/tsc', '-p', project, '--noEmit']
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  }, 120_000)
})
