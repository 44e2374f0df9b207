import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { runTwinwire } from '../run.fixtures.ts'

const here = fileURLToPath(new URL('../../', import.meta.url))
const workspace = join(here, '..', '..')

/** A project in a folder of its own, removed after the test. `packages`: installed ones. */
export function createTestProject(
  files: Readonly<Record<string, string>>,
  packages: readonly string[] = ['@twinwire/core', 'tsx'],
): { root: string; twinwire(...args: string[]): ReturnType<typeof runTwinwire> } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'twinwire-cli-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const name of packages) {
    const link = join(root, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(name === 'tsx' ? workspace : here, 'node_modules', name), link)
  }
  return { root, twinwire: (...args) => runTwinwire([...args, '--project', root]) }
}
