import { isPromise, type MaybePromise } from '../../base/maybe-promise.ts'
import type { Encoding } from '../compression/accept-encoding.ts'
import { compressBytes } from '../compression/compress.ts'
import { type FileMeta, Representation } from './representation.ts'

/** A form of a file that is in memory. */
export interface KeptForm {
  readonly representation: Representation
  readonly bytes: Uint8Array
}

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
  /** Null: the plain form is not larger, or encoding failed. */
  readonly #forms = new Map<Encoding, KeptForm | null>()
  readonly #meta: FileMeta
  readonly #mtimeNs: bigint
  /** Its form depends on what a client accepts. */
  readonly mayBeEncoded: boolean
  readonly #compresses: boolean
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
    this.#compresses = compresses && bytes.byteLength >= minEncodedBytes
    this.mayBeEncoded = meta.vary !== null
    this.#grew = grew
    const size = bytes.byteLength
    this.plain = { representation: new Representation({ size, mtimeNs }, meta, null, size), bytes }
  }

  get bytes(): number {
    let bytes = this.plain.bytes.byteLength
    for (const form of this.#forms.values()) bytes += form?.bytes.byteLength ?? 0
    return bytes
  }

  /** A neighbour, such as `site.css.br` of `site.css`. */
  addNeighbour(encoding: Encoding, bytes: Uint8Array, mtimeNs: bigint): void {
    const size = bytes.byteLength
    this.#forms.set(encoding, {
      representation: new Representation({ size, mtimeNs }, this.#meta, encoding, size),
      bytes,
    })
  }

  /** The form for a client that accepts `encoding`. `wantsRange`: one whose bytes are always the same. */
  form(encoding: Encoding, wantsRange: boolean): MaybePromise<KeptForm> {
    const form = this.#forms.get(encoding)
    if (form !== undefined)
      return form === null || (wantsRange && form.representation.rangeSize === null) ? this.plain : form
    if (!this.#compresses || wantsRange) return this.plain
    return this.#compress(encoding)
  }

  #compress(encoding: Encoding): MaybePromise<KeptForm> {
    try {
      const bytes = compressBytes(this.plain.bytes, encoding)
      if (!isPromise(bytes)) return this.#addCompressed(encoding, bytes)
      return bytes.then(
        (done) => this.#addCompressed(encoding, done),
        () => this.#addCompressed(encoding, null),
      )
    } catch {
      return this.#addCompressed(encoding, null)
    }
  }

  /** Null: it could not be compressed, and is sent as it is. */
  #addCompressed(encoding: Encoding, bytes: Uint8Array | null): KeptForm {
    const size = this.plain.bytes.byteLength
    if (bytes === null || bytes.byteLength >= size) {
      this.#forms.set(encoding, null)
      return this.plain
    }
    const before = this.#forms.get(encoding)
    if (before) return before
    // The tag is of the file: another version of zlib may make other bytes of it.
    const representation = new Representation({ size, mtimeNs: this.#mtimeNs }, this.#meta, encoding, null)
    const form = { representation, bytes }
    this.#forms.set(encoding, form)
    this.#grew(bytes.byteLength)
    return form
  }
}
