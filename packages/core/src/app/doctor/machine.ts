import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import type { Variables } from '../../settings/env-file.ts'

/** A package as it was found. */
export interface FoundPackage {
  readonly version: string
  readonly folder: string
}

/** The parts of core's package.json that the doctor compares with. */
export interface Manifest extends Importer {
  readonly engines: Readonly<Record<string, string>>
}

/** The package that imports another one. */
export interface Importer {
  readonly name: string
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** What the doctor reads of the machine and the installation: tests simulate another one. */
export interface Machine {
  /** `20.19.5` */
  readonly node: string
  readonly abi: string
  readonly platform: string
  readonly arch: string
  /** Null where there is none: musl, macOS, Windows. */
  readonly glibc: string | null
  readonly variables: Variables
  readonly isMainThread: boolean
  /** Null where it cannot be found: core is part of a bundle. */
  readonly manifest: Manifest | null
  /** A package as the application finds it, as core does, or as the file of a URL does. */
  find(name: string, from: 'app' | 'core' | URL): FoundPackage | null
  /** The package that a file belongs to; null where there is none: it is part of a bundle. */
  importer(file: URL): Importer | null
}

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
