import type { BigIntStats } from 'node:fs'
import { constants, type FileHandle, lstat, open, readlink, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { UnavailableError } from '../../errors/app-error.ts'
import { isOtherSpelling } from './file-name.ts'

/** A regular file, to be closed by the one who gets it. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly size: number
  readonly mtimeNs: bigint
  /** Changes whenever the file is changed or replaced. */
  readonly version: string
}

/** There is no file, or none that may be read: the caller is not told which. */
const missing: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EACCES',
  'EPERM',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'EILSEQ',
  // A socket or a device without a driver.
  'ENXIO',
  'ENODEV',
  'EOPNOTSUPP',
])
const exhausted: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])

/** A FIFO would otherwise wait for a writer. Windows has neither. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * Opens a file below `root`, which is a real path; `name` was found servable. Links are followed as far as their target is below `root`.
 *
 * @returns `directory` for one, null for what does not exist, is not a regular file or is not below `root`.
 * @throws UnavailableError when the system has no more file descriptors.
 */
export async function openBelow(root: string, name: string): Promise<OpenFile | 'directory' | null> {
  const path = join(root, name)
  let handle: FileHandle
  try {
    handle = await open(path, flags)
  } catch (error) {
    const code = codeOf(error)
    // Windows cannot open a folder.
    if (code === 'EISDIR') return 'directory'
    if (missing.has(code)) return null
    if (exhausted.has(code)) throw new UnavailableError('Too many files are open', { cause: error })
    throw error
  }
  let isGiven = false
  try {
    const stats = await handle.stat({ bigint: true })
    const isDirectory = stats.isDirectory()
    if (!(isDirectory || stats.isFile()) || !(await isBelow(root, path, handle, stats))) return null
    if (isDirectory) return 'directory'
    isGiven = true
    return { handle, size: Number(stats.size), mtimeNs: stats.mtimeNs, version: toVersion(stats) }
  } finally {
    if (!isGiven) await handle.close()
  }
}

/** The version of a file; null when there is none, or none below `root`, which is a real path. */
export async function readVersion(root: string, name: string): Promise<string | null> {
  try {
    // A folder above it may have become a link that leads out.
    const real = await realpath(join(root, name))
    return real.startsWith(withSlash(root)) ? toVersion(await stat(real, { bigint: true })) : null
  } catch (error) {
    if (missing.has(codeOf(error))) return null
    throw error
  }
}

/** The file that is open, not the one that the path has by now. */
async function isBelow(root: string, path: string, handle: FileHandle, stats: BigIntStats): Promise<boolean> {
  const real = await locate(path, handle, stats)
  if (real === null || !(real === root || real.startsWith(withSlash(root)))) return false
  return !isOtherSpelling(path, real) || (await areLinks(path, real))
}

/** Are all segments of a path that have other letters in its real path links, as `README` to `Readme`? Else the system has opened another name. */
async function areLinks(path: string, real: string): Promise<boolean> {
  const segments = real.split(sep)
  const asked = path.split(sep)
  try {
    for (const [i, segment] of asked.entries()) {
      if (segment.normalize('NFC') === segments[i]?.normalize('NFC')) continue
      if (!(await lstat(asked.slice(0, i + 1).join(sep))).isSymbolicLink()) return false
    }
    return true
  } catch (error) {
    if (missing.has(codeOf(error))) return false
    throw error
  }
}

async function locate(path: string, handle: FileHandle, { dev, ino }: BigIntStats): Promise<string | null> {
  if (process.platform === 'linux') {
    try {
      return await readlink(`/proc/self/fd/${handle.fd}`)
    } catch (error) {
      // A system without /proc.
      if (!missing.has(codeOf(error))) throw error
    }
  }
  try {
    const real = await realpath(path)
    const there = await lstat(real, { bigint: true })
    return there.dev === dev && there.ino === ino ? real : null
  } catch (error) {
    if (missing.has(codeOf(error))) return null
    throw error
  }
}

function withSlash(root: string): string {
  return root.endsWith(sep) ? root : root + sep
}

function toVersion({ size, mtimeNs, ctimeNs, ino, dev }: BigIntStats): string {
  return `${size}-${mtimeNs}-${ctimeNs}-${ino}-${dev}`
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
