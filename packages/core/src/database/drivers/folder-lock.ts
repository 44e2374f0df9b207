import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BootError } from '../../base/boot-error.ts'

/** Folders of this process: after a restart in a container, the process before had the same id. */
const held = new Set<string>()

/**
 * Makes the folder and claims it for this process until the result is called. PGlite itself lets a second process in, and
 * each then overwrites what the other wrote. A claim of a process that is gone does not count.
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
    throw new BootError(
      'database_unreachable',
      `The folder ${folder} of the database cannot be used: ${String(error)}`,
      {
        cause: error,
      },
    )
  }
  held.add(file)
  return async () => {
    held.delete(file)
    await rm(file, { force: true })
  }
}

/** False when it is there already. */
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
    // Somebody else's process: alive.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function inUse(folder: string, pid: number, file: string): BootError {
  return new BootError(
    'database_unreachable',
    `The folder ${folder} of the database is in use by process ${pid}: stop it first, or name another folder. ` +
      `If no such process uses it, remove ${file}.`,
  )
}
