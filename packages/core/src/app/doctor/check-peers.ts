import { error, type Finding, ok, warn } from '../../base/finding.ts'
import type { Machine } from '../../base/machine.ts'
import type { ResolvedOptions } from '../resolve-options.ts'
import { isInRange } from './version-range.ts'

/** A peer package that an app needs, and why: `database() needs it`. */
export interface NeededPeer {
  readonly name: string
  readonly why: string
  /** What imports it: the app, or the file of a plugin. Default: core. */
  readonly importedBy?: 'app' | URL
}

/** Whether it is installed, in a supported version, and only once. */
export function checkPeer({ name, why, importedBy }: NeededPeer, machine: Machine): Finding {
  const check = `peer ${name}`
  const importer = importedBy instanceof URL ? machine.importer(importedBy) : machine.manifest
  const importerName = importer?.name ?? 'the plugin'
  const range = importer?.peerDependencies[name]
  const ofApp = machine.find(name, 'app')
  const ofImporter = importedBy === 'app' ? ofApp : machine.find(name, importedBy ?? 'core')
  const found = ofImporter ?? ofApp
  const install = `npm install ${range === undefined ? name : `'${name}@${range}'`}`
  if (found === null) return error(check, `The package ${name} is not installed, but ${why}: ${install}`)
  if (ofImporter === null) {
    return error(
      check,
      `The package ${name} cannot be resolved from ${importerName}, but ${why}: install both in the same node_modules`,
    )
  }
  if (range === undefined)
    return warn(check, `${name} ${found.version} cannot be checked: ${importerName} declares no range for it`)
  if (!isInRange(found.version, range))
    return error(check, `${name} ${found.version} does not satisfy ${range}: ${install}`)
  if (ofApp !== null && ofApp.folder !== ofImporter.folder) {
    return warn(
      check,
      `Two copies of ${name} are installed: the app uses ${ofApp.version}, ${importerName} uses ${ofImporter.version}; run 'npm dedupe'`,
    )
  }
  return ok(check, `${name} ${found.version} satisfies ${range}`)
}

/** Valibot, if any schema of the app is a valibot schema. */
export function findSchemaPeers({ routes, endpoints, events }: ResolvedOptions): readonly NeededPeer[] {
  const definitions = [...Object.values(routes), ...endpoints].map(({ definition }) => definition)
  const schemas = [
    ...definitions.flatMap(({ input, output }) => [input, output]),
    ...Object.values(events).map(({ data }) => data),
  ]
  const usesValibot = schemas.some((schema) => schema?.['~standard'].vendor === 'valibot')
  return usesValibot ? [{ name: 'valibot', why: 'the app has valibot schemas', importedBy: 'app' }] : []
}
