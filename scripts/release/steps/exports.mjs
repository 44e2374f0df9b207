// The exports are those of `reports/exports`, and what a branch changes of them has a changeset that names the package.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, root } from '../copy.mjs'
import { readExports } from '../exports.mjs'
import { faultsOfPolicies, updatePolicies } from '../policies.mjs'
import { faultsOfStability } from '../stability.mjs'

const reports = 'reports/exports'
const fileOf = (name) => `${name.replace('@', '').replace('/', '-')}.json`

export async function checkExports({ packages, update }) {
  const faults = []
  const snapshots = Object.fromEntries(packages.map(({ name, folder }) => [name, readExports(folder)]))
  mkdirSync(join(root, reports), { recursive: true })
  for (const [name, entries] of Object.entries(snapshots)) {
    const file = join(root, reports, fileOf(name))
    if (update) writeFileSync(file, `${JSON.stringify(entries, null, 2)}\n`)
    const kept = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
    faults.push(
      ...differences(kept, entries).map(
        (each) => `${name}: ${each}; if it is meant: npm run release:dry -- --only exports --update`,
      ),
    )
  }
  for (const file of readdirSync(join(root, reports)).filter(
    (each) => !packages.some(({ name }) => fileOf(name) === each),
  ))
    if (update) rmSync(join(root, reports, file))
    else faults.push(`${reports}/${file} is of no package`)
  if (update) updatePolicies()
  faults.push(...faultsOfChangesets(packages), ...faultsOfStability(snapshots), ...faultsOfPolicies())
  const count = Object.values(snapshots).flatMap(Object.values).flatMap(Object.keys).length
  return { did: `${count} exports of ${packages.length} packages`, faults }
}

/**
 * @param {Record<string, Record<string, string>>} before
 * @param {Record<string, Record<string, string>>} after
 * @returns {string[]}
 */
export function differences(before, after) {
  const flat = (entries) =>
    new Map(
      Object.entries(entries).flatMap(([path, names]) =>
        Object.entries(names).map(([name, kind]) => [`${path} ${name}`, kind]),
      ),
    )
  const [old, now] = [flat(before), flat(after)]
  return [
    ...[...old].filter(([key]) => !now.has(key)).map(([key, kind]) => `${key} (${kind}) is not exported any more`),
    ...[...now].filter(([key]) => !old.has(key)).map(([key, kind]) => `${key} (${kind}) is new`),
    ...[...now]
      .filter(([key, kind]) => old.has(key) && old.get(key) !== kind)
      .map(([key, kind]) => `${key} is ${kind}, was ${old.get(key)}`),
  ]
}

/** Compared with where the branch began; on main there is nothing to compare. */
function faultsOfChangesets(packages) {
  const base = mergeBase()
  if (base === null) return []
  const git = (...args) => command('git', args, { cwd: root })
  const changed = new Set([
    ...git('diff', '--name-only', base, '--', reports, '.changeset').split('\n'),
    ...git('ls-files', '--others', '--exclude-standard', reports, '.changeset').split('\n'),
  ])
  const isKnown = git('ls-tree', base, reports) !== ''
  const changesets = [...changed].filter((each) => each.endsWith('.md') && existsSync(join(root, each)))
  const named = changesets.map((each) => readFileSync(join(root, each), 'utf8').split('---')[1] ?? '').join('\n')
  return packages
    .filter(({ name }) => isKnown && changed.has(`${reports}/${fileOf(name)}`))
    .filter(({ name }) => !new RegExp(`^['"]?${name}['"]?:`, 'm').test(named))
    .map(({ name }) => `${name}: its exports change, and no new changeset names it: npx changeset`)
}

function mergeBase() {
  for (const branch of ['origin/main', 'main'])
    try {
      return command('git', ['merge-base', branch, 'HEAD'], { cwd: root }).trim()
    } catch {
      // Not here, as in a shallow clone: the other one.
    }
  return null
}
