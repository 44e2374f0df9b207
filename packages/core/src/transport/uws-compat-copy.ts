import { lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { BootError } from '../base/boot-error.ts'
import { type CompatEntry, compatTable } from './uws-checksums.ts'
import { bindToOlderGlibc, sha256, sha256OfFile } from './uws-compat.ts'

export type Unavailable = (what: string, cause?: unknown) => BootError

/**
 * Loads the addon beside `packageFile` from a copy bound to an older glibc. Only a file with a known sha256 is patched, only a result with a
 * known sha256 is loaded, and only from a folder in which no other user can write.
 */
export function loadCompatCopy(packageFile: string, unavailable: Unavailable): unknown {
  const source = join(dirname(packageFile), `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`)
  const newerImage = 'use a base image with glibc 2.38 or later (such as trixie)'
  const name = basename(source)
  const entry = compatTable[name]
  if (!entry || sha256OfFile(source) !== entry.source) {
    throw unavailable(
      `its binary needs glibc 2.38, this system has an older one, and ${name} is not a build that core can bind to it ` +
        `(unknown sha256): ${newerImage}`,
    )
  }
  if (!entry.ran) throw unavailable(`the compat copy was never tested on ${process.arch}: ${newerImage}`)
  const patch = (): Uint8Array => {
    const result = bindToOlderGlibc(readFileSync(source), entry.oldVersion)
    if (sha256(result) !== entry.result)
      throw unavailable(`the compat copy of ${name} has an unexpected sha256: ${newerImage}`)
    return result
  }
  try {
    return placeAndOpen(name, entry, patch)
  } catch (error) {
    if (error instanceof BootError) throw error
    throw unavailable(
      `the compat copy of ${name} could not be loaded (${reasonOf(error)}): it needs glibc 2.36 and a folder in which files can ` +
        `be written and executed, node_modules/.cache or TMPDIR: provide one, or ${newerImage}`,
      error,
    )
  }
}

const reasonOf = (error: unknown): string => String(error).trim().split('\n').at(-1) ?? ''

/** `patch` runs only when no checked copy is in the cache. */
function placeAndOpen(name: string, entry: CompatEntry, patch: () => Uint8Array): unknown {
  const cached = cacheFile(`${entry.result.slice(0, 16)}-${name}`, entry, patch)
  if (cached) return open(cached)
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-'))
  try {
    const file = join(folder, name)
    writeFileSync(file, patch(), { mode: 0o600, flag: 'wx' })
    return open(file)
  } finally {
    // The loaded file stays mapped.
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The path in `node_modules/.cache`, or null where that cannot be written or cannot be trusted. */
function cacheFile(name: string, entry: CompatEntry, patch: () => Uint8Array): string | null {
  try {
    const modules = join(process.cwd(), 'node_modules')
    const folder = join(modules, '.cache', 'twinwire')
    if (!lstatSync(modules).isDirectory()) return null
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!isOurs(folder)) return null
    const file = join(folder, name)
    if (holds(file, entry)) return file
    // Written aside and renamed: another process may be doing the same, and a half-written file must never be loaded.
    const draft = `${file}.${process.pid}.${Date.now()}`
    writeFileSync(draft, patch(), { mode: 0o600, flag: 'wx' })
    renameSync(draft, file)
    return file
  } catch {
    return null
  }
}

function holds(file: string, entry: CompatEntry): boolean {
  try {
    return isOurs(file) && sha256OfFile(file) === entry.result
  } catch {
    return false
  }
}

/** Not a link, owned by this user or by root, and writable by no other user. */
function isOurs(path: string): boolean {
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) return false
  return (stat.uid === process.getuid?.() || stat.uid === 0) && (stat.mode & 0o022) === 0
}

function open(file: string): unknown {
  const target: { exports: unknown } = { exports: {} }
  process.dlopen(target, file)
  return target.exports
}
