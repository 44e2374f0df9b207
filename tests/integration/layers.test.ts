import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const config = join(root, '.dependency-cruiser.cjs')
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

let folder = ''
afterEach(() => rm(folder, { recursive: true, force: true }))

/** The names of the rules that a tree of such files breaks. */
async function brokenRules(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  folder = await mkdtemp(join(tmpdir(), 'twinwire-layers-'))
  await writeFile(join(folder, 'tsconfig.json'), '{}')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const run = promisify(execFile)(
    process.execPath,
    [cruiser, '--config', config, '--output-type', 'json', 'packages'],
    { cwd: folder },
  )
  // It exits with the number of errors.
  const { stdout } = await run.catch((error: unknown) => error as { readonly stdout: string })
  const { summary } = JSON.parse(stdout)
  return summary.violations.map(({ rule }: { readonly rule: { readonly name: string } }) => rule.name)
}

const core = (path: string): string => `packages/core/src/${path}`
const exported = 'export const a = 1\nexport interface A {}\n'

test.each([
  ['an arrow back', core('call/x.ts'), "import { a } from '../route/a.ts'", core('route/a.ts'), 'layer-call'],
  [
    'an arrow back of a type',
    core('base/x.ts'),
    "import type { A } from '../errors/a.ts'",
    core('errors/a.ts'),
    'layer-base',
  ],
  [
    'modules side by side',
    core('http/x.ts'),
    "import { a } from '../websocket/a.ts'",
    core('websocket/a.ts'),
    'layer-http',
  ],
  [
    'an import of the database',
    core('app/x.ts'),
    "import { a } from '../database/a.ts'",
    core('database/a.ts'),
    'layer-app',
  ],
  [
    'an entry point',
    core('app/x.ts'),
    "import { a } from '../index.ts'",
    core('index.ts'),
    'no-import-of-entry-points',
  ],
  [
    'uWebSockets.js behind its port',
    core('http/x.ts'),
    "import { a } from '../transport/uws-a.ts'",
    core('transport/uws-a.ts'),
    'uws-behind-the-port',
  ],
  [
    'a module that is not in the table',
    core('misc/x.ts'),
    "import { a } from '../base/a.ts'",
    core('base/a.ts'),
    'no-unknown-module',
  ],
  [
    'core past its entry points',
    'packages/plugin-a/src/x.ts',
    "import { a } from '../../core/src/call/a.ts'",
    core('call/a.ts'),
    'core-by-its-entry-points',
  ],
])('%s is refused', async (_, from, text, to, rule) => {
  expect(await brokenRules({ [from]: `${text}\n`, [to]: exported })).toContain(rule)
})

test('two files that need each other are refused, of the same module too; types may', async () => {
  const values = { [core('call/x.ts')]: "export { b as c } from './y.ts'\nexport const a = 1\n" }
  expect(
    await brokenRules({ ...values, [core('call/y.ts')]: "import { a } from './x.ts'\nexport const b = a\n" }),
  ).toContain('no-cycle')
  await rm(folder, { recursive: true, force: true })
  expect(
    await brokenRules({ ...values, [core('call/y.ts')]: "import type { A } from './x.ts'\nexport const b: A = 1\n" }),
  ).toEqual([])
})

test('what is below may be imported', async () => {
  expect(
    await brokenRules({
      [core('call/x.ts')]:
        "import { a } from '../base/a.ts'\nimport type { A } from '../errors/a.ts'\nexport type B = [A, typeof a]\n",
      [core('base/a.ts')]: exported,
      [core('errors/a.ts')]: exported,
    }),
  ).toEqual([])
})
