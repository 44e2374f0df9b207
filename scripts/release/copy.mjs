// A temporary copy of the working tree, with its own packages installed: what a release would change is changed there.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { quietEnv } from '../../tests/package/lib/env.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** @returns {{ folder: string, remove(): void }} */
export function copyTree() {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-release-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    // A repository, because changesets asks git; then what is not committed.
    command('git', ['clone', '--quiet', '--shared', '.', folder], { cwd: root })
    const list = (...args) =>
      command('git', ['ls-files', '-z', ...args], { cwd: root })
        .split('\0')
        .filter(Boolean)
    for (const file of list('--modified', '--others', '--exclude-standard'))
      if (existsSync(join(root, file))) cpSync(join(root, file), join(folder, file))
      else rmSync(join(folder, file))
    // Nodes and the local registry are the same in both.
    mkdirSync(join(folder, '.cache'))
    for (const each of ['nodes', 'verdaccio']) {
      mkdirSync(join(root, '.cache', each), { recursive: true })
      symlinkSync(join(root, '.cache', each), join(folder, '.cache', each))
    }
    command('npm', ['run', '--silent', 'bootstrap'], { cwd: folder })
    return { folder, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** Runs it and returns what it printed; fails with all of it. */
export function command(name, args, { cwd, env = {} }) {
  const options = { cwd, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024, env: quietEnv({ ...env, CI: 'true' }) }
  const { status, stdout, stderr, error } = spawnSync(name, args, options)
  if (status === 0) return stdout
  const what = `${name} ${args.join(' ')}`.replaceAll(process.execPath, 'node')
  throw new Error(`${what}: ${error ?? `exit code ${status}`}\n${stdout ?? ''}${stderr ?? ''}`)
}
