import { mkdir, readdir, readlink, rename, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { deferred } from '../../testing/suite.fixtures.ts'
import type * as Compress from '../compression/compress.ts'
import { ResponseHeads } from '../response-heads.ts'
import { createSecurityHeaders } from '../security-headers.ts'
import { toContentType } from './content-type.ts'
import { createFolder, put } from './file-answers.fixtures.ts'
import { FileFolder, type FolderSettings } from './file-folder.ts'
import { formBytes, KeptFile } from './kept-file.ts'

const pool = vi.hoisted(() => ({ runs: 0, isBusy: false, gate: Promise.resolve() }))
vi.mock('../compression/compress.ts', async (original) => {
  const { compressBytes } = await original<typeof Compress>()
  return {
    isPoolBusy: () => pool.isBusy,
    compressBytes: async (...given: Parameters<typeof compressBytes>) => {
      pool.runs++
      await pool.gate
      return compressBytes(...given)
    },
  }
})

const settings: FolderSettings = {
  precompressed: ['br', 'gzip'],
  compression: true,
  memory: { maxFileBytes: 65_536, maxBytes: 1024 * 1024 },
  meta: (name) => ({
    contentType: toContentType(name),
    cacheControl: 'no-cache',
    disposition: null,
    vary: 'accept-encoding',
  }),
}
const accepting = (encoding: string) => ({ header: (name: string) => (name === 'accept-encoding' ? encoding : '') })

async function keep(folder: FileFolder, name: string, nowMs = 0): Promise<KeptFile> {
  const found = await folder.find(name, nowMs)
  if (!(found instanceof KeptFile)) throw new Error(`${name} is not kept`)
  return found
}

describe('a kept file', () => {
  const script = 'export const a = 1\n'.repeat(20_000)

  it('is compressed once for all who ask meanwhile, and not by a look', async () => {
    const root = await createFolder({ 'a.js': script })
    const folder = new FileFolder(root, settings)
    const kept = await keep(folder, 'a.js')
    const gate = deferred()
    pool.runs = 0
    pool.gate = gate.promise
    expect(kept.peek(accepting('br'))).toBe(null)
    expect(pool.runs).toBe(0)
    const forms = Array.from({ length: 100 }, async () => (await keep(folder, 'a.js')).form(accepting('br')))
    const gzip = kept.form(accepting('gzip'))
    gate.resolve()
    const [first, ...others] = await Promise.all(forms)
    expect(others.every((form) => form === first)).toBe(true)
    expect(brotliDecompressSync(first?.bytes ?? '').toString()).toBe(script)
    expect(await gzip).not.toBe(first)
    expect(pool.runs).toBe(2)
    expect(kept.peek(accepting('br'))).toBe(first)
  })

  it('is sent as it is while many others wait, and compressed later', async () => {
    const kept = await keep(new FileFolder(await createFolder({ 'a.js': script }), settings), 'a.js')
    pool.isBusy = true
    expect(kept.form(accepting('br'))).toBe(kept.plain)
    pool.isBusy = false
    expect(await kept.form(accepting('br'))).not.toBe(kept.plain)
  })
})

describe('the memory of a folder', () => {
  it('keeps one composed head for each form and scheme, whatever lengths the ids of clients have', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}.bin`)
    const root = await createFolder(Object.fromEntries(names.map((name) => [name, 'x'])))
    const folder = new FileFolder(root, { ...settings, memory: { maxFileBytes: 65_536, maxBytes: 1024 * 1024 * 1024 } })
    const heads = new ResponseHeads(createSecurityHeaders())
    const files = await Promise.all(names.map((name) => keep(folder, name)))
    const lengths = Array.from({ length: 16 }, (_, i) => 8 * (i + 1))
    const compose = (length: number): (Uint8Array | null)[] =>
      files.flatMap(({ plain }) =>
        [false, true].map((isSecure) => plain.representation.head(heads, isSecure).compose('x'.repeat(length))),
      )
    const composed = new Set(lengths.flatMap(compose))
    const keptBytes = lengths
      .reverse()
      .flatMap(compose)
      .filter((bytes) => composed.has(bytes))
    expect([composed.size, keptBytes.length]).toEqual([9600, 600])
  })

  it('counts more than the content of small files', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `f${i}.bin`)
    const root = await createFolder(Object.fromEntries(names.map((name) => [name, 'x'])))
    const folder = new FileFolder(root, settings)
    for (const name of names) await keep(folder, name)
    const kept = names.filter((name) => folder.peek(name, 0) !== null)
    expect(kept).toHaveLength(Math.floor((1024 * 1024) / (formBytes + 1)))
  })

  it('counts an encoded form', async () => {
    const kept = await keep(new FileFolder(await createFolder({ 'a.css': 'a{}'.repeat(1000) }), settings), 'a.css')
    expect(kept.bytes).toBe(3000 + formBytes)
    const { bytes } = await kept.form(accepting('gzip'))
    expect(kept.bytes).toBe(3000 + bytes.byteLength + 2 * formBytes)
    expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
  })

  it('keeps no file that is more than its limit', async () => {
    const memory = { maxFileBytes: 65_536, maxBytes: formBytes }
    const found = await new FileFolder(await createFolder({ 'a.bin': 'x' }), { ...settings, memory }).find('a.bin', 0)
    expect(found).not.toBeInstanceOf(KeptFile)
    if (found !== null && found !== 'directory' && !(found instanceof KeptFile)) await found.file.handle.close()
  })
})

it('does not serve on what a link has replaced that leads out of the root', async () => {
  const root = await createFolder({ 'dir/a.txt': 'inside', 'moved/b.txt': 'inside' })
  const outside = await createFolder({})
  const folder = new FileFolder(root, settings)
  const [a, b] = [await keep(folder, 'dir/a.txt'), await keep(folder, 'moved/b.txt')]
  await rename(join(root, 'dir'), join(outside, 'dir'))
  await symlink(join(outside, 'dir'), join(root, 'dir'))
  await mkdir(join(root, 'deep'))
  await rename(join(root, 'moved'), join(root, 'deep/moved'))
  await symlink(join(root, 'deep/moved'), join(root, 'moved'))
  expect(folder.peek('dir/a.txt', 999)).toBe(a)
  expect(folder.peek('dir/a.txt', 1000)).toBe(null)
  expect(await folder.find('dir/a.txt', 1000)).toBe(null)
  expect(await folder.find('moved/b.txt', 1000)).toBe(b)
})

it.runIf(process.platform === 'linux').each([null, { maxFileBytes: 65_536, maxBytes: 1024 * 1024 }])(
  'closes a file whose headers cannot be made, with memory %j',
  async (memory) => {
    const root = await createFolder({ 'a.txt': 'a' })
    const meta = (): never => {
      throw new Error('immutable failed')
    }
    const folder = new FileFolder(root, { ...settings, memory, meta })
    await expect(folder.find('a.txt', 0)).rejects.toThrow('immutable failed')
    expect(await folder.find('b.txt', 0)).toBe(null)
    const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''))
    expect((await Promise.all(links)).filter((path) => path.startsWith(root))).toEqual([])
  },
)

describe('a neighbour', () => {
  it.each([
    ['older than the file', 'compressed', new Date('2024-05-06T07:08:08Z')],
    ['empty', '', undefined],
    ['not smaller', 'x'.repeat(3000), undefined],
  ])('that is %s is not used', async (_what, content, time) => {
    const root = await createFolder({ 'a.css': 'a{}'.repeat(1000) })
    await put(root, 'a.css.br', content, time)
    const kept = await keep(new FileFolder(root, { ...settings, compression: false }), 'a.css')
    expect(kept.peek(accepting('br'))).toBe(kept.plain)
    const compressed = await (await keep(new FileFolder(root, settings), 'a.css')).form(accepting('br'))
    expect(brotliDecompressSync(compressed.bytes)).toHaveLength(3000)
    const folder = new FileFolder(root, { ...settings, memory: null })
    const found = await folder.find('a.css', 0)
    if (found === null || found === 'directory' || found instanceof KeptFile) throw new Error('it is kept')
    const { file, encoding } = await folder.encoded(found, 'br')
    expect([file, encoding]).toEqual([found.file, null])
    await file.handle.close()
  })

  it('whose time was copied without what is below a second is used', async () => {
    const root = await createFolder({})
    await put(root, 'a.css', 'a{}'.repeat(1000), new Date('2024-01-01T00:00:00.900Z'))
    await put(root, 'a.css.br', 'compressed', new Date('2024-01-01T00:00:00.000Z'))
    const kept = await keep(new FileFolder(root, settings), 'a.css')
    expect(Buffer.from(kept.peek(accepting('br'))?.bytes ?? '').toString()).toBe('compressed')
  })
})
