import { createApp, defineTopics, event, jsonCodec, page, route, stream } from '@twinwire/core'
import { protobufCodec } from '@twinwire/core/protobuf'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from './client.ts'
import { protobuf } from './protobuf.ts'

const server = protobufCodec()
const codec = protobuf()
const reqId = '3f2a9c41-7be0-4d5c-8a16-5b6d1f0e2c93'
const zeroUuid = '00000000-0000-0000-0000-000000000000'
const decode = (message: string | Uint8Array | readonly number[]) => {
  if (typeof message === 'string') throw new TypeError('The server has written text')
  return codec.decode(Uint8Array.from(message), () => false)
}
const bytesOf = (message: string | Uint8Array): number[] => [...Buffer.from(message)]
const utf8 = (text: string): number[] => [...Buffer.from(text)]

describe('between the codec of the client and that of the server', () => {
  it.each<[what: string, input: unknown, data: object]>([
    ['nothing', undefined, {}],
    ['null', null, {}],
    ['an object', { name: 'Stanisław', list: [1, null] }, { name: 'Stanisław', list: [1, null] }],
    ['20,000 characters', { text: 'grüße'.repeat(4000) }, { text: 'grüße'.repeat(4000) }],
    [
      'what JSON does not have',
      { id: 2n ** 70n, bytes: Uint8Array.of(1) },
      { id: '1180591620717411303424', bytes: 'AQ==' },
    ],
  ])('a call with %s', (_what, input, data) => {
    for (const pkgId of [1, 127, 128, 2 ** 31 - 1]) {
      const frame = codec.encode(pkgId, reqId, input)
      if (typeof frame === 'string') throw new TypeError('The client has written text')
      expect(server.decode(frame.buffer, true)).toEqual({ kind: 'request', pkgId, reqId, method: '', data })
    }
  })

  it.each([[null], [{}], [[]], [{ a: [1, 'ü', null] }], ['text'], [false], [0]])(
    'a reply and an event with %j',
    (data) => {
      const page = { page: 2, per_page: 20, total: 41, pages: 3, next_cursor: null, has_more: true }
      for (const meta of [
        null,
        page,
        { ...page, page: 1, total: 0, next_cursor: 'ü', has_more: false },
        { more: true } as const,
      ])
        expect(decode(server.encodeReply(7, reqId, 0, meta, data))).toEqual({
          pkg_id: 7,
          req_id: reqId,
          status_code: 0,
          data,
          meta,
        })
      const at = { topic: 'ü', epoch: 'e', offset: Number.MAX_SAFE_INTEGER }
      for (const meta of [null, { topic: '@me', cause: null }, { ...at, cause: reqId }])
        expect(decode(server.encodeEvent(7, data, meta, zeroUuid))).toEqual({ pkg_id: 7, req_id: zeroUuid, data, meta })
    },
  )

  it('an error without a readable pkg_id and req_id', () => {
    const data = { code: 'malformed_request', msg: 'x', details: null }
    expect(decode(server.encodeReply(0, zeroUuid, 2, null, data))).toEqual({
      pkg_id: 0,
      req_id: zeroUuid,
      status_code: 2,
      data,
      meta: null,
    })
  })
})

describe('decode', () => {
  const id = [0x12, 36, ...utf8(reqId)]
  const reply = [...id, 0x22, 2, ...utf8('{}')]
  const event = [...id, 0x1a, 2, ...utf8('{}'), 0x22, 1, 0x61, 0x2a, 1, 0x65]

  it('reads a negative number, the last of repeated fields, unknown fields, and a Metadata in parts', () => {
    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]
    const unknown = [0x48, ...minusOne, 0x51, 1, 2, 3, 4, 5, 6, 7, 8, 0x5d, 1, 2, 3, 4, 0x63, 0x6b, 0x08, 1, 0x6c, 0x64]
    const metas = [0x2a, 4, 0x08, 1, 0x10, 9, 0x2a, 2, 0x10, 20]
    expect(decode([0x08, 1, ...reply, 0x18, ...minusOne, ...unknown, ...metas, 0x08, 9])).toEqual({
      pkg_id: 9,
      req_id: reqId,
      status_code: -1,
      data: {},
      meta: { page: 1, per_page: 20, total: 0, pages: 0, next_cursor: null, has_more: false },
    })
  })

  it('reads no offset over 2^53 - 1, and none that is negative', () => {
    const last = [0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
    expect(decode([...event, ...last]).meta).toMatchObject({ offset: Number.MAX_SAFE_INTEGER })
    for (const offset of [
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
    ])
      expect(() => decode([...event, 0x30, ...offset])).toThrow('malformed')
  })

  it.each<[what: string, bytes: number[]]>([
    ['nothing', []],
    ['no data', id],
    ['data that is not JSON', [...id, 0x22, 1, 0x7b]],
    ['data that is not UTF-8', [...id, 0x22, 4, 0x22, 0xc3, 0x28, 0x22]],
    ['a number of eleven bytes', [...reply, 0x48, ...Array<number>(10).fill(0x80), 0]],
    ['a field number 0', [...reply, 0x00, 0]],
    ['a field number of over 29 bits', [...reply, 0x80, 0x80, 0x80, 0x80, 0x10, 0]],
    ['the wire type 6', [...reply, 0x4e, 0]],
    ['the wire type 7', [...reply, 0x4f, 0]],
    ['a string that is longer than the frame', [...reply, 0x4a, 9, 0]],
    ['a string of 2^63 bytes', [...reply, 0x4a, ...Array<number>(9).fill(0x80), 1]],
    ['a fixed number that is cut', [...reply, 0x51, 1]],
    ['a group without an end', [...reply, 0x4b, 0x08, 1]],
    ['the end of another group', [...reply, 0x4b, 0x54]],
    ['the end of a group without its start', [...reply, 0x4c]],
    ['pkg_id as a string', [...reply, 0x0a, 1, 0x31]],
    ['req_id as a number', [...reply, 0x10, 1]],
    ['status_code as a fixed number', [...reply, 0x1d, 1, 2, 3, 4]],
    ['meta as a number', [...reply, 0x28, 1]],
    ['meta with a string as page', [...reply, 0x2a, 3, 0x0a, 1, 0x31]],
    ['meta that is cut', [...reply, 0x2a, 1, 0x08]],
    ['a topic as a number', [...event, 0x20, 1]],
    ['a group as cause', [...event, 0x3b, 0x3c]],
    ['an epoch without an offset', event],
  ])('throws for %s', (_what, bytes) => {
    expect(() => decode(bytes)).toThrow()
  })

  it('throws for each frame that ends inside a field', () => {
    const meta = { page: 2, per_page: 20, total: 300, pages: 3, next_cursor: 'abc', has_more: true }
    const at = { topic: 'chat:1', epoch: 'e-1', offset: 2 ** 40, cause: reqId }
    for (const whole of [server.encodeReply(300, reqId, 1, meta, [1]), server.encodeEvent(300, [1], at, reqId)]) {
      const bytes = bytesOf(whole)
      let read = 0
      for (let length = 0; length < bytes.length; length++) {
        try {
          expect(decode(bytes.slice(0, length))).toMatchObject({ pkg_id: 300, data: [1] })
          read++
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }
      // After each field that may be left out.
      expect(read).toBe(typeof decode(bytes).status_code === 'number' ? 1 : 3)
    }
  })
})

describe('a client', () => {
  const told = event({ data: v.nullable(v.object({ text: v.string() })) })
  const app = createApp({
    pkgIds: { ECHO: 1, FAIL: 2, TELL: 3, LIST: 4, COUNT: 5, NOTHING: 6, TOLD: 10 },
    defaultAccess: 'public',
    events: { TOLD: told },
    topics: defineTopics({ 'chat:*': { subscribe: true, authorize: () => true, history: { size: 10, ttl: '1m' } } }),
    codecs: [jsonCodec, protobufCodec()],
    routes: {
      ECHO: route({ input: v.object({ text: v.string() }), handler: ({ text }) => ({ text }) }),
      FAIL: route({
        handler: () => {
          throw new Error('a fault')
        },
      }),
      TELL: route({
        input: v.object({ text: v.string() }),
        handler: ({ text }, call) => {
          call.publish('chat:1', told, { text })
          call.publish('chat:1', told, null)
          return null
        },
      }),
      LIST: route({
        handler: () =>
          page([{ id: 1 }], { page: 1, per_page: 1, total: 2, pages: 2, next_cursor: null, has_more: true }),
      }),
      COUNT: route({
        output: stream(v.number()),
        handler: async function* () {
          yield 1
          yield 2
        },
      }),
      NOTHING: route({ handler: () => null }),
    },
  })
  let url: string
  beforeAll(async () => {
    ;({ url } = await app.listen({ port: 0 }))
  })
  afterAll(() => app.close())

  it('calls, fails, streams, reads pages and null, and gets events with their positions [defect 32]', async () => {
    const client = createClient<typeof app>({ url, manifest: app.manifest(), WebSocket, codec })
    expect(await client.call('ECHO', { text: 'grüße' })).toEqual({ text: 'grüße' })
    expect(await client.call('NOTHING')).toBeNull()
    expect(await client.call('LIST')).toMatchObject({
      items: [{ id: 1 }],
      meta: { total: 2, next_cursor: null, has_more: true },
    })
    await expect(client.call('FAIL')).rejects.toMatchObject({ code: 'internal_error' })
    const items: unknown[] = []
    for await (const item of client.stream('COUNT')) items.push(item)
    expect(items).toEqual([1, 2])
    const received: unknown[] = []
    const subscription = client.subscribe('chat:1', { onEvent: (event) => received.push(event) })
    await subscription.ready
    await client.call('TELL', { text: 'one' })
    await expect
      .poll(() => received)
      .toMatchObject([
        { event: 'TOLD', data: { text: 'one' }, position: { offset: 1 } },
        { event: 'TOLD', data: null, position: { offset: 2 } },
      ])
    client.close()
  })
})
