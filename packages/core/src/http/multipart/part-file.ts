import { type DropListener, dropSafe } from '../../base/drop-safe.ts'
import type { MultipartFile, ReadFileOptions, TemporaryFile } from '../../call/multipart-file.ts'
import { toShown } from './multipart-errors.ts'
import { decodeText, readBytes } from './part-bytes.ts'
import type { Part } from './part-reader.ts'
import type { TemporaryFiles } from './temporary-files.ts'

interface PartFileContext {
  /** Of its body: runs a read after those that were started before. */
  readonly inTurn: <T>(read: () => Promise<T>) => Promise<T>
  readonly temporary: TemporaryFiles
  readonly maxFileBytes: number
  readonly listener: DropListener
}

/** A file of a multipart body, as handlers see it. */
export class PartFile implements MultipartFile {
  readonly #part: Part
  readonly #context: PartFileContext
  /** It is read by what has claimed it, and only until the next file is requested. */
  #isClaimed = false
  #isPassed = false

  constructor(part: Part, context: PartFileContext) {
    this.#part = part
    this.#context = context
  }

  get field(): string {
    return this.#part.head.name
  }
  get filename(): string | null {
    return this.#part.head.filename
  }
  get contentType(): string {
    return this.#part.head.contentType
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    this.#claim()
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      if (this.#isPassed) throw this.#passed()
      const value = await this.#part.read()
      return value === null ? { done: true, value: undefined } : { done: false, value }
    }
    const { inTurn, listener } = this.#context
    return { next: () => dropSafe(inTurn(next), 'file.next', listener) }
  }

  bytes(options?: ReadFileOptions): Promise<Uint8Array> {
    return this.#read('file.bytes', () => readBytes(this.#part, this.#toLimit(options)))
  }

  text(options?: ReadFileOptions): Promise<string> {
    return this.#read('file.text', async () => {
      const text = decodeText(this.#part, await readBytes(this.#part, this.#toLimit(options)))
      if (typeof text !== 'string') throw text
      return text
    })
  }

  toTemporaryFile(): Promise<TemporaryFile> {
    return this.#read('file.toTemporaryFile', () => this.#context.temporary.write(() => this.#part.read()))
  }

  /** Drops the rest of the bytes: what follows is the next file. */
  async pass(): Promise<void> {
    this.#isPassed = true
    await this.#part.skip()
  }

  #read<T>(name: string, read: () => Promise<T>): Promise<T> {
    const { inTurn, listener } = this.#context
    const work = async (): Promise<T> => {
      this.#claim()
      return inTurn(read)
    }
    return dropSafe(work(), name, listener)
  }

  #claim(): void {
    if (this.#isPassed) throw this.#passed()
    if (this.#isClaimed) throw new Error(`The file '${toShown(this.field)}' is read already: it can be read only once`)
    this.#isClaimed = true
  }

  #passed(): Error {
    return new Error(`The file '${toShown(this.field)}' can be read only until the next file is requested`)
  }

  #toLimit({ maxBytes = this.#context.maxFileBytes }: ReadFileOptions = {}): number {
    if (Number.isSafeInteger(maxBytes) && maxBytes >= 0) return maxBytes
    throw new RangeError(`maxBytes must be an integer of at least 0, received ${maxBytes}`)
  }
}
