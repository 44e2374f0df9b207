import { type DropListener, dropSafe } from '../../base/drop-safe.ts'
import type { QueryRecord } from '../../call/call.ts'
import type { MultipartFile, MultipartLimits } from '../../call/multipart-file.ts'
import { coreError } from '../../errors/app-error.ts'
import type { CreateDicer } from './dicer.ts'
import { parseHeaderValue } from './header-parameters.ts'
import { refuse } from './multipart-errors.ts'
import { decodeText, readBytes } from './part-bytes.ts'
import { PartFile } from './part-file.ts'
import { type Part, PartReader } from './part-reader.ts'
import { TemporaryFiles } from './temporary-files.ts'

interface MultipartBodyOptions {
  /** Of the request, as sent. */
  readonly contentType: string
  readonly body: AsyncIterable<Uint8Array>
  readonly limits: MultipartLimits
  readonly createDicer: CreateDicer
  /** Gets promises of files that failed and that nothing handled. */
  readonly listener: DropListener
}

const type = 'multipart/form-data'
// RFC 2046, 5.1.1: at most 70 characters.
const boundaryPattern = /^[\x20-\x7e]{0,69}[\x21-\x7e]$/

/** A multipart body: its fields first, then its files one by one. */
export class MultipartBody implements AsyncIterable<MultipartFile> {
  readonly #reader: PartReader
  readonly #limits: MultipartLimits
  readonly #listener: DropListener
  readonly #temporary = new TemporaryFiles()
  /** The first file, whose headers say that there are no more fields; null: there is none. */
  #first: Part | null = null
  #file: PartFile | null = null
  #isIterated = false
  /** Reads wait for one another, so that a handler may start one without awaiting it. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws AppError `unsupported_media_type` for another type, `validation_error` for one without a boundary */
  constructor({ contentType, body, limits, createDicer, listener }: MultipartBodyOptions) {
    this.#reader = new PartReader(body, toBoundary(contentType), limits, createDicer)
    this.#limits = limits
    this.#listener = listener
  }

  /** Reads up to the headers of the first file, and returns what precedes it. Values of one name are a list. */
  async readFields(): Promise<QueryRecord> {
    const fields: Record<string, string | string[]> = Object.create(null)
    for (;;) {
      const part = await this.#reader.next()
      if (part === null || part.head.isFile) {
        this.#first = part
        return fields
      }
      const { name } = part.head
      const value = decodeText(part, await readBytes(part, this.#limits.maxFieldBytes))
      if (typeof value !== 'string') throw this.#reader.fail(value)
      const present = fields[name]
      if (present === undefined) fields[name] = value
      else if (typeof present === 'string') fields[name] = [present, value]
      else present.push(value)
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<MultipartFile, undefined> {
    if (this.#isIterated) throw new Error('call.files can be iterated only once: keep what you need of each file')
    this.#isIterated = true
    return {
      next: () =>
        dropSafe(
          this.#inTurn(() => this.#next()),
          'call.files',
          this.#listener,
        ),
    }
  }

  readonly #inTurn = <T>(read: () => Promise<T>): Promise<T> => {
    const result = this.#turn.then(read)
    this.#turn = result.catch(() => {})
    return result
  }

  /** The call has ended: temporary files are removed, once those that are being written have failed with the body. */
  close(): Promise<void> {
    return this.#temporary.remove()
  }

  async #next(): Promise<IteratorResult<MultipartFile, undefined>> {
    await this.#file?.pass()
    const part = this.#file === null ? this.#first : await this.#nextFile()
    if (part === null) return { done: true, value: undefined }
    const { maxFileBytes } = this.#limits
    this.#file = new PartFile(part, {
      inTurn: this.#inTurn,
      temporary: this.#temporary,
      maxFileBytes,
      listener: this.#listener,
    })
    return { done: false, value: this.#file }
  }

  async #nextFile(): Promise<Part | null> {
    const part = await this.#reader.next()
    if (part === null || part.head.isFile) return part
    throw this.#reader.fail(refuse('The field comes after a file: send all fields before the files', part.head.name))
  }
}

/** @throws AppError */
function toBoundary(contentType: string): string {
  const header = parseHeaderValue(contentType)
  if (header?.value !== type) throw coreError('unsupported_media_type', `Content-Type must be ${type}`)
  const boundary = header.parameters.get('boundary') ?? ''
  if (!boundaryPattern.test(boundary)) throw refuse('Content-Type must have a boundary of 1 to 70 visible characters')
  return boundary
}
