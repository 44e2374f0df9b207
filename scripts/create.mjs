// `npm run create -- <folder> [options]` makes a project as `npm create twinwire` does, with the packages of this clone: their tarballs are copied into the
// project, because they are not on npm before the first release.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import process from 'node:process'
import { parseArguments } from '../packages/create-twinwire/src/arguments.ts'
import { checkFolder, nameOf } from '../packages/create-twinwire/src/project-folder.ts'
import { run } from '../packages/create-twinwire/src/run.ts'
import { UsageError } from '../packages/create-twinwire/src/usage-error.ts'
import { readWorkspaceVersions } from '../packages/create-twinwire/workspace-versions.ts'
import { packPackages } from './lib/pack-packages.mjs'

// npm runs scripts in the root of the repository: the folder is meant from where it was typed.
process.chdir(process.env.INIT_CWD ?? process.cwd())

try {
  process.exitCode = await create(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`create: ${error.message}`)
  process.exitCode = 1
}

async function create(args) {
  // Checked before the packages are packed.
  const { folder } = parseArguments(args)
  if (folder === undefined) throw new UsageError('name the folder of the project: npm run create -- ../my-app')
  nameOf(folder)
  await checkFolder(folder)

  console.log('Packing the packages: after a change of them this takes some minutes')
  const packages = packPackages().filter(({ name }) => name !== 'create-twinwire')
  const specs = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:tarballs/${basename(tarball)}`]))
  const code = await run(args, {
    terminal: process.stdin.isTTY && process.stdout.isTTY ? { input: process.stdin, output: process.stdout } : null,
    userAgent: process.env.npm_config_user_agent,
    versions: { ...readWorkspaceVersions(), ...specs },
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  })
  if (code === 0) addTarballs(folder, packages, specs)
  return code
}

function addTarballs(folder, packages, specs) {
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  // What the packages need of one another. npm takes what the project itself names.
  const direct = { ...manifest.dependencies, ...manifest.devDependencies }
  const overrides = Object.fromEntries(Object.entries(specs).filter(([name]) => !direct[name]))
  const changed = { ...manifest, overrides, pnpm: { overrides: specs }, resolutions: specs }
  writeFileSync(file, `${JSON.stringify(changed, null, 2)}\n`)
  mkdirSync(join(folder, 'tarballs'))
  for (const { tarball } of packages) copyFileSync(tarball, join(folder, 'tarballs', basename(tarball)))
}
