import { resolve } from 'node:path'
import { composeProject } from './compose-project.ts'
import type { ProjectOptions } from './options.ts'
import type { Versions } from './package-json.ts'
import { checkFolder, nameOf, writeProject } from './project-folder.ts'

/**
 * Writes a project into a folder that is empty, or does not exist yet, and resolves with its files. It is named after the folder. Rejects with a
 * UsageError for a bad name and for a folder that is not empty; then, and after any other failure, nothing was written.
 */
export async function createProject(
  folder: string,
  options: ProjectOptions,
  versions: Versions,
): Promise<readonly string[]> {
  const path = resolve(folder)
  const files = composeProject(nameOf(path), options, versions)
  await checkFolder(path)
  await writeProject(path, files)
  return [...files.keys()]
}
