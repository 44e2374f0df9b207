import { brotliDecompressSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { staticFiles } from '../../index.ts'
import { onTransports } from '../../testing.ts'
import { createFolder } from './file-answers.fixtures.ts'

const css = 'body { color: red }\n'.repeat(100)

describe('encoded neighbours', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = async (files: Record<string, string>, options = {}) => {
      const root = await createFolder(files)
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          staticFiles({ root, prefix: '/kept', access: 'public', ...options }),
          staticFiles({ root, prefix: '/read', access: 'public', memory: false, ...options }),
        ],
      })
      return async (path: string, encoding: string) => {
        const { headers, body } = await raw.request({ method: 'GET', path, headers: { 'accept-encoding': encoding } })
        return { encoding: headers['content-encoding'] ?? 'identity', body }
      }
    }

    it.each(['/kept', '/read'])('are chosen among those that exist: %s', async (prefix) => {
      const get = await serve({
        'gz.css': css,
        'gz.css.gz': 'gzip',
        'both.css': css,
        'both.css.br': 'brotli',
        'both.css.gz': 'gzip',
        'bad.css': css,
        'bad.css.br': '',
        'bad.css.gz': 'gzip',
      })
      const chosen = async (name: string, encoding: string) => (await get(`${prefix}/${name}`, encoding)).encoding
      for (let i = 0; i < 2; i++) {
        expect(await chosen('gz.css', 'gzip, deflate, br')).toBe('gzip')
        expect(await chosen('gz.css', 'gzip;q=0.5, identity')).toBe('identity')
        expect(await chosen('both.css', 'gzip, deflate, br')).toBe('br')
        expect(await chosen('both.css', 'br;q=0.5, gzip')).toBe('gzip')
        expect(await chosen('bad.css', 'gzip, br')).toBe('gzip')
      }
    })

    it('give way to another encoding that weighs more, which a file in memory is compressed to', async () => {
      const get = await serve({ 'a.css': css, 'a.css.gz': 'gzip' })
      expect((await get('/read/a.css', 'br, gzip;q=0.5')).encoding).toBe('gzip')
      const { encoding, body } = await get('/kept/a.css', 'br, gzip;q=0.5')
      expect([encoding, brotliDecompressSync(body).toString()]).toEqual(['br', css])
    })

    it('of what users have sent are not used, unless that is said', async () => {
      const files = { 'a.css': css, 'a.css.br': 'of another user' }
      const get = await serve(files, { userContent: true })
      expect(brotliDecompressSync((await get('/kept/a.css', 'br')).body).toString()).toBe(css)
      expect((await get('/read/a.css', 'br')).encoding).toBe('identity')
      const said = await serve(files, { userContent: true, precompressed: ['br'] })
      for (const prefix of ['/kept', '/read'])
        expect(Buffer.from((await said(`${prefix}/a.css`, 'br')).body).toString()).toBe('of another user')
    })
  })
})
