import { afterEach, describe, expect, it } from 'vitest'
import { type AnyEndpoint, ConflictError, fromFetch, guard, reply, route } from '../index.ts'
import { onTransports } from '../testing.ts'

// Each character that goes out is a byte, as in the fetch standard and in Node, which reads them back the same way.
const latin = 'caf\u00e9 \u00ff\u00a0x'
const beyond = 'caf\u0301e \u20ac'
/** What UTF-8 looks like to a client for which each character is a byte. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1')

describe('bytes above 0x7f in header fields', () => {
  onTransports(
    { describe, afterEach },
    ({ start }) => {
      const adding = (value: string) =>
        guard({
          name: 'adding',
          run: ({ replyHeaders }) => {
            replyHeaders.set('x-set', value)
            replyHeaders.append('x-append', value)
          },
        })
      const endpoints = (value: string): AnyEndpoint[] => [
        route({ http: 'GET /reply', handler: () => reply({}, { headers: { 'x-own': value } }) }),
        route({
          http: 'GET /text',
          handler: () => reply.text('a', { headers: { 'content-disposition': `inline; filename="${value}"` } }),
        }),
        route({ http: 'GET /stream', handler: () => reply.stream(['a'], { headers: { 'x-own': value } }) }),
        route({ http: 'GET /added', use: [adding(value)], handler: () => ({}) }),
        route({
          http: 'GET /error',
          handler: (): null => {
            throw new ConflictError('Taken', { headers: { 'x-own': value } })
          },
        }),
      ]

      it('of an answer are the characters that were given, up to U+00FF', async () => {
        const { request } = await start({
          pkgIds: {},
          routes: {},
          endpoints: [
            ...endpoints(latin),
            fromFetch('/fetch', () => new Response('a', { headers: { 'x-own': latin } })),
          ],
        })
        const header = async (path: '/any', name: string) => (await request(`GET ${path}`)).headers[name]
        for (const path of ['/reply', '/stream', '/error', '/fetch'])
          expect([path, await header(path as '/any', 'x-own')]).toEqual([path, latin])
        expect(await header('/text' as '/any', 'content-disposition')).toBe(`inline; filename="${latin}"`)
        expect([await header('/added' as '/any', 'x-set'), await header('/added' as '/any', 'x-append')]).toEqual([
          latin,
          latin,
        ])
      })

      it('of an answer are refused above U+00FF, not replaced', async () => {
        const { request } = await start({ pkgIds: {}, routes: {}, endpoints: endpoints(beyond) })
        for (const path of ['/reply', '/text', '/stream', '/added', '/error']) {
          const { status, headers, text } = await request(`GET ${path}` as 'GET /any')
          expect([path, status]).toEqual([path, 500])
          expect(JSON.stringify(headers) + text).not.toContain('caf')
        }
      })

      it('of a request are read as UTF-8; what is none is U+FFFD', async () => {
        const seen: string[] = []
        const { request } = await start({
          pkgIds: {},
          routes: {},
          endpoints: [
            route({
              http: 'GET /read',
              handler: (_input, { headers }) => {
                seen.push(headers['x-own'] ?? '')
                return null
              },
            }),
            fromFetch('/fetch', (incoming) => {
              seen.push(incoming.headers.get('x-own') ?? '')
              return new Response('')
            }),
          ],
        })
        const read = async (path: '/read', value: string): Promise<string | undefined> => {
          await request(`GET ${path}`, { headers: { 'x-own': value } })
          return seen.pop()
        }
        expect(await read('/read', asBytes('grün € da'))).toBe('grün € da')
        expect(await read('/read', 'gr\u00fcn')).toBe('gr\ufffdn')
        // uWebSockets.js drops such bytes at both ends.
        expect(await read('/read', `\u00fc ${asBytes('grün €')}`)).toBe('grün')
        // Each byte a character again, as in the fetch standard.
        expect(await read('/fetch' as '/read', asBytes('grün € da'))).toBe(asBytes('grün € da'))
        await expect(read('/read', '€')).rejects.toThrow(/[Ii]nvalid character/)
      })
    },
    { leftovers: 'allow' },
  )
})
