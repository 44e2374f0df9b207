import { readFile } from 'node:fs/promises'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CompressionSettings, compressBytes, isPoolBusy } from './compress.ts'
import { defaultCompression } from './options.ts'

const inPool: CompressionSettings = { ...defaultCompression, syncBytes: 0 }
const decoders = { br: brotliDecompressSync, gzip: gunzipSync }

describe.each(['br', 'gzip'] as const)('%s', (encoding) => {
  const decode = decoders[encoding]

  it('is what arrived, at once and in the thread pool', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3000 }), async (bytes) => {
        expect(new Uint8Array(decode(await compressBytes(bytes, encoding)))).toEqual(bytes)
        expect(new Uint8Array(decode(await compressBytes(bytes, encoding, inPool)))).toEqual(bytes)
      }),
      { numRuns: 100 },
    )
  })

  it('is made at once up to syncBytes, and later above', async () => {
    const settings = { ...defaultCompression, syncBytes: 100 }
    expect(compressBytes(new Uint8Array(100), encoding, settings)).toBeInstanceOf(Uint8Array)
    const later = compressBytes(new Uint8Array(101), encoding, settings)
    expect(later).toBeInstanceOf(Promise)
    expect(decode(await later)).toHaveLength(101)
  })

  it('compresses many bodies that wait for each other, each for itself', async () => {
    const bodies = Array.from({ length: 34 }, (_, i) => Buffer.from(`${i} `.repeat(20_000)))
    const compressed = await Promise.all(bodies.map(async (body) => compressBytes(body, encoding)))
    for (const [i, body] of bodies.entries()) expect(decode(compressed[i] ?? '').equals(body)).toBe(true)
  })

  it('compresses more at a higher level', async () => {
    const text = await readFile(new URL(import.meta.url))
    const low = await compressBytes(text, encoding, { ...defaultCompression, brotliQuality: 1, gzipLevel: 1 })
    const high = await compressBytes(text, encoding, { ...defaultCompression, brotliQuality: 9, gzipLevel: 9 })
    expect(high.byteLength).toBeLessThan(low.byteLength)
  })
})

it('gives its place to the next one when it fails', async () => {
  const broken = { ...inPool, gzipLevel: 99 }
  const failed = await Promise.allSettled(
    Array.from({ length: 10 }, async () => compressBytes(new Uint8Array(10), 'gzip', broken)),
  )
  expect(failed.every(({ status }) => status === 'rejected')).toBe(true)
  expect(gunzipSync(await compressBytes(new Uint8Array(10), 'gzip', inPool))).toHaveLength(10)
})

it('lets no more than 32 bodies wait', async () => {
  const compress = async () => compressBytes(new Uint8Array(10), 'gzip', inPool)
  const taken = Array.from({ length: 34 }, compress)
  expect(isPoolBusy()).toBe(true)
  await expect(compress()).rejects.toThrow('Too many bodies wait to be compressed')
  expect(await Promise.all(taken)).toHaveLength(34)
  expect(isPoolBusy()).toBe(false)
  expect(gunzipSync(await compress())).toHaveLength(10)
})
