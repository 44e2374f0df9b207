import { error, type Finding, ok, warn } from '../../base/finding.ts'
import type { ResolvedOptions } from '../app-options.ts'
import type { Machine } from './machine.ts'
import { isInRange } from './version-range.ts'

/** A package that an app needs beside core, and what for: `database() needs it`. */
export interface NeededPeer {
  readonly name: string
  readonly why: string
  /** Who imports it: the app, or the file of a plugin. Default: core. */
  readonly importedBy?: 'app' | URL
}

/** Is it there, in a version that fits, and only once? */
export function checkPeer({ name, why, importedBy }: NeededPeer, machine: Machine): Finding {
  const check = `peer ${name}`
  const importer = importedBy instanceof URL ? machine.importer(importedBy) : machine.manifest
  const importerName = importer?.name ?? 'the plugin'
  const range = importer?.peerDependencies[name]
  const ofApp = machine.find(name, 'app')
  const ofImporter = importedBy === 'app' ? ofApp : machine.find(name, importedBy ?? 'core')
  const found = ofImporter ?? ofApp
  const install = `npm install ${range === undefined ? name : `'${name}@${range}'`}`
  if (found === null) return error(check, `The package ${name} is not installed, and ${why}: ${install}`)
  if (ofImporter === null) {
    return error(
      check,
      `The package ${name} is not to be found from ${importerName}, and ${why}: install both in one place`,
    )
  }
  if (range === undefined)
    return warn(check, `${name} ${found.version} cannot be judged: ${importerName} names no range for it`)
  if (!isInRange(found.version, range))
    return error(check, `${name} ${found.version} is outside of ${range}: ${install}`)
  if (ofApp !== null && ofApp.folder !== ofImporter.folder) {
    return warn(
      check,
      `There are two copies of ${name}: the app has ${ofApp.version}, ${importerName} has ${ofImporter.version}; make them one by 'npm dedupe'`,
    )
  }
  return ok(check, `${name} ${found.version} is within ${range}`)
}

/** The validator, where a schema of the app is made by it. */
export function findSchemaPeers({ routes, endpoints, events }: ResolvedOptions): readonly NeededPeer[] {
  const definitions = [...Object.values(routes), ...endpoints].map(({ definition }) => definition)
  const schemas = [
    ...definitions.flatMap(({ input, output }) => [input, output]),
    ...Object.values(events).map(({ data }) => data),
  ]
  const usesValibot = schemas.some((schema) => schema?.['~standard'].vendor === 'valibot')
  return usesValibot ? [{ name: 'valibot', why: 'schemas of the app are made by it', importedBy: 'app' }] : []
}
