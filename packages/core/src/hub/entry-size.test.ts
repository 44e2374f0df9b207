import { describe, expect, it } from 'vitest'
import { isLargerThan } from './entry-size.ts'

const samples: unknown[] = [
  null,
  true,
  '',
  'a'.repeat(40),
  'ü😀'.repeat(20),
  '\u0000"\\'.repeat(15),
  [],
  {},
  [[], [{}]],
  Array.from({ length: 30 }, (_, i) => i * 1.000_000_1e-7),
  { a: 1, b: [null, false, { c: 'x'.repeat(30), d: undefined }] },
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${i}`, -1.234_567_890_123_456e-300])),
]

describe('the size of an entry', () => {
  it.each(samples.map((data) => ({ data })))('is that of its JSON: $data', ({ data }) => {
    const bytes = Buffer.byteLength(JSON.stringify(data))
    for (let max = Math.max(bytes - 40, 0); max < bytes + 40; max++) expect(isLargerThan(data, max)).toBe(bytes > max)
    expect(isLargerThan(data, 1024 * 1024)).toBe(false)
  })
})
