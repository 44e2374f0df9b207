import type { Dicer } from '@fastify/busboy'
import type { MultipartLimits } from '../../call/multipart-file.ts'
import { AppError } from '../../errors/app-error.ts'
import type { CreateDicer } from './dicer.ts'
import { refuse, tooLarge } from './multipart-errors.ts'
import { maxPartHeaderBytes, maxPartHeaders, type PartHead, type PartHeaders, toPartHead } from './part-head.ts'
import { createDecoder, type PartDecoder } from './transfer-encoding.ts'

type PartStream = Dicer.PartStream

/** Captured when the module loads, so that fake timers of a test cannot disable it. */
const { nextTick } = process

/** One part of a body. It must be read to its end before the next one. */
export class Part {
  readonly head: PartHead
  readonly #reader: PartReader
  readonly #stream: PartStream
  readonly #decoder: PartDecoder | null
  readonly #maxBytes: number
  #bytes = 0
  #ended = false
  #done = false

  constructor(head: PartHead, reader: PartReader, stream: PartStream, maxBytes: number) {
    this.head = head
    this.#reader = reader
    this.#stream = stream
    this.#decoder = createDecoder(head.encoding)
    this.#maxBytes = maxBytes
    stream.on('end', () => {
      this.#ended = true
    })
  }

  /** The next bytes, decoded; null at the end. */
  async read(): Promise<Uint8Array | null> {
    while (!this.#done) {
      const raw = await this.#readRaw()
      if (raw === null) this.#done = true
      const decoded = this.#decode(raw)
      if (decoded === null) throw this.#reader.fail(refuse(`The bytes are not ${this.head.encoding}`, this.head.name))
      this.#bytes += decoded.length
      if (this.#bytes > this.#maxBytes) throw this.#reader.fail(tooLarge(this.head, this.#maxBytes))
      if (decoded.length > 0) return decoded
    }
    return null
  }

  /** Reads and drops the rest. */
  async skip(): Promise<void> {
    while ((await this.#readRaw()) !== null);
    this.#done = true
  }

  #decode(raw: Uint8Array | null): Uint8Array | null {
    if (this.#decoder === null) return raw ?? nothing
    return raw === null ? this.#decoder.end() : this.#decoder.write(raw)
  }

  async #readRaw(): Promise<Uint8Array | null> {
    for (;;) {
      this.#reader.check()
      const chunk: unknown = this.#stream.read()
      if (chunk instanceof Uint8Array) return chunk
      // The stream tells of its end in a tick of its own.
      await new Promise<void>((resolve) => nextTick(resolve))
      if (this.#ended) return null
      await this.#reader.pull()
    }
  }
}

const nothing = new Uint8Array(0)
const cr = 0x0d
const lf = 0x0a

/**
 * Splits a multipart body (RFC 7578, RFC 2046 5.1) into parts, one after the other. It reads the next chunk of the body only when a read waits
 * for what is in it. The first error is that of all later reads.
 */
export class PartReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #dicer: Dicer
  readonly #limits: MultipartLimits
  /** What was found and not taken yet, in order: an error is behind the parts that precede it, however the body was cut into chunks. */
  readonly #found: (Part | AppError)[] = []
  #preamble: PartStream | null = null
  #headless = false
  #broken = false
  #complete = false
  #files = 0
  #fields = 0
  #failure: { readonly error: unknown } | null = null

  constructor(body: AsyncIterable<Uint8Array>, boundary: string, limits: MultipartLimits, createDicer: CreateDicer) {
    this.#chunks = body[Symbol.asyncIterator]()
    this.#limits = limits
    this.#dicer = createDicer({
      boundary,
      // It never pauses: it gets one chunk at a time, and the next one when that was read.
      partHwm: Number.MAX_SAFE_INTEGER,
      // It cuts what exceeds these without an error: `toPartHead` finds that out.
      maxHeaderPairs: maxPartHeaders + 1,
      maxHeaderSize: 2 * maxPartHeaderBytes,
    })
    this.#dicer
      .on('preamble', (stream) => {
        this.#preamble = stream
      })
      .on('part', (stream) => this.#addPart(stream))
      .on('finish', () => this.#finish())
  }

  /** The next part, once the one before was read to its end; null behind the last one, when the whole body was read. */
  async next(): Promise<Part | null> {
    for (;;) {
      this.check()
      const found = this.#found.shift()
      if (found instanceof AppError) throw this.fail(found)
      if (found !== undefined) return found
      if (this.#complete) {
        // What is behind the last boundary means nothing (RFC 2046, 5.1.1).
        while (await this.#readChunk());
        return null
      }
      await this.pull()
    }
  }

  /** Reads one chunk of the body. */
  async pull(): Promise<void> {
    this.check()
    const chunk = await this.#readChunk()
    if (chunk === null) throw this.fail(refuse('The body ends before its last boundary'))
    this.#dicer.write(chunk)
    this.#checkPreamble()
  }

  /** Ends with an error, unless it has one already. Returns the error that counts. */
  fail(error: unknown): unknown {
    this.#failure ??= { error }
    return this.#failure.error
  }

  /** Throws the error that it ended with. */
  check(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  async #readChunk(): Promise<Uint8Array | null> {
    try {
      const { done, value } = await this.#chunks.next()
      return done === true ? null : value
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** No client sends one: what looks like it is a first part whose boundary is broken, which must not be lost in silence. */
  #checkPreamble(): void {
    const bytes: unknown = this.#preamble?.read()
    if (bytes instanceof Uint8Array && bytes.some((byte) => byte !== cr && byte !== lf))
      throw this.fail(refuse('The body must begin with its boundary'))
  }

  #addPart(stream: PartStream): void {
    this.#endHead()
    this.#headless = true
    stream.on('header', (headers) => {
      this.#headless = false
      this.#addHead(stream, Object.fromEntries(Object.entries(headers)))
    })
  }

  #finish(): void {
    this.#endHead()
    this.#complete = true
  }

  /** The library says nothing of a part that ends within its headers. */
  #endHead(): void {
    if (this.#headless) this.#addError(refuse('A part ends within its headers'))
    this.#headless = false
  }

  #addHead(stream: PartStream, headers: PartHeaders): void {
    if (this.#broken) return
    const head = toPartHead(headers, this.#limits.maxNameBytes)
    if (head instanceof AppError) return this.#addError(head)
    const { maxFiles, maxFields, maxParts, maxFileBytes, maxFieldBytes } = this.#limits
    if (head.isFile) this.#files++
    else this.#fields++
    if (this.#files > maxFiles) return this.#addError(refuse(`At most ${maxFiles} files are accepted`, head.name))
    if (this.#fields > maxFields) return this.#addError(refuse(`At most ${maxFields} fields are accepted`, head.name))
    if (this.#files + this.#fields > maxParts)
      return this.#addError(refuse(`At most ${maxParts} parts are accepted`, head.name))
    this.#found.push(new Part(head, this, stream, head.isFile ? maxFileBytes : maxFieldBytes))
  }

  #addError(error: AppError): void {
    if (!this.#broken) this.#found.push(error)
    this.#broken = true
  }
}
