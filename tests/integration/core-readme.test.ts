import { spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const file = fileURLToPath(new URL('../core-readme.generated.ts', import.meta.url))
const project = fileURLToPath(new URL('../core-readme.generated.json', import.meta.url))

it.each(['core', 'plugin-ratelimit'])(
  'the application in the README of %s type checks as it stands',
  async (name) => {
    const [, code = ''] =
      /```ts\n([\s\S]*?)```/.exec(await readFile(`${root}/packages/${name}/README.md`, 'utf8')) ?? []
    expect(code).toContain('createApp(')
    try {
      await writeFile(file, code)
      await writeFile(project, JSON.stringify({ extends: './tsconfig.json', include: [], files: [file] }))
      const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { cwd: root })
      expect(String(tsc.stdout)).toBe('')
      expect(tsc.status).toBe(0)
    } finally {
      await Promise.all([file, project].map((each) => rm(each, { force: true })))
    }
  },
  120_000,
)
