// What npm shows of a package and what provenance needs, in the package.json of the tarballs; and what `npm publish` says of each.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import process from 'node:process'
import { command, root } from '../copy.mjs'

export async function checkManifests({ folder, packages }) {
  const { repository, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const faults = faultsOfRepository(repository.url)
  for (const each of packages) {
    const manifest = JSON.parse(command('tar', ['-xOf', each.tarball, 'package/package.json'], { cwd: folder }))
    const directory = relative(folder, each.folder).replaceAll('\\', '/')
    const expected = {
      version: each.version,
      license: 'MIT',
      engines,
      repository: { type: 'git', url: repository.url, directory },
      'publishConfig.access': 'public',
      'publishConfig.provenance': true,
    }
    for (const [path, value] of Object.entries(expected)) {
      const found = path.split('.').reduce((object, key) => object?.[key], manifest)
      if (!isSame(found, value))
        faults.push(`${each.name}: ${path} is ${JSON.stringify(found)}, not ${JSON.stringify(value)}`)
    }
    if (!manifest.description) faults.push(`${each.name}: description is missing`)
    faults.push(...faultsOfRanges(manifest, packages))
  }
  const dry = await Promise.all(packages.map(dryPublish))
  return { did: `${packages.length} manifests, accepted by npm publish --dry-run`, faults: [...faults, ...dry.flat()] }
}

/** A sibling is wanted at its new version: `^0.1.0`. */
function faultsOfRanges(manifest, packages) {
  const faults = []
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies'])
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      const sibling = packages.find((each) => each.name === name)
      const wanted = sibling && `^${sibling.version}`
      if (sibling ? range !== wanted : /^(?:workspace|file|link|catalog):/.test(range))
        faults.push(`${manifest.name}: ${kind}.${name} is ${range}${wanted ? `, not ${wanted}` : ''}`)
    }
  return faults
}

/** npm refuses a provenance that names another repository than package.json. Releases are made from tags; a fork may have another address. */
function faultsOfRepository(url) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, GITHUB_REF_TYPE: type } = process.env
  const actual = type === 'tag' ? `git+${server}/${name}.git` : url
  return actual === url
    ? []
    : [`repository.url of package.json is ${url}, this is ${actual}: change it there and in packages/*/package.json`]
}

async function dryPublish({ name, tarball }) {
  const cwd = mkdtempSync(join(tmpdir(), 'twinwire-publish-'))
  try {
    // What npm corrects by itself it tells as a warning.
    const printed = command(
      'sh',
      ['-c', 'npm publish --dry-run --json --loglevel=warn "$0" 2>&1 >/dev/null', tarball],
      { cwd },
    )
    return printed
      .split('\n')
      .filter((line) => line !== '' && !line.includes('requires you to be logged in'))
      .map((line) => `${name}: npm publish --dry-run: ${line}`)
  } catch (error) {
    return [`${name}: ${error.message}`]
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

function isSame(one, other) {
  const sorted = (value) =>
    value instanceof Object ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b))) : value
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
}
