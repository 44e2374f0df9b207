import { execFileSync } from 'node:child_process'
import { chmod, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type FileOptions, reply, route } from '../../index.ts'
import { deferred, plugin } from '../../testing/suite.fixtures.ts'
import { onTransports } from '../../testing.ts'
import { createFolder, longAgo } from './file-answers.fixtures.ts'

const app = { pkgIds: {}, routes: {} }
const named = (root: string, options: Partial<FileOptions> = {}) =>
  route({
    http: 'GET /files/*name',
    access: 'public',
    input: v.object({ name: v.string() }),
    handler: ({ name }) => reply.file(name, { root, ...options }),
  })

describe('reply.file', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('sends a file of its root, and active types as attachments', async () => {
      const root = await createFolder({
        'a/b.txt': 'text',
        'x.html': '<script>',
        'x.svg': '<svg>',
        'x.xml': '<a/>',
        'x.xhtml': '<a/>',
      })
      const { request } = await start({ ...app, endpoints: [named(root)] })
      const { status, text, headers } = await request('GET /files/a/b.txt')
      expect([status, text]).toEqual([200, 'text'])
      expect(headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-cache',
        'content-length': '4',
      })
      expect(headers['content-disposition']).toBeUndefined()
      for (const name of ['x.html', 'x.svg', 'x.xml', 'x.xhtml'])
        expect((await request(`GET /files/${name}`)).headers['content-disposition']).toBe(
          `attachment; filename="${name}"`,
        )
    })

    it('takes options: name, type, caching, headers, status', async () => {
      const root = await createFolder({ 'a.html': '<p>', 'b.pdf': 'pdf' })
      const { request } = await start({
        ...app,
        endpoints: [
          named(root, { inline: true, cacheControl: 'max-age=5' }),
          route({
            http: 'GET /invoice',
            access: 'public',
            handler: () =>
              reply.file('b.pdf', { root, filename: 'Müller.pdf', headers: { 'x-own': '1', etag: '"mine"' } }),
          }),
          route({
            http: 'GET /missing',
            access: 'public',
            handler: () => reply.file('a.html', { root, inline: true, status: 404, contentType: 'text/html' }),
          }),
        ],
      })
      const shown = await request('GET /files/a.html')
      expect([shown.headers['content-disposition'], shown.headers['cache-control']]).toEqual([undefined, 'max-age=5'])
      const saved = await request('GET /invoice')
      expect(saved.headers).toMatchObject({
        'content-disposition': `attachment; filename="M_ller.pdf"; filename*=UTF-8''M%C3%BCller.pdf`,
        'content-type': 'application/pdf',
        'x-own': '1',
        etag: '"mine"',
      })
      const missing = await request('GET /missing', { headers: { 'if-none-match': '*', range: 'bytes=0-0' } })
      expect([missing.status, missing.text, missing.headers['content-type']]).toEqual([404, '<p>', 'text/html'])
    })

    it('decides by the type that is sent whether a browser saves the file', async () => {
      const root = await createFolder({ 'x.txt': 'text', 'x.html': '<p>' })
      const get = (path: `/${string}`, name: string, options: Partial<FileOptions>) =>
        route({ http: `GET ${path}`, access: 'public', handler: () => reply.file(name, { root, ...options }) })
      const html = { headers: { 'Content-Type': 'text/html' } }
      const { request } = await start({
        ...app,
        endpoints: [
          get('/header', 'x.txt', html),
          get('/both', 'x.txt', { ...html, contentType: 'text/plain' }),
          get('/inline', 'x.txt', { ...html, inline: true }),
          get('/text', 'x.html', { headers: { 'content-type': 'text/plain' } }),
          get('/own', 'x.html', { headers: { 'content-disposition': 'inline' } }),
        ],
      })
      for (const [path, type, disposition] of [
        ['/header', 'text/html', 'attachment; filename="x.txt"'],
        ['/both', 'text/html', 'attachment; filename="x.txt"'],
        ['/inline', 'text/html', undefined],
        ['/text', 'text/plain', undefined],
        ['/own', 'text/html; charset=utf-8', 'inline'],
      ]) {
        const { headers } = await request(`GET ${path}`)
        expect([path, headers['content-type'], headers['content-disposition']]).toEqual([path, type, disposition])
      }
    })

    it('compares conditions with the validators that are sent', async () => {
      const root = await createFolder({ 'x.txt': 'text' })
      const modified = 'Mon, 01 Jan 2001 00:00:00 GMT'
      const get = (path: `/${string}`, headers: Record<string, string>) =>
        route({ http: `GET ${path}`, access: 'public', handler: () => reply.file('x.txt', { root, headers }) })
      const { request } = await start({
        ...app,
        endpoints: [
          get('/tag', { etag: '"mine"' }),
          get('/date', { 'last-modified': modified }),
          get('/none', { 'last-modified': 'today' }),
        ],
      })
      const own = (await request('GET /date')).headers.etag ?? ''
      const later = 'Tue, 02 Jan 2001 00:00:00 GMT'
      const range = 'bytes=0-0'
      for (const [path, headers, status] of [
        ['/tag', { 'if-none-match': '"mine"' }, 304],
        ['/tag', { 'if-none-match': own }, 200],
        ['/tag', { 'if-match': '"mine"' }, 200],
        ['/tag', { 'if-match': own }, 412],
        ['/tag', { range, 'if-range': '"mine"' }, 206],
        ['/tag', { range, 'if-range': own }, 200],
        ['/date', { 'if-modified-since': later }, 304],
        ['/date', { 'if-unmodified-since': 'Sun, 31 Dec 2000 00:00:00 GMT' }, 412],
        ['/date', { range, 'if-range': modified }, 206],
        ['/date', { range, 'if-range': longAgo.toUTCString() }, 200],
        ['/none', { 'if-modified-since': new Date().toUTCString() }, 200],
        ['/none', { 'if-unmodified-since': later }, 200],
      ] as const)
        expect([path, headers, (await request(`GET ${path}`, { headers })).status]).toEqual([path, headers, status])
      const same = await request('GET /tag', { headers: { 'if-none-match': '"mine"' } })
      expect(same.headers.etag).toBe('"mine"')
    })

    it('is not found for what is not a readable file below the root, without telling paths', async () => {
      const root = await createFolder({ 'folder/a.txt': '1', 'secret.txt': '2', '.hidden': '3' })
      execFileSync('mkfifo', [join(root, 'fifo')])
      const socket = createServer().listen(join(root, 'socket'))
      await chmod(join(root, 'secret.txt'), 0)
      const { request } = await start({ ...app, endpoints: [named(root)] })
      // root may read everything.
      const unreadable = process.getuid?.() === 0 ? [] : ['secret.txt']
      for (const name of [
        'none.txt',
        'folder',
        'folder/',
        'fifo',
        'socket',
        '.hidden',
        '%2fetc/passwd',
        '/etc/passwd',
        ...unreadable,
      ]) {
        const answer = await request(`GET /files/${name}`)
        expect([name, answer.status, answer.json()]).toEqual([
          name,
          404,
          { error: { code: 'not_found', msg: 'Not found', details: null } },
        ])
      }
      await new Promise((resolve) => socket.close(resolve))
    })

    it('is an internal error without its root, with the cause in the log', async () => {
      const { request, logs } = await start({ ...app, endpoints: [named('/does/not/exist')] })
      const answer = await request('GET /files/a.txt')
      expect([answer.status, answer.text.includes('/does')]).toEqual([500, false])
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ code: 'ENOENT' })
    })

    it('cuts the connection when the file becomes shorter, and does not send what was added', async () => {
      const size = 4 * 1024 * 1024
      const root = await createFolder({ 'shorter.bin': new Uint8Array(size), 'longer.bin': new Uint8Array(size) })
      const { raw, request, logs } = await start({ ...app, endpoints: [named(root)] })
      const read = async (name: string, change: () => Promise<void>) => {
        const { headers, body } = await raw.stream({ method: 'GET', path: `/files/${name}` })
        expect(headers['content-length']).toBe(String(size))
        let bytes = 0
        for await (const chunk of body) {
          if (bytes === 0) await change()
          bytes += chunk.byteLength
        }
        return bytes
      }
      expect(await read('longer.bin', () => writeFile(join(root, 'longer.bin'), 'more', { flag: 'a' }))).toBe(size)
      await expect(read('shorter.bin', () => truncate(join(root, 'shorter.bin'), 10))).rejects.toThrow()
      await expect
        .poll(() => logs.find(({ level }) => level === 'error')?.fields.err)
        .toMatchObject({
          message: 'A file became shorter while it was sent',
        })
      expect((await request('GET /files/shorter.bin')).text).toHaveLength(10)
    })

    it('ends reading when the client leaves, and tells hooks the status', async () => {
      const root = await createFolder({ 'large.bin': new Uint8Array(8 * 1024 * 1024) })
      const statuses: number[] = []
      const left = deferred()
      const { raw, request } = await start({
        ...app,
        endpoints: [
          route({
            http: 'GET /large',
            access: 'public',
            handler: (_input, { signal }) => {
              signal.addEventListener('abort', () => left.resolve())
              return reply.file('large.bin', { root })
            },
          }),
        ],
        plugins: [plugin((host) => host.onReply((_call, { httpStatus }) => void statuses.push(httpStatus)))],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/large' })
      for await (const _chunk of body) break
      await left.promise
      expect((await request('HEAD /large')).headers['content-length']).toBe(String(8 * 1024 * 1024))
      expect((await request('GET /large', { headers: { range: 'bytes=1-2' } })).status).toBe(206)
      expect(statuses).toEqual([200, 200, 206])
    })

    it('is awaited by a drain', async () => {
      const root = await createFolder({ 'large.bin': new Uint8Array(4 * 1024 * 1024) })
      const { raw, app: running } = await start({ ...app, endpoints: [named(root)] })
      const { body } = await raw.stream({ method: 'GET', path: '/files/large.bin' })
      const closing = running.close()
      let bytes = 0
      for await (const chunk of body) bytes += chunk.byteLength
      await closing
      expect(bytes).toBe(4 * 1024 * 1024)
    })

    it('is an internal error in a route that is on both wires', async () => {
      const { request, logs } = await start({
        pkgIds: { FILE: 1 },
        // @ts-expect-error a file cannot be a package
        routes: { FILE: route({ http: 'GET /file', handler: () => reply.file('a', { root: '/tmp' }) }) },
      })
      expect((await request('GET /file')).status).toBe(500)
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({
        message: 'Route FILE returns a file, which cannot be a package: move it to endpoints',
      })
    })
  })
})
