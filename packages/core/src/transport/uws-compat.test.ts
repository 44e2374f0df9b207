import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compatTable } from './uws-checksums.ts'
import { bindToOlderGlibc, sha256 } from './uws-compat.ts'

const folder = dirname(createRequire(import.meta.url).resolve('uWebSockets.js'))

describe('the copy bound to an older glibc', () => {
  it.each(Object.entries(compatTable))('of %s comes out as it did', (name, entry) => {
    const original = readFileSync(join(folder, name))
    const sum = sha256(original)
    expect(sum).toBe(entry.source)
    const copy = bindToOlderGlibc(original, entry.oldVersion)
    expect(sha256(copy)).toBe(entry.result)
    expect(copy.byteLength).toBe(original.byteLength)
    // The file that was read is not touched.
    expect(sha256(original)).toBe(sum)
  })

  it('differs from the original in the few bytes of the symbol table only', () => {
    const [name, entry] = Object.entries(compatTable)[0] ?? expect.fail('the table is empty')
    const original = readFileSync(join(folder, name))
    const copy = bindToOlderGlibc(original, entry.oldVersion)
    let differing = 0
    for (let i = 0; i < copy.byteLength; i++) if (copy[i] !== original[i]) differing += 1
    expect(differing).toBeGreaterThan(0)
    expect(differing).toBeLessThan(32)
  })

  it('refuses a file that is not ELF, and one with a symbol that has no older version', () => {
    expect(() => bindToOlderGlibc(Buffer.from('MZ and more'), 'GLIBC_2.2.5')).toThrow('not an ELF-64 file')
    const [name, entry] = Object.entries(compatTable)[0] ?? expect.fail('the table is empty')
    const odd = readFileSync(join(folder, name))
    odd.write('__isoc23_strtox', odd.indexOf('__isoc23_strtol'))
    expect(() => bindToOlderGlibc(odd, entry.oldVersion)).toThrow('has no older version')
    expect(() => bindToOlderGlibc(readFileSync(join(folder, name)), 'GLIBC_1.0')).toThrow('no GLIBC_1.0')
  })
})
