import { constants, createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { outcomes, type Row } from './row.ts'

/** Only for this user; never through a link, never a file that is there already. */
export function openNew(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL, 0o600)
}

export async function countLines(path: string): Promise<number> {
  let lines = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: 0 })) if (line !== '') lines++
  return lines
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

export function outcomeOf(line: string): Row['outcome'] | null {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null || !('id' in parsed) || !('outcome' in parsed)) return null
    return outcomes.find((each) => each === parsed.outcome) ?? null
  } catch {
    return null
  }
}
