import { promisify } from 'node:util'
import {
  type BrotliOptions,
  brotliCompress,
  brotliCompressSync,
  constants,
  gzip,
  gzipSync,
  type ZlibOptions,
} from 'node:zlib'
import type { MaybePromise } from '../../base/maybe-promise.ts'
import type { AnswerCompression } from '../../call/compiled-route.ts'
import type { Encoding } from './accept-encoding.ts'
import { defaultCompression } from './options.ts'

/** How bodies are compressed. */
export type CompressionSettings = Omit<AnswerCompression, 'minBytes'>

/**
 * How many bodies of this process are in the thread pool of libuv at a time. It has four threads, which files, DNS and cryptography need too: half
 * of them stay free.
 */
const maxPooled = 2

/** With so many waiting for a place, an answer is sent sooner as it is. No more than these wait. */
const maxWaiting = 32

let pooled = 0
/** What waits for a place, in its order. */
const waiting: (() => void)[] = []

const brotliInPool = promisify<Uint8Array, BrotliOptions, Uint8Array>(brotliCompress)
const gzipInPool = promisify<Uint8Array, ZlibOptions, Uint8Array>(gzip)

/** Would a body that is too long to be compressed at once wait behind many others? */
export function isPoolBusy(): boolean {
  return waiting.length >= maxWaiting
}

/**
 * Compresses a whole body: at once up to `syncBytes`, a longer one in the thread pool, two of them at a time. No context of zlib
 * outlives it. Throws, or rejects, when zlib fails, and when a longer one arrives while `isPoolBusy()`: the caller has the body as it is.
 *
 * @example
 * const bytes = await compressBytes(Buffer.from(page), 'gzip')
 */
export function compressBytes(
  bytes: Uint8Array,
  encoding: Encoding,
  settings: CompressionSettings = defaultCompression,
): MaybePromise<Uint8Array> {
  if (bytes.byteLength > settings.syncBytes) return compressInPool(bytes, encoding, settings)
  return encoding === 'br'
    ? brotliCompressSync(bytes, brotliOptions(settings, bytes.byteLength))
    : gzipSync(bytes, gzipOptions(settings))
}

async function compressInPool(
  bytes: Uint8Array,
  encoding: Encoding,
  settings: CompressionSettings,
): Promise<Uint8Array> {
  if (pooled < maxPooled) pooled++
  else if (isPoolBusy()) throw new Error('Too many bodies wait to be compressed')
  else await new Promise<void>((resolve) => waiting.push(resolve))
  try {
    return encoding === 'br'
      ? await brotliInPool(bytes, brotliOptions(settings, bytes.byteLength))
      : await gzipInPool(bytes, gzipOptions(settings))
  } finally {
    // The place goes to the next one, without becoming free in between.
    const next = waiting.shift()
    if (next === undefined) pooled--
    else next()
  }
}

function brotliOptions({ brotliQuality }: CompressionSettings, length: number): BrotliOptions {
  return {
    params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality, [constants.BROTLI_PARAM_SIZE_HINT]: length },
  }
}

function gzipOptions({ gzipLevel }: CompressionSettings): ZlibOptions {
  return { level: gzipLevel }
}
