import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { ProjectError } from '../project/project-error.ts'

/** A file of an installed package, by the rule of Node; null when it is not installed. */
function findInstalled(root: string, path: string): string | null {
  for (let folder = root; ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', path)
    if (existsSync(file)) return file
    if (dirname(folder) === folder) return null
  }
}

/** Formats files as the project does, if it has biome. What biome cannot format stays as it was written. */
export function formatFiles(root: string, paths: readonly string[]): void {
  const biome = findInstalled(root, '@biomejs/biome/bin/biome')
  if (biome === null || paths.length === 0) return
  const args = [biome, 'check', '--write', '--no-errors-on-unmatched', '--files-ignore-unknown=true', ...paths]
  spawnSync(process.execPath, args, { cwd: root, stdio: 'ignore' })
}

/** Writes a migration of the tables that were added. Throws a ProjectError before anything is written, or when drizzle-kit fails. */
export function toMigrationWriter(root: string, folder: string, name: string): () => void {
  const kit = findInstalled(root, 'drizzle-kit/bin.cjs')
  if (kit === null)
    throw new ProjectError(
      'drizzle-kit is not installed here, which writes migrations: npm install --save-dev drizzle-kit',
    )
  return () => {
    const before = listFiles(root, folder)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...process.execArgv, kit, 'generate', '--name', name],
      {
        cwd: root,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    if (status === 0 && listFiles(root, folder) > before) return
    throw new ProjectError(`drizzle-kit generate wrote no migration, so everything is as it was:\n${stdout}${stderr}`)
  }
}

function listFiles(root: string, folder: string): number {
  const path = join(root, folder)
  return existsSync(path) ? readdirSync(path).filter((file) => file.endsWith('.sql')).length : 0
}
