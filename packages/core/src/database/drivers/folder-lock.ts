import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BootError } from '../../base/boot-error.ts'

/** Locks of this process: after a restart in a container, the previous process had the same id. */
const held = new Set<string>()

/**
 * Creates the folder and locks it for this process; the result unlocks it. PGlite itself accepts a second process, and each then overwrites
 * what the other wrote. A lock of a process that does not exist any more is removed.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(folder, 'twinwire.lock')
  try {
    await mkdir(folder, { recursive: true })
    if (!(await claim(file))) {
      const owner = Number(await readFile(file, 'utf8'))
      if (isAlive(owner, file)) throw inUse(folder, owner, file)
      await rm(file, { force: true })
      if (!(await claim(file))) throw inUse(folder, owner, file)
    }
  } catch (error) {
    if (error instanceof BootError) throw error
    throw new BootError('unreachable_database', `The database folder ${folder} cannot be used: ${String(error)}`, {
      cause: error,
    })
  }
  held.add(file)
  return async () => {
    held.delete(file)
    await rm(file, { force: true })
  }
}

/** False when the file exists. */
async function claim(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function isAlive(pid: number, file: string): boolean {
  if (pid === process.pid) return held.has(file)
  if (!Number.isSafeInteger(pid) || pid < 1) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of another user: alive.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function inUse(folder: string, pid: number, file: string): BootError {
  return new BootError(
    'unreachable_database',
    `The database folder ${folder} is in use by process ${pid}: stop that process, or use another folder. ` +
      `If that process does not use it, delete ${file}.`,
  )
}
