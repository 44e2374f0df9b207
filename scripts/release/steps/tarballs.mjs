// What is in the tarballs: nothing that is not on the list, and how large it is.
import { statSync } from 'node:fs'
import { command } from '../copy.mjs'
import { kilobytes } from '../sizes.mjs'

const required = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']
const code = /^dist\/(?:[\w.-]+\/)*[\w.-]+\.(?:js|js\.map|cjs|d\.ts|d\.cts)$/
/** Files beside those that are required, for all packages and for some. */
const allowed = [code]
const allowedIn = {
  '@twinwire/core': [/^proto\/websocket\.proto$/],
  '@twinwire/plugin-openapi': [/^pages\/[\w-]+\/(?:LICENSE|NOTICE|[\w.-]+\.(?:html|js|css|txt)(?:\.br|\.gz)?)$/],
  'create-twinwire': [/^templates\/(?:[\w.-]+\/)*[\w.-]+$/, /^dist\/(?:versions\.json|bundled-licences\.txt)$/],
}

export async function checkTarballs(context) {
  const faults = []
  const table = [['package', 'tarball', 'unpacked', 'files']]
  for (const each of context.packages) {
    const files = listTarball(each.tarball)
    faults.push(
      ...faultsOfFiles(
        each.name,
        files.map(({ path }) => path),
      ),
    )
    each.sizes = {
      tarball: statSync(each.tarball).size,
      unpacked: files.reduce((sum, { bytes }) => sum + bytes, 0),
      files: files.length,
    }
    table.push([each.name, kilobytes(each.sizes.tarball), kilobytes(each.sizes.unpacked), String(files.length)])
  }
  return {
    did: `${context.packages.length} tarballs, ${table.slice(1).reduce((sum, row) => sum + Number(row[3]), 0)} files`,
    faults,
    table,
  }
}

/**
 * @param {string} name of the package
 * @param {string[]} paths
 * @returns {string[]}
 */
export function faultsOfFiles(name, paths) {
  const patterns = [...allowed, ...(allowedIn[name] ?? [])]
  const missing = required.filter((each) => !paths.includes(each)).map((each) => `${name} has no ${each}`)
  const unexpected = paths
    .filter((path) => !required.includes(path) && !patterns.some((pattern) => pattern.test(path)))
    .map((path) => `${name} contains ${path}, which scripts/release/steps/tarballs.mjs does not allow`)
  return [...missing, ...unexpected]
}

/** @returns {{ path: string, bytes: number }[]} paths below `package/` */
export function listTarball(tarball) {
  const lines = command('tar', ['--list', '--verbose', '--numeric-owner', '--file', tarball], { cwd: '.' })
  return lines
    .split('\n')
    .map((line) => /^-\S+ +\S+ +(\d+) \S+ \S+ package\/(.+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, bytes, path]) => ({ path, bytes: Number(bytes) }))
}
