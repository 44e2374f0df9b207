// The versions and changelogs that the pending changesets make, and the tarballs with them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { command } from '../copy.mjs'

/** Pages that say which version is the next one, until there is a first one. */
const pages = ['README.md', 'docs_site/installing.md']

export async function setVersions({ folder }) {
  const before = readManifests(folder)
  command(process.execPath, ['scripts/release/version.mjs'], { cwd: folder })
  const after = readManifests(folder)
  const versions = [...new Set(after.map(({ version }) => version))]
  const oldOf = (name) => before.find((one) => one.name === name)?.version
  // As right after a release.
  const isNothing = after.every(({ name, version }) => version === oldOf(name))
  const faults =
    versions.length === 1 ? [] : after.map(({ name, version }) => `${name} would be ${version}: not one version`)
  for (const { name, version, path } of after) {
    if (version === oldOf(name) && !isNothing) faults.push(`${name} stays ${version}: no changeset reaches it`)
    const changelog = join(folder, path, 'CHANGELOG.md')
    if (!existsSync(changelog)) faults.push(`${path} has no CHANGELOG.md`)
    else if (!readFileSync(changelog, 'utf8').includes(`\n## ${version}\n`))
      faults.push(`${path}/CHANGELOG.md has no entry "## ${version}"`)
  }
  const isFirst = before.every(({ version }) => version === '0.0.0')
  for (const page of pages)
    faults.push(...faultsOfPage(page, readFileSync(join(folder, page), 'utf8'), versions[0], isFirst))
  const did = isNothing
    ? 'as they are: no changeset asks for a release'
    : `from ${before[0].version} to ${versions.join(', ')}`
  return { did: `${after.length} packages ${did}`, faults }
}

export async function packCopy(context) {
  const { folder } = context
  const program = "import('./scripts/lib/pack-packages.mjs').then((m) => console.log(JSON.stringify(m.packPackages())))"
  const printed = command(process.execPath, ['--eval', program], { cwd: folder })
  context.packages = JSON.parse(printed.trim().split('\n').at(-1))
  return { did: `${context.packages.length} packages built and packed`, faults: [] }
}

function faultsOfPage(page, text, version, isFirst) {
  const announced = [...text.matchAll(/first release will be (\d+\.\d+\.\d+)/g)].map(([, each]) => each)
  if (!isFirst && announced.length > 0)
    return [`${page} says which version the first release will be, and there was one`]
  if (isFirst && announced.length === 0) return [`${page} does not say "the first release will be ${version}"`]
  return announced
    .filter((each) => each !== version)
    .map((each) => `${page} announces ${each}, the changesets make ${version}`)
}

function readManifests(folder) {
  return readdirSync(join(folder, 'packages'))
    .map((each) => `packages/${each}`)
    .filter((path) => existsSync(join(folder, path, 'package.json')))
    .map((path) => ({ path, ...JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8')) }))
    .filter((each) => each.private !== true)
}
