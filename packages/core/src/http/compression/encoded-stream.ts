import { type BrotliCompress, constants, createBrotliCompress, createGzip, type Gzip } from 'node:zlib'
import type { ActiveCall } from '../../call/active-call.ts'
import type { AnswerCompression } from '../../call/compiled-route.ts'
import type { AnswerDetails, HeaderList, HttpExchange, ResponseStream } from '../../transport/transport.ts'
import type { Encoding } from './accept-encoding.ts'
import { chooseCoding, withCoding } from './coding.ts'

/**
 * Begins an answer in chunks, in the coding that the request asks for. Of both encodings gzip is preferred: with a flush after each
 * chunk, brotli takes twice the memory and makes small chunks longer.
 */
export function streamCoded(
  exchange: HttpExchange,
  call: ActiveCall,
  status: number,
  headers: HeaderList,
  details?: AnswerDetails,
): ResponseStream {
  const compression = call.compiled.http?.compression ?? null
  const coding =
    compression === null ? null : chooseCoding(status, headers, '', exchange.header('accept-encoding'), 'gzip')
  if (compression === null || coding === null) return exchange.stream(status, headers, details)
  if (coding === 'identity') return exchange.stream(status, withCoding(headers, coding), details)
  // Without a size, which would be another.
  const said = details && { statusText: details.statusText, length: null }
  const stream = exchange.stream(status, withCoding(headers, coding), said)
  if (!stream.open) return stream
  const encoded = new EncodedStream(stream, call, coding, compression)
  exchange.onAborted(() => encoded.free())
  return encoded
}

/**
 * An answer in chunks that are compressed one by one, each flushed: the client can decode what was written before the next chunk is there. `write`
 * waits for zlib and then for the client.
 */
class EncodedStream implements ResponseStream {
  readonly #stream: ResponseStream
  readonly #call: ActiveCall
  readonly #zlib: Gzip | BrotliCompress
  /** What was given to the client and not taken yet. */
  #sent: Promise<boolean> = Promise.resolve(true)
  /** Of chunks that zlib has. */
  readonly #writers: Set<(more: boolean) => void> = new Set()
  #ending = false
  #resolveEnded: () => void = () => {}

  constructor(stream: ResponseStream, call: ActiveCall, encoding: Encoding, compression: AnswerCompression) {
    this.#stream = stream
    this.#call = call
    this.#zlib = createEncoder(encoding, compression)
    this.#zlib.on('readable', () => this.#pass())
    this.#zlib.on('end', () => {
      stream.end()
      this.free()
    })
    this.#zlib.on('error', (error) => this.#failed(error))
  }

  get open(): boolean {
    return this.#stream.open && !this.#ending
  }

  get bufferedBytes(): number {
    return this.#stream.bufferedBytes
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    if (!this.open) return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#writers.add(resolve)
      this.#zlib.write(chunk, (error) => {
        // Freed: its writers know.
        if (error) return
        this.#pass()
        void this.#sent.then((more) => {
          this.#writers.delete(resolve)
          resolve(more)
        })
      })
    })
  }

  end(): void {
    if (!this.open) return
    this.#ending = true
    this.#call.services.track(
      new Promise<void>((resolve) => {
        this.#resolveEnded = resolve
      }),
    )
    this.#zlib.end()
  }

  abort(): void {
    this.#stream.abort()
    this.free()
  }

  /** The answer is complete, or its client has disconnected: nothing of zlib is kept. */
  free(): void {
    this.#zlib.destroy()
    for (const resolve of this.#writers) resolve(false)
    this.#writers.clear()
    this.#resolveEnded()
  }

  #pass(): void {
    const bytes: unknown = this.#zlib.read()
    if (bytes instanceof Uint8Array) this.#sent = this.#stream.write(bytes)
  }

  #failed(error: Error): void {
    this.#call.log.error({ err: error }, 'An answer could not be compressed: the connection was cut')
    this.abort()
  }
}

function createEncoder(encoding: Encoding, { brotliQuality, gzipLevel }: AnswerCompression): Gzip | BrotliCompress {
  return encoding === 'gzip'
    ? createGzip({ level: gzipLevel, flush: constants.Z_SYNC_FLUSH })
    : createBrotliCompress({
        flush: constants.BROTLI_OPERATION_FLUSH,
        params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality },
      })
}
