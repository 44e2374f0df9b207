// The versions that new projects depend on: those that the workspace itself is tested with. The build writes them into `dist`.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Packages of the workspace as `^version`, others as the exact version that the workspace pins, `pnpm` and `create-twinwire` as they are. Packages
 * that are pinned to two versions, or to a range, are left out: a template that needs one then fails to build.
 */
export function readWorkspaceVersions(): Record<string, string> {
  const found = new Map<string, string | null>()
  const note = (name: string, version: string): void => {
    if (found.has(name) && found.get(name) !== version) found.set(name, null)
    else found.set(name, version)
  }
  const workspaceManifest = read(root)
  const readAll = (parent: string): Manifest[] =>
    readdirSync(`${root}/${parent}`)
      .filter((folder) => existsSync(`${root}/${parent}/${folder}/package.json`))
      .map((folder) => read(`${root}/${parent}/${folder}`))
  // An example that is published is not a member of the workspace: it has the versions of a registry.
  const examples = readAll('examples').filter(({ isPrivate }) => isPrivate)
  const members = [...readAll('packages'), ...examples, read(`${root}/tests`)]
  for (const { dependencies, devDependencies } of [workspaceManifest, ...members])
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      if (/^\d/.test(version)) note(name, version)
  for (const { name, version, isPrivate } of members)
    if (!isPrivate) note(name, name === 'create-twinwire' ? version : `^${version}`)
  note('pnpm', workspaceManifest.pnpm)
  return Object.fromEntries([...found].flatMap(([name, version]) => (version === null ? [] : [[name, version]])))
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly isPrivate: boolean
  readonly pnpm: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

function read(folder: string): Manifest {
  const {
    name,
    version,
    private: isPrivate,
    packageManager,
    dependencies,
    devDependencies,
  } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  return {
    name,
    version,
    isPrivate: isPrivate === true,
    pnpm: String(packageManager).replace('pnpm@', ''),
    dependencies: dependencies ?? {},
    devDependencies: devDependencies ?? {},
  }
}
