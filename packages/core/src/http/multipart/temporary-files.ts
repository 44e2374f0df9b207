import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TemporaryFile } from '../../call/multipart-file.ts'

/** The temporary files of one call, in a directory that only the user of the process may enter. */
export class TemporaryFiles {
  #directory: Promise<string> | null = null
  #count = 0
  #isRemoved = false
  readonly #writing = new Set<Promise<unknown>>()

  /** Writes a new file. `read` returns null at the end. */
  write(read: () => Promise<Uint8Array | null>): Promise<TemporaryFile> {
    const work = this.#write(read)
    const settled: Promise<unknown> = work.catch(() => {}).then(() => this.#writing.delete(settled))
    this.#writing.add(settled)
    return work
  }

  /** Removes all of it, after what is being written: the reads of that have failed by then. */
  async remove(): Promise<void> {
    this.#isRemoved = true
    await Promise.all(this.#writing)
    // The directory could not be made.
    const directory = await this.#directory?.catch(() => undefined)
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  }

  async #write(read: () => Promise<Uint8Array | null>): Promise<TemporaryFile> {
    if (this.#isRemoved) throw new Error('The call has ended: a temporary file would not be removed any more')
    this.#directory ??= mkdtemp(join(tmpdir(), 'twinwire-upload-'))
    const path = join(await this.#directory, String(++this.#count))
    const file = await open(path, 'wx', 0o600)
    try {
      let bytes = 0
      for (let chunk = await read(); chunk !== null; chunk = await read()) {
        await file.writeFile(chunk)
        bytes += chunk.length
      }
      return { path, bytes }
    } finally {
      await file.close()
    }
  }
}
