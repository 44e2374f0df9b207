import { readdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { reply, route, staticFiles } from '../../index.ts'
import { onTransports } from '../../testing.ts'
import { createFolder } from './file-answers.fixtures.ts'
import { isOtherSpelling, isServable } from './file-name.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const part = fc.constantFrom(
  ...['..', '.', '...', '%2e', '%2E%2e', '%252e%252e', '%c0%ae%c0%ae', '%u002e', '..;', '.env', '%2eenv'],
  ...['/', '/', '/', '//', '\\', '%2f', '%5c', '%255c', '%00', '%0a', '%20', '%ff', '%', '?', '#'],
  ...[
    'a.txt',
    'folder',
    'b.txt',
    'link.txt',
    'linked',
    'secret.txt',
    'loop',
    'etc',
    'passwd',
    'proc',
    'self',
    'environ',
  ],
  ...['C:', '~', 'CON', 'aux.txt', 'a.txt.', 'a.txt::$DATA', 'file:', 'http:', 'ä', '%C3%A4', 'x'.repeat(300)],
)
const hostile = fc.array(part, { minLength: 1, maxLength: 12 }).map((parts) => `/${parts.join('')}`)

describe('hostile paths', () => {
  onTransports({ describe, afterEach }, ({ start, transport }) => {
    it('get no byte of a file outside of the root, and leave nothing behind', async () => {
      const outside = await createFolder({ 'secret.txt': 'secret', 'linked/secret.txt': 'secret' })
      const root = await createFolder({
        'a.txt': 'inside',
        'folder/b.txt': 'inside',
        '.env': 'secret',
        'folder/.env': 'secret',
      })
      await symlink(join(outside, 'secret.txt'), join(root, 'link.txt'))
      await symlink(join(outside, 'linked'), join(root, 'folder', 'linked'))
      await symlink('loop', join(root, 'loop'))
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          staticFiles({ root, prefix: '/static', access: 'public' }),
          route({
            http: 'GET /reply/*name',
            access: 'public',
            input: v.object({ name: v.string() }),
            handler: ({ name }) => reply.file(name, { root }),
          }),
        ],
      })
      const counts: Record<number, number> = {}
      const ask = async (path: string): Promise<void> => {
        // What a client would not send as a path is sent as its bytes.
        const sent = path.replace(/[^\x21-\x7e]/g, (character) => encodeURIComponent(character))
        const { status, body } = await raw.request({ method: 'GET', path: sent })
        const text = Buffer.from(body).toString()
        counts[status] = (counts[status] ?? 0) + 1
        if (status === 200) expect([path, text]).toEqual([path, 'inside'])
        else expect([path, text]).toEqual([path, expect.not.stringMatching(/secret|twinwire-files|root:/)])
        expect([path, [200, 308, 400, 404]]).toEqual([path, expect.arrayContaining([status])])
      }
      for (const path of ['/static/a.txt', '/reply/folder/b.txt']) await ask(path)
      const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length
      const before = process.platform === 'linux' ? await open() : 0
      await fc.assert(
        fc.asyncProperty(fc.constantFrom('/static', '/reply'), hostile, (prefix, path) => ask(prefix + path)),
        { numRuns: transport === 'memory' ? 3500 : 1500, seed: 17 },
      )
      // Connections of the client may have been added, files of 5,000 requests not.
      if (process.platform === 'linux') expect((await open()) - before).toBeLessThan(20)
      expect(counts[200]).toBeGreaterThan(1)
      expect(counts[404]).toBeGreaterThan(500)
    })
  })
})

describe('names of files that do not exist', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are not kept', async () => {
      const root = await createFolder({ 'a.txt': 'inside' })
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [staticFiles({ root, prefix: '/static', access: 'public' })],
      })
      const ask = async (from: number, count: number): Promise<void> => {
        for (let n = from; n < from + count; n += 1) {
          const path = `/static/${String(n).padStart(8, '0').repeat(25)}/${'x'.repeat(200)}.css`
          expect((await raw.request({ method: 'GET', path })).status).toBe(404)
        }
      }
      const heap = (): number => {
        collectGarbage()
        return process.memoryUsage().heapUsed
      }
      // Until all code is compiled.
      await ask(0, 4000)
      const before = heap()
      await ask(4000, 5000)
      // The names alone would be 2 MB.
      expect(heap() - before).toBeLessThan(1024 * 1024)
      // 9,000 requests, each on a connection of its own.
    }, 120_000)
  })
})

describe('names', () => {
  it.each([
    ['a', true],
    ['a/b c/ä.txt', true],
    ['aux', true],
    ['a:b', true],
    ['', false],
    ['/a', false],
    ['a//b', false],
    ['a/', false],
    ['.', false],
    ['..', false],
    ['a/../b', false],
    ['a/.git/b', false],
    ['a\\b', false],
    ['a\0', false],
    ['\ud800', false],
    ['a'.repeat(5000), false],
  ])('%j on Linux: %j', (name, servable) => {
    expect(isServable(name, 'linux')).toBe(servable)
  })

  it.each([
    'aux',
    'a/CON.txt',
    'nul.',
    'com1',
    'lpt¹',
    'conout$',
    'a:b',
    'a::$DATA',
    'C:/a',
    'a.',
    'a /b',
    'a?',
    'a*',
    'SECRET~1',
    'a\n',
  ])('%j is none on Windows', (name) => {
    expect(isServable(name, 'win32')).toBe(false)
  })

  it.each(['a', 'console.js', 'a/auxiliary.txt', 'com10', 'nullable', 'a b.txt', 'v1.2.js'])(
    '%j is one on Windows',
    (name) => {
      expect(isServable(name, 'win32')).toBe(true)
    },
  )

  it('in other letters are found out', () => {
    expect(isOtherSpelling('/r/Private/a', '/r/private/a')).toBe(true)
    expect(isOtherSpelling('/r/private/a', '/r/private/a')).toBe(false)
    expect(isOtherSpelling('/r/\u00e4', '/r/a\u0308')).toBe(false)
    expect(isOtherSpelling('/r/link', '/r/target')).toBe(false)
  })
})
