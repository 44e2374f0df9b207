import type { FileHandle } from 'node:fs/promises'
import type { ByteRange } from './range.ts'

/** What is read at once. */
export const chunkBytes: number = 64 * 1024

/** Reads `length` bytes at `position` into `buffer`; null when the file has less. */
export async function readFully(
  handle: FileHandle,
  buffer: Uint8Array,
  length: number,
  position: number,
): Promise<Uint8Array | null> {
  let at = 0
  while (at < length) {
    const { bytesRead } = await handle.read(buffer, at, length - at, position + at)
    if (bytesRead === 0) return null
    at += bytesRead
  }
  return length === buffer.byteLength ? buffer : buffer.subarray(0, length)
}

/**
 * The bytes of a range of an open file, chunk by chunk, in one buffer: a chunk is valid until the next one is requested. Closes the file at the
 * end, after an error, and when it is ended early. A file that became shorter is an error.
 */
export class FileSource implements AsyncIterableIterator<Uint8Array> {
  readonly #handle: FileHandle
  readonly #buffer: Uint8Array
  readonly #end: number
  #at: number
  /** Was read before the response began. */
  #first: Uint8Array | null
  #closing: Promise<void> | null = null

  constructor(handle: FileHandle, buffer: Uint8Array, first: Uint8Array, { start, end }: ByteRange) {
    this.#handle = handle
    this.#buffer = buffer
    this.#first = first
    this.#at = start + first.byteLength
    this.#end = end
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const first = this.#first
    this.#first = null
    if (first !== null) return { done: false, value: first }
    const length = Math.min(this.#end - this.#at, this.#buffer.byteLength)
    if (length === 0 || this.#closing !== null) return this.return()
    try {
      const chunk = await readFully(this.#handle, this.#buffer, length, this.#at)
      if (chunk === null) throw new Error('A file became shorter while it was sent')
      this.#at += length
      return { done: false, value: chunk }
    } catch (error) {
      await this.return()
      throw error
    }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#closing ??= this.#handle.close()
    await this.#closing
    return { done: true, value: undefined }
  }
}
