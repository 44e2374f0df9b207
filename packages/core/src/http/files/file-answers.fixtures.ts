import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A time long ago, so that files may be kept in memory. */
export const longAgo: Date = new Date('2024-05-06T07:08:09Z')

/** A temporary folder with these files, changed long ago. It is removed after the test. */
export async function createFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'twinwire-files-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) await put(root, name, content)
  return root
}

/** Writes a file as if it had been changed at `time`. */
export async function put(
  root: string,
  name: string,
  content: string | Uint8Array,
  time: Date = longAgo,
): Promise<void> {
  const path = join(root, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
  await utimes(path, time, time)
}
