import { spawnSync } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that they find their packages.
const besideTests = (name: string): string =>
  fileURLToPath(new URL(`../package-readme-${name}.generated`, import.meta.url))

it('the application in the README of each package type checks unchanged [defect 81]', async () => {
  const names = [
    'broker-redis',
    'core',
    'plugin-audit',
    'plugin-auth',
    'plugin-metrics',
    'plugin-openapi',
    'plugin-otel',
    'plugin-profiling',
    'plugin-ratelimit',
    'redis',
  ]
  const files = names.map((name) => `${besideTests(name)}.ts`)
  const project = `${besideTests('all')}.json`
  try {
    for (const [index, name] of names.entries()) {
      const readme = await readFile(`${root}/packages/${name}/README.md`, 'utf8')
      const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
      expect(code, name).toContain('createApp(')
      await writeFile(files[index] ?? '', code)
    }
    await writeFile(project, JSON.stringify({ extends: './tsconfig.json', include: [], files }))
    const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { cwd: root })
    expect(String(tsc.stdout)).toBe('')
    expect(tsc.status).toBe(0)
  } finally {
    await Promise.all([...files, project].map((each) => rm(each, { force: true })))
  }
}, 120_000)
