import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { UsageError } from './usage-error.ts'

/** What a new repository has, and projects do not write. */
const mayBeThere = ['.git', '.DS_Store']

/** The name of the package, after its folder. Throws a UsageError for one that npm would not take. */
export function nameOf(folder: string): string {
  const name = basename(folder)
  const problem = findNameProblem(name)
  if (problem === null) return name
  throw new UsageError(
    `the folder is also the name of the package, and ${JSON.stringify(name)} ${problem}: use lower-case letters, digits, "-", "_" and ".", such as my-app`,
  )
}

function findNameProblem(name: string): string | null {
  if (name === '') return 'is empty'
  if (name.length > 214) return 'has more than 214 characters'
  if (name !== name.toLowerCase()) return 'has upper-case letters'
  if (/^[._]/.test(name)) return `begins with "${name.charAt(0)}"`
  const [odd] = /[^a-z0-9._-]/.exec(name) ?? []
  if (odd !== undefined) return `contains ${JSON.stringify(odd)}`
  return name === 'node_modules' || name === 'favicon.ico' ? 'is reserved' : null
}

/** Throws a UsageError if something would be overwritten. */
export async function checkFolder(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return []
    if (isCode(error, 'ENOTDIR')) throw new UsageError(`${folder} is a file, or is below one: choose another folder`)
    throw error
  })
  const found = entries.filter((entry) => !mayBeThere.includes(entry))
  if (found.length === 0) return
  const some = found.slice(0, 3).join(', ')
  throw new UsageError(
    `${folder} is not empty: it has ${found.length > 3 ? `${some} and ${found.length - 3} more` : some}. Nothing was written: choose another folder, or empty it`,
  )
}

/** Writes all files, or none: after a failure it removes what it has written. An existing file is never replaced. */
export async function writeProject(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const made: string[] = []
  const makeFolder = async (path: string): Promise<void> => {
    const first = await mkdir(path, { recursive: true })
    if (first !== undefined) made.push(first)
  }
  try {
    for (const [path, text] of files) {
      const file = join(folder, path)
      await makeFolder(dirname(file))
      await writeFile(file, text, { flag: 'wx' })
      made.push(file)
    }
  } catch (error) {
    // Folders of its own with all in them; each was empty, or not there, before.
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true })
    throw error
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
