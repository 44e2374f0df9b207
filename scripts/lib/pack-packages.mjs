// The tarballs of the packages, as they would be published. `pnpm pack`, not npm's: it resolves `workspace:` ranges and
// applies publishConfig. They are cached under .cache by a hash of their inputs, because several checks use them.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const kept = join(root, '.cache', 'packed')
const ofEach = [
  'src',
  'package.json',
  'tsconfig.json',
  'tsup.config.ts',
  'build-pages.mjs',
  'templates',
  'proto',
  'workspace-versions.ts',
  'bundled-licences.ts',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
]
const ofAll = [
  'pnpm-lock.yaml',
  'tsconfig.base.json',
  'tsup.package.ts',
  'LICENSE',
  // The versions that create-twinwire writes.
  'package.json',
  'tests/package.json',
  'examples/authors/package.json',
]

/**
 * Packs every public package under packages/, and builds it if its inputs have changed.
 * @returns {{ name: string, version: string, folder: string, tarball: string }[]} absolute paths
 */
export function packPackages() {
  const packages = readdirSync(join(root, 'packages'))
    .map((each) => join(root, 'packages', each))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, ...JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter((each) => each.private !== true)
  const target = join(kept, hashOf(packages.map((each) => each.folder)))
  if (!existsSync(target)) pack(packages, target)
  return packages.map(({ name, version, folder }) => {
    const tarball = join(target, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
    if (!existsSync(tarball)) throw new Error(`pnpm pack did not create ${tarball}`)
    return { name, version, folder, tarball }
  })
}

function pack(packages, target) {
  rmSync(kept, { recursive: true, force: true })
  mkdirSync(kept, { recursive: true })
  const unfinished = mkdtempSync(join(kept, 'unfinished-'))
  for (const { name, folder } of packages) {
    const { status, stdout, stderr } = spawnSync(
      'npx',
      ['--yes', 'pnpm@10.34.9', 'pack', '--pack-destination', unfinished, '--json'],
      { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } },
    )
    if (status !== 0) throw new Error(`pnpm pack of ${name} failed:\n${stdout}${stderr}`)
  }
  renameSync(unfinished, target)
}

function hashOf(folders) {
  const hash = createHash('sha256')
  const files = [
    ...folders.flatMap((folder) => ofEach.map((each) => join(folder, each))),
    ...ofAll.map((each) => join(root, each)),
  ]
  for (const file of files.flatMap(filesIn).sort()) hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  return hash.digest('hex').slice(0, 16)
}

function filesIn(path) {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((each) => filesIn(join(path, each)))
}
