import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { ConflictError, page, reply, route } from '../index.ts'
import { codeOf, exchange, nextJson, packet, type ReplyFrame } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const id = 'A2B4c6d8-0000-4000-8000-00000000000f'
const zero = '00000000-0000-0000-0000-000000000000'
const options = {
  pkgIds: { ECHO: 1, LIST: 2, FAIL: 3, NOTHING: 4, FORMS: 5, BYTES: 6 },
  routes: {
    ECHO: route({ input: v.record(v.string(), v.unknown()), handler: (input) => input }),
    LIST: route({ handler: () => page(['a'], { page: 1, per_page: 1, total: 2 }) }),
    FAIL: route({
      handler: (): null => {
        throw new ConflictError("Author with name 'x' already exists")
      },
    }),
    NOTHING: route({ handler: () => undefined }),
    FORMS: route({
      handler: () => ({ at: new Date(0), big: 2n ** 64n, bytes: new Uint8Array([1, 2, 3]), not: Number.NaN }),
    }),
    BYTES: route({ handler: () => reply.bytes(new Uint8Array([255])) }),
  },
} as const

describe('packages', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const open = async () => (await start(options)).connect()

    it('answers with the five fields of the contract, in its order, req_id as it was written', async () => {
      const socket = await open()
      socket.send(packet(1, { a: 1 }, id))
      expect((await socket.next()).data).toBe(
        `{"pkg_id":1,"req_id":"${id}","status_code":0,"meta":null,"data":{"a":1}}`,
      )
    })

    it('gives a page as data and meta', async () => {
      const reply = await exchange(await open(), packet(2))
      expect(reply.data).toEqual(['a'])
      expect(reply.meta).toEqual({ page: 1, per_page: 1, total: 2, pages: 2, next_cursor: null, has_more: true })
    })

    it('answers an error in the one envelope [defect 75]', async () => {
      expect(await exchange(await open(), packet(3, {}, id))).toEqual({
        pkg_id: 3,
        req_id: id,
        status_code: 2,
        meta: null,
        data: { code: 'conflict', msg: "Author with name 'x' already exists", details: null },
      })
    })

    it('gives no result as null, and what JSON does not know its own form [defect 37]', async () => {
      const socket = await open()
      expect((await exchange(socket, packet(4))).data).toBeNull()
      expect((await exchange(socket, packet(5))).data).toEqual({
        at: '1970-01-01T00:00:00.000Z',
        big: '18446744073709551616',
        bytes: 'AQID',
        not: null,
      })
      expect((await exchange(socket, packet(6))).data).toBe('/w==')
    })

    it('takes method and data left out or null, and keys it does not know', async () => {
      const socket = await open()
      for (const extra of ['', ',"method":null', ',"data":null', ',"method":"x","data":{},"more":[1]']) {
        expect(await exchange(socket, `{"pkg_id":1,"req_id":"${id}"${extra}}`)).toMatchObject({
          status_code: 0,
          data: {},
        })
      }
    })

    it('says that no handler is found for an unknown pkg_id [defect 33]', async () => {
      expect(await exchange(await open(), packet(999, {}, id))).toMatchObject({
        pkg_id: 999,
        req_id: id,
        status_code: 1,
        data: { code: 'not_found', msg: 'No handler found for pkg_id 999', details: null },
      })
    })

    // Of each field every type that it must not have; what is readable comes back.
    type Case = readonly [name: string, frame: string, readable: Partial<ReplyFrame>]
    const wrong: readonly Case[] = [
      ...['null', 'true', '"1"', '[]', '{}', '1.5', '0', '-1', '2147483648', '1e999'].map(
        (pkgId): Case => [`pkg_id ${pkgId}`, `{"pkg_id":${pkgId},"req_id":"${id}"}`, { pkg_id: 0, req_id: id }],
      ),
      ['no pkg_id', `{"req_id":"${id}"}`, { pkg_id: 0, req_id: id }],
      ...['null', '1', 'true', '[]', '{}', '""', '"x"', `"${id}0"`, `"{${id}}"`].map(
        (reqId): Case => [`req_id ${reqId}`, `{"pkg_id":1,"req_id":${reqId}}`, { pkg_id: 1, req_id: zero }],
      ),
      ['no req_id', '{"pkg_id":1}', { pkg_id: 1, req_id: zero }],
      ...['1', 'true', '[]', '{}'].map(
        (method): Case => [
          `method ${method}`,
          `{"pkg_id":1,"req_id":"${id}","method":${method}}`,
          { pkg_id: 1, req_id: id },
        ],
      ),
      ...['1', '"x"', 'true', '[]', '[{}]'].map(
        (data): Case => [`data ${data}`, `{"pkg_id":1,"req_id":"${id}","data":${data}}`, { pkg_id: 1, req_id: id }],
      ),
      ...['', ' ', 'x', '{', 'null', '1', '"x"', '[]', 'true', '{"pkg_id":1', '\u0000'].map(
        (text): Case => [`the frame ${JSON.stringify(text)}`, text, { pkg_id: 0, req_id: zero }],
      ),
      ['a control frame of no known type', '{"type":"nope"}', { pkg_id: 0, req_id: zero }],
      ['a type beside a readable req_id', `{"type":"nope","req_id":"${id}"}`, { pkg_id: 0, req_id: id }],
    ]
    it.each(wrong)(
      'answers malformed_request to %s, with what was readable [defect 33] [defect 34]',
      async (_name, frame, readable) => {
        const socket = await open()
        const answer = await exchange(socket, frame)
        expect(answer).toMatchObject({ ...readable, status_code: 2, meta: null, data: { code: 'malformed_request' } })
        expect((await exchange(socket, packet(1, {}, id))).status_code).toBe(0)
      },
    )

    it('answers malformed_request to a binary frame of a JSON connection', async () => {
      const socket = await open()
      socket.send(new TextEncoder().encode(packet(1, {}, id)))
      expect(await nextJson(socket)).toMatchObject({ req_id: zero, data: { code: 'malformed_request' } })
      expect((await exchange(socket, packet(1, {}, id))).status_code).toBe(0)
    })

    const unsafe: readonly [string, string, string][] = [
      ['an overlong nesting', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`, 'a'],
      ['a nesting as deep as a message can be', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'a'],
      ['__proto__', '{"__proto__":{"admin":true}}', '__proto__'],
      ['__proto__ further in', '{"a":[{"__proto__":1}]}', 'a[0].__proto__'],
      ['constructor.prototype', '{"constructor":{"prototype":{"x":1}}}', 'constructor'],
      ['a number beyond all numbers', '{"a":1e999}', 'a'],
      ['half a surrogate pair', '{"a":"\\ud800"}', 'a'],
      ['half a surrogate pair in a key', '{"\\udc00":1}', '\ufffd'],
    ]
    it.each(unsafe)('answers validation_error to %s in data [defect 38]', async (_name, data, path) => {
      const socket = await open()
      const answer = await exchange(socket, `{"pkg_id":1,"req_id":"${id}","data":${data}}`)
      expect(answer).toMatchObject({ pkg_id: 1, req_id: id, status_code: 2, data: { code: 'validation_error' } })
      const { details } = answer.data as { details: { path: string }[] }
      expect(details[0]?.path.startsWith(path)).toBe(true)
      expect((await exchange(socket, packet(1, {}, id))).status_code).toBe(0)
      expect(({} as { admin?: boolean }).admin).toBeUndefined()
    })

    it('answers payload_too_large to one byte more than 256 KiB, and the connection stays [defect 35]', async () => {
      const socket = await open()
      const frame = (bytes: number) => {
        const empty = packet(1, { a: '' }, id)
        return packet(1, { a: 'x'.repeat(bytes - empty.length) }, id)
      }
      const most = await exchange(socket, frame(256 * 1024))
      expect(most.status_code).toBe(0)
      const answer = await exchange(socket, frame(256 * 1024 + 1))
      expect(answer).toMatchObject({
        status_code: 2,
        data: { code: 'payload_too_large', details: { max_bytes: 262144 } },
      })
      expect((await exchange(socket, packet(1, {}, id))).status_code).toBe(0)
    })

    it('closes with 1008 at the tenth malformed frame in a row', async () => {
      const socket = await open()
      for (let i = 0; i < 10; i++) socket.send('x')
      for (let i = 0; i < 10; i++) expect(codeOf(await nextJson(socket))).toBe('malformed_request')
      expect(await socket.closed).toEqual({ code: 1008, reason: 'Too many malformed frames' })
    })

    it('counts malformed frames from zero after a good one', async () => {
      const socket = await open()
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 9; i++) expect(codeOf(await exchange(socket, '[]'))).toBe('malformed_request')
        expect((await exchange(socket, packet(1))).status_code).toBe(0)
      }
    })

    it('counts the malformed frames that close as a setting says', async () => {
      const { connect, app } = await start({ ...options, websocket: { maxMalformedFrames: 2 } })
      const socket = await connect()
      socket.send('x')
      socket.send('x')
      expect((await socket.closed).code).toBe(1008)
      const malformed = app.instruments.families().find(({ name }) => name === 'ws_malformed_frames_total')
      expect(malformed?.cells[0]?.cell).toMatchObject({ value: 2 })
    })
  })
})
