import type { PreparedHead } from '../../transport/prepared-head.ts'
import type { HeaderList } from '../../transport/transport.ts'
import type { Encoding } from '../compression/accept-encoding.ts'
import type { ResponseHeads } from '../response-heads.ts'
import type { Validators } from './conditions.ts'

/** How long ago a file must have been changed for its time to tell two contents apart. */
export const settledMs = 2000

/** What is known of the bytes that are sent. */
export interface FileFacts {
  readonly size: number
  readonly mtimeNs: bigint
}

/** The headers that do not follow from the bytes. */
export interface FileMeta {
  readonly contentType: string
  readonly cacheControl: string
  /** `content-disposition`, or null for none. */
  readonly disposition: string | null
  /** Null when there are no others to choose from. */
  readonly vary: string | null
}

/** One form of a file, as it is or encoded, with the headers that it is sent with. */
export class Representation implements Validators {
  readonly etag: string
  readonly lastModified: string
  readonly modifiedMs: number
  /** Of 200 and 206. */
  readonly headers: HeaderList
  /** Of 304. */
  readonly validators: HeaderList
  /** Null: ranges of it are not sent. */
  readonly rangeSize: number | null
  #heads: ResponseHeads | null = null
  #open: PreparedHead | null = null
  #secure: PreparedHead | null = null

  /** `rangeSize`: null for bytes that may be others the next time, as those that were compressed here. */
  constructor({ size, mtimeNs }: FileFacts, meta: FileMeta, encoding: Encoding | null, rangeSize: number | null) {
    const ms = Number(mtimeNs / 1_000_000n)
    this.modifiedMs = Math.floor(ms / 1000) * 1000
    this.lastModified = new Date(this.modifiedMs).toUTCString()
    const tag = `"${size.toString(36)}-${mtimeNs.toString(36)}${encoding === null ? '' : `-${encoding}`}"`
    this.etag = ms > Date.now() - settledMs ? `W/${tag}` : tag
    this.rangeSize = rangeSize
    const { contentType, cacheControl, disposition, vary } = meta
    this.validators = [
      ['etag', this.etag],
      ['last-modified', this.lastModified],
      ['cache-control', cacheControl],
      ...(vary === null ? [] : [['vary', vary] as const]),
    ]
    this.headers = [
      ['content-type', contentType],
      ...(encoding === null ? [] : [['content-encoding', encoding] as const]),
      ...(disposition === null ? [] : [['content-disposition', disposition] as const]),
      ['accept-ranges', rangeSize === null ? 'none' : 'bytes'],
      ...this.validators,
    ]
  }

  /** Its headers with those of every response, composed once. */
  head(heads: ResponseHeads, secure: boolean): PreparedHead {
    if (this.#heads !== heads) {
      this.#heads = heads
      this.#open = null
      this.#secure = null
    }
    if (secure) {
      this.#secure ??= heads.prepare(true, this.headers)
      return this.#secure
    }
    this.#open ??= heads.prepare(false, this.headers)
    return this.#open
  }
}
