import { isPromise, type MaybePromise } from '../../base/maybe-promise.ts'
import type { HttpExchange } from '../../transport/transport.ts'
import { chooseEncoding, type Encoding } from '../compression/accept-encoding.ts'
import { compressBytes, isPoolBusy } from '../compression/compress.ts'
import { defaultCompression } from '../compression/options.ts'
import { type FileMeta, Representation } from './representation.ts'

/** A form of a file that is in memory. */
export interface KeptForm {
  readonly representation: Representation
  readonly bytes: Uint8Array
}

/** What a form takes beside its bytes, as measured: its headers, composed for plain and for secure connections, and its place in the folder. */
export const formBytes: number = 10 * 1024

const encodings: readonly Encoding[] = ['br', 'gzip']

/** Less is not worth the time of a client. */
const minEncodedBytes = 1024

/** A small file in memory, as it is and encoded. */
export class KeptFile {
  readonly kind = 'kept'
  readonly name: string
  /** Of the file and its encoded neighbours. */
  readonly version: string
  readonly plain: KeptForm
  /** Monotonic milliseconds at which it was last compared with the disk. */
  checkedMs: number
  /** Resolves to whether it is still the file on the disk; null while nothing asks. */
  checking: Promise<boolean> | null = null
  /** Since the last look for what is not used. */
  wasUsed = true
  readonly #forms = new Map<Encoding, KeptForm>()
  /** What is being compressed, once for all who wait for it. They never reject. */
  readonly #runs = new Map<Encoding, Promise<KeptForm>>()
  /** Encodings that it has, or may be compressed to. */
  #available: readonly Encoding[]
  /** Those whose bytes are always the same. */
  #neighbours: readonly Encoding[] = []
  #preferred: Encoding = 'br'
  readonly #meta: FileMeta
  readonly #mtimeNs: bigint
  /** Its bytes have become more. */
  readonly #grew: (bytes: number) => void

  constructor(
    name: string,
    version: string,
    mtimeNs: bigint,
    bytes: Uint8Array,
    meta: FileMeta,
    compresses: boolean,
    checkedMs: number,
    grew: (bytes: number) => void,
  ) {
    this.name = name
    this.version = version
    this.checkedMs = checkedMs
    this.#meta = meta
    this.#mtimeNs = mtimeNs
    this.#available = compresses && bytes.byteLength >= minEncodedBytes ? encodings : []
    this.#grew = grew
    const size = bytes.byteLength
    this.plain = { representation: new Representation({ size, mtimeNs }, meta, null, size), bytes }
  }

  /** All that it takes in memory. */
  get bytes(): number {
    let bytes = this.plain.bytes.byteLength + formBytes
    for (const form of this.#forms.values()) bytes += form.bytes.byteLength + formBytes
    return bytes
  }

  /** A neighbour, such as `site.css.br` of `site.css`. */
  addNeighbour(encoding: Encoding, bytes: Uint8Array, mtimeNs: bigint): void {
    const size = bytes.byteLength
    this.#forms.set(encoding, {
      representation: new Representation({ size, mtimeNs }, this.#meta, encoding, size),
      bytes,
    })
    this.#neighbours = [...this.#neighbours, encoding]
    this.#preferred = this.#neighbours.includes('br') ? 'br' : 'gzip'
    this.#available = encodings.filter((other) => this.#available.includes(other) || other === encoding)
  }

  /** The form for a request, which is there; null when it has to be compressed first. */
  peek(exchange: Pick<HttpExchange, 'header'>): KeptForm | null {
    const encoding = this.#choose(exchange)
    return encoding === null ? this.plain : (this.#forms.get(encoding) ?? null)
  }

  /** The form for a request. It is the plain one while too many others wait to be compressed. */
  form(exchange: Pick<HttpExchange, 'header'>): MaybePromise<KeptForm> {
    const encoding = this.#choose(exchange)
    if (encoding === null) return this.plain
    return this.#forms.get(encoding) ?? this.#runs.get(encoding) ?? this.#compress(encoding)
  }

  /** Of two that a client likes as much, the one that is there already. A range is one of bytes that are always the same. */
  #choose(exchange: Pick<HttpExchange, 'header'>): Encoding | null {
    if (this.#available.length === 0) return null
    const available = exchange.header('range') === '' ? this.#available : this.#neighbours
    return chooseEncoding(exchange.header('accept-encoding'), this.#preferred, available)
  }

  #compress(encoding: Encoding): MaybePromise<KeptForm> {
    if (this.plain.bytes.byteLength > defaultCompression.syncBytes && isPoolBusy()) return this.plain
    try {
      const bytes = compressBytes(this.plain.bytes, encoding)
      if (!isPromise(bytes)) return this.#addCompressed(encoding, bytes)
      const run = bytes.then(
        (done) => this.#addCompressed(encoding, done),
        () => this.#addCompressed(encoding, null),
      )
      this.#runs.set(encoding, run)
      return run
    } catch {
      return this.#addCompressed(encoding, null)
    }
  }

  /** Null: it could not be compressed, and is sent as it is. */
  #addCompressed(encoding: Encoding, bytes: Uint8Array | null): KeptForm {
    this.#runs.delete(encoding)
    const size = this.plain.bytes.byteLength
    if (bytes === null || bytes.byteLength >= size) {
      this.#available = this.#available.filter((other) => other !== encoding)
      return this.plain
    }
    // The tag is of the file: another version of zlib may make other bytes of it.
    const representation = new Representation({ size, mtimeNs: this.#mtimeNs }, this.#meta, encoding, null)
    // zlib returns a part of a buffer of 16 KiB.
    const form = { representation, bytes: new Uint8Array(bytes) }
    this.#forms.set(encoding, form)
    this.#grew(bytes.byteLength + formBytes)
    return form
  }
}
