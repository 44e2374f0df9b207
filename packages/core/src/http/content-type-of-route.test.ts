import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { reply } from '../call/reply.ts'
import { route } from '../route/route.ts'
import { guard } from '../route/step.ts'
import { onTransports } from '../testing/on-transports.ts'

const csv = 'text/csv; charset=utf-8'
const get = (name: string, handler: () => unknown) =>
  route({ http: { route: `GET /${name}` as 'GET /any', contentType: csv }, access: 'public', handler })

describe('http.contentType of a route', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is that of text, bytes, streams and files, unless the reply or a step says another', async () => {
      const root = await mkdtemp(join(tmpdir(), 'twinwire-type-'))
      onTestFinished(() => rm(root, { recursive: true }))
      await writeFile(join(root, 'a.txt'), 'a,b')
      const html = { headers: { 'Content-Type': 'text/html' } }
      const step = guard({ name: 'type', run: ({ replyHeaders }) => replyHeaders.set('content-type', 'text/x-step') })
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          get('text', () => reply.text('a,b')),
          get('bytes', () => reply.bytes(new Uint8Array([97]))),
          get('stream', () => reply.stream(['a,b'])),
          get('file', () => reply.file('a.txt', { root })),
          get('own-text', () => reply.text('<p>', html)),
          get('own-file', () => reply.file('a.txt', { root, contentType: 'text/x-file' })),
          route({
            http: { route: 'GET /step', contentType: csv },
            access: 'public',
            use: [step],
            handler: () => reply.text('a'),
          }),
          get('value', () => ({ a: 1 })),
          get('reply', () => reply({ a: 1 }, { status: 202 })),
          get('fails', () => {
            throw new Error('no')
          }),
        ],
      })
      const typeOf = async (name: string) => (await request(`GET /${name}`)).headers['content-type']
      for (const name of ['text', 'bytes', 'stream', 'file']) expect([name, await typeOf(name)]).toEqual([name, csv])
      expect([await typeOf('own-text'), await typeOf('own-file'), await typeOf('step')]).toEqual([
        'text/html',
        'text/x-file',
        'text/x-step',
      ])
      for (const name of ['value', 'reply', 'fails'])
        expect([name, await typeOf(name)]).toEqual([name, 'application/json'])
    })
  })

  it.each(['csv', 'text/', 'text/csv\r\nx: y', ''])('is not %j', (contentType) => {
    const create = () => route({ http: { route: 'GET /a', contentType }, handler: () => reply.text('') })
    expect(create).toThrow(BootError)
    expect(create).toThrow('http.contentType must be a media type')
  })
})
