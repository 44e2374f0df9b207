// `reports/stability.json` says how stable each entry point is; single names may be less stable than theirs. It has all entry points and no others.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './copy.mjs'

const file = 'reports/stability.json'
/** What each means is on the page docs_site/policies.md. */
export const levels = ['stable', 'extension', 'experimental', 'internal']

/** @param {Record<string, Record<string, Record<string, string>>>} snapshots exports by package and entry point */
export function faultsOfStability(snapshots) {
  const { entryPoints, names } = JSON.parse(readFileSync(join(root, file), 'utf8'))
  const faults = []
  for (const [name, entries] of Object.entries(snapshots))
    for (const path of Object.keys(entries))
      if (!entryPoints[name]?.[path]) faults.push(`${file}: entryPoints lacks ${path} of ${name}`)
  for (const [name, paths] of Object.entries(entryPoints))
    for (const [path, level] of Object.entries(paths)) {
      if (!snapshots[name]?.[path]) faults.push(`${file}: ${name} has no ${path}`)
      if (!levels.includes(level)) faults.push(`${file}: ${level} is none of ${levels.join(', ')}`)
    }
  for (const [name, paths] of Object.entries(names))
    for (const [path, exports] of Object.entries(paths))
      for (const [each, level] of Object.entries(exports)) {
        if (!snapshots[name]?.[path]?.[each]) faults.push(`${file}: ${path} of ${name} does not export ${each}`)
        if (!levels.includes(level)) faults.push(`${file}: ${level} is none of ${levels.join(', ')}`)
      }
  return faults
}
