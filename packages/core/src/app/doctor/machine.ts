import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import type { FoundPackage, Importer, Machine, Manifest } from '../../base/machine.ts'
import { migratesConnections } from '../../base/migrates-connections.ts'

export function readMachine(): Machine {
  const { node = '', modules = '' } = process.versions
  return {
    node,
    abi: modules,
    platform: process.platform,
    arch: process.arch,
    glibc: readGlibc(),
    variables: { ...process.env },
    isMainThread,
    migratesConnections: migratesConnections(),
    manifest: readManifest(),
    find: (name, from) =>
      from === 'app' ? findFromApp(name) : findFrom(from === 'core' ? import.meta.url : fileURLToPath(from), name),
    importer: readImporter,
  }
}

function readGlibc(): string | null {
  if (process.platform !== 'linux') return null
  const { report } = process
  const excludeNetwork: unknown = Reflect.get(report, 'excludeNetwork')
  // Without it the report resolves the names of all network addresses, which is slow. Not in the type declarations yet.
  Reflect.set(report, 'excludeNetwork', true)
  try {
    return toGlibc(report.getReport())
  } finally {
    Reflect.set(report, 'excludeNetwork', excludeNetwork)
  }
}

function toGlibc(report: object): string | null {
  const header: unknown = Reflect.get(report, 'header')
  const version: unknown =
    typeof header === 'object' && header !== null ? Reflect.get(header, 'glibcVersionRuntime') : null
  return typeof version === 'string' ? version : null
}

/** Resolved by package name, which is the same file from the sources and from the build. */
function readManifest(): Manifest | null {
  try {
    // Our own file has these fields; a test reads them.
    return createRequire(import.meta.url)('@twinwire/core/package.json') as Manifest
  } catch {
    return null
  }
}

/** The nearest package.json above the file. */
function readImporter(file: URL): Importer | null {
  for (let folder = dirname(fileURLToPath(file)); ; folder = dirname(folder)) {
    try {
      const { name, peerDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (typeof name === 'string') return { name, peerDependencies }
    } catch {
      // Not here: try the parent folder.
    }
    if (folder === dirname(folder)) return null
  }
}

/** Resolved from the main script, else from the working directory. */
function findFromApp(name: string): FoundPackage | null {
  const places = [process.argv[1], join(process.cwd(), 'package.json')]
  for (const place of places) {
    const found = place ? findFrom(place, name) : null
    if (found !== null) return found
  }
  return null
}

/** Reads the folders directly, because a package may not export its package.json. */
function findFrom(place: string, name: string): FoundPackage | null {
  for (const modules of createRequire(place).resolve.paths(name) ?? []) {
    try {
      const folder = realpathSync(join(modules, name))
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (typeof version === 'string') return { version, folder }
    } catch {
      // Not here: try the next folder.
    }
  }
  return null
}
