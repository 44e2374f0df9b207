import { mkdir, rename, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { check, guard, PermissionDeniedError, route, staticFiles } from '../../index.ts'
import { plugin } from '../../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../../testing.ts'
import { createFolder, longAgo, put } from './file-answers.fixtures.ts'

const app = { pkgIds: {}, routes: {} }
const css = 'body { color: red }\n'.repeat(100)

describe('staticFiles', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('answers GET and HEAD with type, validators and the headers of every answer', async () => {
      const root = await createFolder({ 'css/site.css': 'body {}', 'data.bin': new Uint8Array(70_000) })
      const { request } = await start({
        ...app,
        endpoints: [staticFiles({ root, prefix: '/assets', access: 'public' })],
      })
      for (let i = 0; i < 2; i++) {
        const { status, headers, text } = await request('GET /assets/css/site.css')
        expect([status, text]).toEqual([200, 'body {}'])
        expect(headers).toMatchObject({
          'content-type': 'text/css; charset=utf-8',
          'content-length': '7',
          'last-modified': longAgo.toUTCString(),
          'cache-control': 'no-cache',
          'accept-ranges': 'bytes',
          'x-content-type-options': 'nosniff',
          vary: 'accept-encoding',
          'x-correlation-id': expect.stringMatching(/./),
          etag: expect.stringMatching(/^"[\w-]+"$/),
        })
      }
      for (const [path, length] of [
        ['css/site.css', '7'],
        ['data.bin', '70000'],
      ]) {
        const head = await request(`HEAD /assets/${path}`)
        expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', length])
      }
    })

    it('sends a file of any size with its length, and ranges of it', async () => {
      const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
      const root = await createFolder({ 'large.bin': bytes, 'small.bin': bytes.subarray(0, 1000), 'empty.txt': '' })
      const { raw } = await start({ ...app, endpoints: [staticFiles({ root, prefix: '/', access: 'public' })] })
      const get = (path: string, headers = {}) => raw.request({ method: 'GET', path, headers })
      const whole = await get('/large.bin')
      expect([whole.status, whole.headers['content-length'], Buffer.compare(whole.body, bytes)]).toEqual([
        200,
        '300000',
        0,
      ])
      expect(await get('/empty.txt')).toMatchObject({
        status: 200,
        body: new Uint8Array(0),
        headers: { 'content-length': '0' },
      })
      for (const [path, size] of [
        ['/large.bin', 300_000],
        ['/small.bin', 1000],
      ] as const) {
        for (const [range, start, end] of [
          ['bytes=0-0', 0, 1],
          ['bytes=10-', 10, size],
          ['bytes=-10', size - 10, size],
          ['bytes=5-999999999', 5, size],
        ] as const) {
          const part = await get(path, { range })
          expect([part.status, part.headers['content-range'], part.headers['content-length']]).toEqual([
            206,
            `bytes ${start}-${end - 1}/${size}`,
            String(end - start),
          ])
          expect(Buffer.compare(part.body, bytes.subarray(start, end))).toBe(0)
        }
        for (const range of ['bytes=9-0', 'bytes=0-1,4-5', 'lines=0-1', 'bytes=a-b', 'bytes=-'])
          expect([range, (await get(path, { range })).status]).toEqual([range, 200])
        const beyond = await get(path, { range: `bytes=${size}-` })
        expect([beyond.status, beyond.headers['content-range'], beyond.body.byteLength]).toEqual([
          416,
          `bytes */${size}`,
          0,
        ])
      }
    })

    it('answers conditional requests', async () => {
      const root = await createFolder({ 'a.txt': 'content', 'large.bin': new Uint8Array(100_000) })
      const { request } = await start({ ...app, endpoints: [staticFiles({ root, prefix: '/', access: 'public' })] })
      for (const path of ['/a.txt', '/large.bin']) {
        const { etag = '', 'last-modified': modified = '' } = (await request(`GET ${path}`)).headers
        const status = async (headers: Record<string, string>) => (await request(`GET ${path}`, { headers })).status
        expect(await status({ 'if-none-match': etag })).toBe(304)
        expect(await status({ 'if-none-match': `"other", W/${etag}` })).toBe(304)
        expect(await status({ 'if-none-match': '"other"', 'if-modified-since': modified })).toBe(200)
        expect(await status({ 'if-modified-since': modified })).toBe(304)
        expect(await status({ 'if-match': '"other"' })).toBe(412)
        expect(await status({ 'if-unmodified-since': new Date(0).toUTCString() })).toBe(412)
        expect(await status({ range: 'bytes=0-1', 'if-range': etag })).toBe(206)
        expect(await status({ range: 'bytes=0-1', 'if-range': `W/${etag}` })).toBe(200)
        const { headers, text } = await request(`GET ${path}`, { headers: { 'if-none-match': etag } })
        expect(text).toBe('')
        expect(headers).toMatchObject({ etag, 'last-modified': modified, 'cache-control': 'no-cache' })
        expect(headers['content-type']).toBeUndefined()
        expect(headers['x-content-type-options']).toBe('nosniff')
      }
    })

    it('leaves paths to routes, and refuses other methods', async () => {
      const root = await createFolder({ 'index.html': '<p>', hello: 'file' })
      const hello = route({ http: 'GET /hello', access: 'public', handler: () => 'route' })
      const save = route({ http: 'POST /save', access: 'public', handler: () => 'saved' })
      const files = staticFiles({ root, prefix: '/', access: 'public' })
      const { request } = await start({ ...app, endpoints: [hello, save, files] })
      expect((await request('GET /hello')).json()).toBe('route')
      expect((await request('POST /save')).json()).toBe('saved')
      const wrong = await request('POST /index.html')
      expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
      const options = await request('OPTIONS /index.html')
      expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS'])
      expect((await request('GET /ws')).status).toBe(426)
      expect((await request('GET /nothing')).json()).toMatchObject({ error: { code: 'not_found' } })
    })

    it('serves the index of a folder, with a redirect that stays here', async () => {
      const root = await createFolder({
        'index.html': 'home',
        'docs/index.html': 'docs',
        'ä b/index.html': 'ab',
        'empty/x.txt': '',
      })
      const { request } = await start({
        ...app,
        endpoints: [
          staticFiles({ root, prefix: '/', access: 'public' }),
          staticFiles({ root, prefix: '/plain', access: 'public', index: false }),
          staticFiles({ root: join(root, 'empty'), prefix: '/bare', access: 'public' }),
          staticFiles({ root, prefix: '/assets', access: 'public', memory: false }),
        ],
      })
      expect((await request('GET /')).text).toBe('home')
      expect((await request('GET /docs/')).text).toBe('docs')
      const redirect = await request('GET /docs?a=b&c')
      expect([redirect.status, redirect.headers.location, redirect.text]).toEqual([308, './docs/?a=b&c', ''])
      expect((await request('GET /%C3%A4%20b')).headers.location).toBe('./%C3%A4%20b/')
      for (const [path, location] of [
        ['/assets', './assets/'],
        ['/assets/docs', './docs/'],
      ])
        expect([path, (await request(`GET ${path}`)).headers.location]).toEqual([path, location])
      for (const path of [
        '/empty/',
        '//docs',
        '//evil.example',
        '//evil.example/',
        '/docs//',
        '/plain',
        '/plain/docs',
        '/plain/docs/',
        '/empty',
        '/bare',
        '/bare/',
      ])
        expect([path, (await request(`GET ${path}`)).status]).toEqual([path, 404])
    })

    it('answers navigations to what does not exist with the fallback', async () => {
      const root = await createFolder({ 'app.html': 'app', 'folder/a.txt': '' })
      const files = staticFiles({ root, prefix: '/', access: 'public', fallback: 'app.html' })
      const { request } = await start({ ...app, endpoints: [files] })
      const page = await request('GET /orders/7', { headers: { accept: 'text/html,application/xhtml+xml;q=0.9' } })
      expect([page.status, page.text, page.headers['content-type']]).toEqual([200, 'app', 'text/html; charset=utf-8'])
      expect(page.headers.vary).toBe('accept-encoding, accept')
      expect((await request('GET /orders/7%2Fa', { headers: { accept: 'text/html' } })).text).toBe('app')
      expect((await request('GET /folder', { headers: { accept: 'text/html' } })).text).toBe('app')
      const script = await request('GET /orders/7.js', { headers: { accept: '*/*' } })
      expect([script.status, script.headers.vary]).toEqual([404, 'accept'])
      expect((await request('POST /orders/7', { headers: { accept: 'text/html' } })).status).toBe(405)
    })

    it('never keeps the fallback for a year', async () => {
      const root = await createFolder({ 'app.html': 'app', 'other.html': 'other' })
      const files = staticFiles({ root, prefix: '/', access: 'public', fallback: 'app.html', immutable: /html/ })
      const { request } = await start({ ...app, endpoints: [files] })
      const caching = async (path: string) =>
        (await request(`GET ${path}`, { headers: { accept: 'text/html' } })).headers['cache-control']
      for (let i = 0; i < 2; i++) {
        expect(await caching('/orders/7')).toBe('no-cache')
        expect(await caching('/app.html')).toBe('no-cache')
        expect(await caching('/other.html')).toBe('public, max-age=31536000, immutable')
      }
    })

    it('gives checks one name for all spellings of a path', async () => {
      const root = await createFolder({ 'privé/x.txt': 'secret', 'a b/index.html': 'index', 'x.txt': 'text' })
      const seen: string[] = []
      const watch = check({
        name: 'watch',
        run: (name: string) => {
          seen.push(name)
          if (name.startsWith('privé/')) throw new PermissionDeniedError()
        },
      })
      const files = (prefix: '/' | '/assets') => staticFiles({ root, prefix, access: 'public', use: [watch] })
      const { request } = await start({ ...app, endpoints: [files('/'), files('/assets')] })
      for (const [path, status, name] of [
        ['/priv%C3%A9/x.txt', 403, 'privé/x.txt'],
        ['/priv%c3%a9/x.txt', 403, 'privé/x.txt'],
        ['/%70riv%C3%a9/%78.txt', 403, 'privé/x.txt'],
        ['/assets/priv%c3%A9/x.txt', 403, 'privé/x.txt'],
        ['/a%20b/', 200, 'a b/'],
        ['/a%20%62/', 200, 'a b/'],
        ['/a%20b', 308, 'a b'],
        ['/%78.txt', 200, 'x.txt'],
        ['/%2578.txt', 404, '%78.txt'],
        ['/a%20b%2Findex.html', 404, 'a b/index.html'],
        ['/a%20b%2f', 404, 'a b/'],
        ['/', 404, ''],
        ['/assets', 404, ''],
        ['/assets/', 404, ''],
      ] as const)
        expect([path, (await request(`GET ${path}`)).status, seen.splice(0)]).toEqual([path, status, [name]])
      for (const path of ['/%ff', '/%', '/priv%C3/x.txt'])
        expect([path, (await request(`GET ${path}`)).status, seen]).toEqual([path, 400, []])
    })

    it('compares conditions with the validators that a step adds', async () => {
      const root = await createFolder({ 'a.txt': 'content' })
      const tag = guard({ name: 'tag', run: (call) => call.replyHeaders.set('etag', '"step"') })
      const files = staticFiles({ root, prefix: '/', access: 'public', use: [tag] })
      const { request } = await start({ ...app, endpoints: [files] })
      for (let i = 0; i < 2; i++) {
        const { status, headers } = await request('GET /a.txt', { headers: { 'if-none-match': '"step"' } })
        expect([status, headers.etag]).toEqual([304, '"step"'])
      }
    })

    it('runs guards and app-wide hooks, and adds their headers to every status', async () => {
      const root = await createFolder({ 'a.txt': 'content' })
      const admit = guard({
        name: 'admit',
        run: (call) => {
          if (call.headers['x-key'] !== 'yes') throw new PermissionDeniedError()
          call.replyHeaders.append('set-cookie', 'seen=1')
          call.replyHeaders.set('cache-control', 'private')
        },
      })
      const statuses: number[] = []
      const { request } = await start({
        ...app,
        endpoints: [staticFiles({ root, prefix: '/', access: 'public', use: [admit] })],
        plugins: [plugin((host) => host.onReply((_call, { httpStatus }) => void statuses.push(httpStatus)))],
        http: { cors: { origins: ['https://app.example'] } },
      })
      const get = (headers: Record<string, string>) =>
        request('GET /a.txt', { headers: { 'x-key': 'yes', origin: 'https://app.example', ...headers } })
      for (const [headers, status] of [
        [{}, 200],
        [{}, 200],
        [{ range: 'bytes=0-1' }, 206],
        [{ 'if-none-match': '*' }, 304],
        [{ 'if-match': '"x"' }, 412],
        [{ range: 'bytes=99-' }, 416],
      ] as const) {
        const answer = await get(headers)
        expect(answer.status).toBe(status)
        expect(answer.headers).toMatchObject({
          'set-cookie': 'seen=1',
          'access-control-allow-origin': 'https://app.example',
          'x-content-type-options': 'nosniff',
          'x-correlation-id': expect.stringMatching(/./),
        })
        if (status < 400) expect(answer.headers['cache-control']).toBe('private')
        if (status === 200) expect(answer.headers.vary).toBe('accept-encoding, Origin')
      }
      expect((await request('GET /a.txt')).status).toBe(403)
      expect(statuses).toEqual([200, 200, 206, 304, 412, 416, 403])
    })

    it('sends encoded neighbours, and compresses small files itself', async () => {
      const root = await createFolder({
        'a.css': css,
        'a.css.br': 'brotli',
        'b.css': css,
        'c.png': css,
        'c.png.br': 'brotli',
        'large.js': '1;'.repeat(600_000),
        'large.js.gz': 'gzip',
      })
      const { raw } = await start({ ...app, endpoints: [staticFiles({ root, prefix: '/', access: 'public' })] })
      const get = async (path: string, encoding: string, more = {}) => {
        const { headers, body, status } = await raw.request({
          method: 'GET',
          path,
          headers: { 'accept-encoding': encoding, ...more },
        })
        return { status, headers, body, text: Buffer.from(body).toString(), encoding: headers['content-encoding'] }
      }
      const neighbour = await get('/a.css', 'gzip, br')
      expect([neighbour.text, neighbour.encoding, neighbour.headers.vary]).toEqual(['brotli', 'br', 'accept-encoding'])
      expect(neighbour.headers['content-type']).toBe('text/css; charset=utf-8')
      expect(await get('/a.css', 'gzip, br', { range: 'bytes=0-1' })).toMatchObject({ status: 206, text: 'br' })
      const [gzip, br, plain] = [
        await get('/b.css', 'gzip'),
        await get('/b.css', 'br'),
        await get('/b.css', 'identity'),
      ]
      expect([gzip.encoding, gunzipSync(gzip.body).toString()]).toEqual(['gzip', css])
      expect([br.encoding, brotliDecompressSync(br.body).toString()]).toEqual(['br', css])
      expect([plain.encoding, plain.text, plain.headers.vary]).toEqual([undefined, css, 'accept-encoding'])
      expect(new Set([gzip, br, plain].map(({ headers }) => headers.etag)).size).toBe(3)
      expect(await get('/b.css', 'gzip', { 'if-none-match': gzip.headers.etag })).toMatchObject({ status: 304 })
      expect(await get('/b.css', 'gzip', { range: 'bytes=0-3' })).toMatchObject({
        status: 206,
        text: 'body',
        encoding: undefined,
      })
      const png = await get('/c.png', 'br')
      expect([png.encoding, png.headers.vary]).toEqual([undefined, undefined])
      expect(await get('/large.js', 'gzip')).toMatchObject({ text: 'gzip', encoding: 'gzip' })
      expect((await get('/large.js', 'br')).headers).toMatchObject({
        'content-length': '1200000',
        vary: 'accept-encoding',
      })
    })

    it('sees a changed file within a second, and every replaced one', async () => {
      const root = await createFolder({ 'a.txt': 'first', 'b.txt': 'first' })
      const files = staticFiles({ root, prefix: '/', access: 'public' })
      const clock = createVirtualClock()
      const { request } = await start({ ...app, clock, endpoints: [files] })
      const get = async (name: string) => (await request(`GET /${name}`)).text
      expect([await get('a.txt'), await get('b.txt')]).toEqual(['first', 'first'])
      // With the same size and time.
      await put(root, 'new.txt', 'other')
      await rename(join(root, 'new.txt'), join(root, 'a.txt'))
      await unlink(join(root, 'b.txt'))
      expect(await get('a.txt')).toBe('first')
      await clock.advance(1000)
      expect(await get('a.txt')).toBe('other')
      expect((await request('GET /b.txt')).status).toBe(404)
    })

    it('finds nothing outside of its root, nothing hidden and nothing that is not a file', async () => {
      const outside = await createFolder({ 'secret.txt': 'secret', 'folder/secret.txt': 'secret' })
      const root = await createFolder({
        'a.txt': 'inside',
        '.env': 'secret',
        '.git/config': 'secret',
        'b/.hidden/c.txt': 'secret',
      })
      await symlink(join(outside, 'secret.txt'), join(root, 'link.txt'))
      await symlink(join(outside, 'folder'), join(root, 'linked'))
      await symlink(join(root, 'a.txt'), join(root, 'alias.txt'))
      await symlink('loop', join(root, 'loop'))
      // Where letters in another case are another name.
      const isOtherName = await symlink('a.txt', join(root, 'A.txt')).then(
        () => true,
        () => false,
      )
      const files = staticFiles({ root, prefix: '/', access: 'public' })
      const { request } = await start({ ...app, endpoints: [files] })
      expect((await request('GET /alias.txt')).text).toBe('inside')
      expect((await request('GET /A.txt')).status).toBe(isOtherName ? 200 : 404)
      for (const path of [
        '/link.txt',
        '/linked',
        '/linked/',
        '/linked/secret.txt',
        '/loop',
        '/.env',
        '/%2eenv',
        '/.git/config',
        '/b/.hidden/c.txt',
        '/a.txt/',
        '/a.txt/b',
        '/%2fetc%2fpasswd',
        '/a.txt%00',
        '/a.txt%00.png',
        `/${'a'.repeat(300)}`,
        `/${'a/'.repeat(1000)}b`,
      ]) {
        const { status, text } = await request(`GET ${path}`)
        expect([path, status]).toEqual([path, 404])
        expect(text).not.toMatch(/secret|twinwire-files/)
      }
      for (const path of [
        '/../a.txt',
        '/b/../a.txt',
        '/%2e%2e/a.txt',
        '/..%2fa.txt',
        '/b\\a.txt',
        '/b%5c..%5ca.txt',
        '/%ff',
        '/%',
      ])
        expect([path, (await request(`GET ${path}`)).status >= 400]).toEqual([path, true])
    })

    it('saves what users have sent instead of running it, and marks what never changes', async () => {
      const root = await createFolder({ 'a.html': '<script>', 'b.svg': '<svg>', 'c.png': '', 'app-1234abcd.js': '1' })
      const { request } = await start({
        ...app,
        endpoints: [
          staticFiles({ root, prefix: '/users', access: 'public', userContent: true }),
          staticFiles({ root, prefix: '/own', access: 'public', immutable: /-[0-9a-f]{8}\.js$/g, maxAgeSeconds: 60 }),
        ],
      })
      const header = async (path: string, name: string) => (await request(`GET ${path}`)).headers[name]
      expect(await header('/users/a.html', 'content-disposition')).toBe('attachment; filename="a.html"')
      expect(await header('/users/b.svg', 'content-disposition')).toBe('attachment; filename="b.svg"')
      expect(await header('/users/c.png', 'content-disposition')).toBeUndefined()
      expect(await header('/own/a.html', 'content-disposition')).toBeUndefined()
      expect(await header('/own/a.html', 'cache-control')).toBe('public, max-age=60')
      for (let i = 0; i < 2; i++)
        expect(await header('/own/app-1234abcd.js', 'cache-control')).toBe('public, max-age=31536000, immutable')
    })
  })
})

describe('staticFiles does not boot', () => {
  const boot = async (options: object) => {
    const { createTestApp } = await import('../../testing.ts')
    const { close } = await createTestApp({
      ...app,
      endpoints: [staticFiles(options as Parameters<typeof staticFiles>[0])],
    })
    await close()
  }
  it.each([
    [
      { root: '/does/not/exist', prefix: '/a', access: 'public' },
      'bad_option',
      "staticFiles('/a'): the root /does/not/exist is not a folder: create it, or correct the path",
    ],
    [{ root: '/tmp', prefix: '/a' }, 'bad_option', "staticFiles('/a'): access must be said"],
    [{ root: '/tmp', prefix: '/a', access: 'open' }, 'bad_option', "access must be 'public' or 'authenticated'"],
    [{ root: '', prefix: '/a', access: 'public' }, 'bad_option', 'needs a root'],
    [{ root: '/tmp', prefix: 'a', access: 'public' }, 'bad_path', "begin it with '/'"],
    [{ root: '/tmp', prefix: '/a/', access: 'public' }, 'bad_path', 'remove the slash at its end'],
    [{ root: '/tmp', prefix: '/:a', access: 'public' }, 'bad_path', "remove ':' and '*'"],
    [{ root: '/tmp', prefix: '/a', access: 'public', index: '../x' }, 'bad_option', 'index must be'],
    [
      { root: '/tmp', prefix: '/a', access: 'public', fallback: 'not-there.html' },
      'bad_option',
      'the fallback not-there.html is not a file in /tmp',
    ],
    [
      { root: '/tmp', prefix: '/a', access: 'public', maxAgeSeconds: 1, cacheControl: 'x' },
      'bad_option',
      'maxAgeSeconds must be left out',
    ],
    [{ root: '/tmp', prefix: '/a', access: 'public', dotFiles: true }, 'unknown_option', 'dotFiles is not an option'],
  ])('with %j', async (options, code, message) => {
    await expect(boot(options)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })

  it('twice with one prefix', async () => {
    const root = await createFolder({})
    await mkdir(join(root, 'x'))
    const { createTestApp } = await import('../../testing.ts')
    const files = () => staticFiles({ root, prefix: '/a', access: 'public' })
    await expect(createTestApp({ ...app, endpoints: [files(), files()] })).rejects.toThrow(
      "Two of fromFetch and staticFiles have the prefix '/a'",
    )
  })
})
