import { describe, expect, it } from 'vitest'
import { type Frame, zeroUuid } from './frame.ts'
import { protobufCodec } from './protobuf-codec.ts'

// Bytes by hand, for what no library writes. The suite of codecs and 100,000 messages of another implementation are in
// tests/integration/protobuf.test.ts.
const codec = protobufCodec()
const reqId = '3F2a9c41-7be0-4d5c-8a16-5b6d1f0e2c93'
const ids = [0x08, 7, 0x12, 36, ...Buffer.from(reqId)]

const read = (...bytes: readonly number[]): Frame => codec.decode(new Uint8Array(bytes).buffer, true)
const data = (json: string): number[] => [0x22, Buffer.byteLength(json), ...Buffer.from(json)]
const utf8 = (text: string): number[] => [...Buffer.from(text)]
const bytesOf = (message: string | Uint8Array): number[] => [...Buffer.from(message)]
const request = { kind: 'request', pkgId: 7, reqId, method: '', data: {} }
const expectRefusal = (frame: Frame, code: string, pkgId = 7, id = reqId): void => {
  expect(frame).toMatchObject({ kind: 'refused', pkgId, reqId: id, error: { code } })
}
const one = [1, 2, 3, 4, 5, 6, 7, 8]

describe('decode', () => {
  it.each<[what: string, bytes: number[], frame: object]>([
    ['fields in any order', [...data('{"a":1}'), ...ids], { ...request, data: { a: 1 } }],
    [
      'the last of repeated fields',
      [...data('{"a":1}'), 0x08, 9, ...ids, ...data('{"b":2}')],
      { ...request, data: { b: 2 } },
    ],
    ['numbers with more bytes than they need', [0x88, 0x80, 0, 0x87, 0x80, 0x80, 0, ...ids.slice(2)], request],
    ['an empty data_json', [...ids, 0x22, 0], request],
    ['the data null', [...ids, ...data('null')], request],
    ['a method', [...ids, 0x1a, 4, ...utf8('grü')], { ...request, method: 'grü' }],
    [
      'a replacement character, which is UTF-8',
      [...ids, ...data('{"a":"\ufffd"}')],
      { ...request, data: { a: '\ufffd' } },
    ],
    ['unknown fields of each kind', [...ids, 0x28, 1, 0x31, ...one, 0x3a, 1, 0, 0x45, 1, 2, 3, 4], request],
    ['unknown groups in groups', [...ids, 0x2b, 0x33, 0x28, 1, 0x34, 0x31, ...one, 0x2c], request],
    ['a field of the highest number', [...ids, 0xf8, 0xff, 0xff, 0xff, 0x0f, 1], request],
    ['32 of the bits of a pkg_id', [0x08, 0x87, 0x80, 0x80, 0x80, 0xf0, 1, ...ids.slice(2)], request],
  ])('reads %s', (_what, bytes, frame) => {
    expect(read(...bytes)).toEqual(frame)
  })

  it('refuses an empty frame', () => {
    expectRefusal(read(), 'malformed_request', 0, zeroUuid)
  })

  it('refuses a negative pkg_id, which has ten bytes, and one over int32', () => {
    const rest = ids.slice(2)
    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]
    expectRefusal(read(0x08, ...minusOne, ...rest), 'malformed_request', 0)
    expectRefusal(read(0x08, 0x80, 0x80, 0x80, 0x80, 8, ...rest), 'malformed_request', 0)
  })

  it.each<[what: string, bytes: number[]]>([
    ['a number of eleven bytes', [0x28, ...Array<number>(10).fill(0x80), 0]],
    ['a field number 0', [0x02, 1, 0]],
    ['a field number of over 29 bits', [0x80, 0x80, 0x80, 0x80, 0x10, 0]],
    ['a field number of six bytes', [0xa8, 0x80, 0x80, 0x80, 0x80, 0, 1]],
    ['the wire type 6', [0x2e, 0]],
    ['the wire type 7', [0x2f, 0]],
    ['a string that is longer than the frame', [0x22, 10, 0x7b]],
    ['a string of 4 GiB', [0x22, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7b]],
    ['a field of fixed length that is cut', [0x31, 1, 2, 3]],
    ['a group without an end', [0x2b, 0x28, 1]],
    ['a group with the end of another one', [0x2b, 0x34]],
    ['the end of a group without its start', [0x2c]],
    ['101 groups in each other', [...Array<number>(101).fill(0x2b), ...Array<number>(101).fill(0x2c)]],
    ['pkg_id as text', [0x0a, 1, 0x37]],
    ['req_id as a number', [0x10, 1]],
    ['method as a number', [0x18, 1]],
    ['data_json as a fixed number', [0x25, 1, 2, 3, 4]],
    ['data_json as a group', [0x23, 0x24]],
    ['a method that is not UTF-8', [0x1a, 2, 0xc3, 0x28]],
    ['data_json that is not UTF-8', [0x22, 4, 0x7b, 0xff, 0x22, 0x7d]],
    ['data_json that is not JSON', data('{"a":')],
    ['data_json with a byte order mark', data('\ufeff{}')],
    ['data_json that is not an object', data('[]')],
  ])('refuses %s, with the ids', (_what, bytes) => {
    expectRefusal(read(...ids, ...bytes), 'malformed_request')
  })

  it('refuses a req_id that is not UTF-8, and looks for the ids behind a wrong field', () => {
    expectRefusal(read(0x08, 7, 0x12, 2, 0xc3, 0x28), 'malformed_request', 7, zeroUuid)
    expectRefusal(read(0x18, 1, ...ids), 'malformed_request')
  })

  it('reads 100 groups in each other', () => {
    expect(read(...ids, ...Array<number>(100).fill(0x2b), ...Array<number>(100).fill(0x2c))).toEqual(request)
  })

  it('refuses data that no schema should have to reject', () => {
    expectRefusal(read(...ids, ...data('{"__proto__":{"admin":true}}')), 'validation_error')
    expectRefusal(read(...ids, ...data('{"half":"\\ud83d"}')), 'validation_error')
    expectRefusal(read(...ids, ...data('{"large":1e999}')), 'validation_error')
    const deep = utf8(`{"deep":${'['.repeat(64)}${']'.repeat(64)}}`)
    expectRefusal(read(...ids, 0x22, (deep.length & 0x7f) | 0x80, 1, ...deep), 'validation_error')
  })

  it('takes control frames as text, and no packages', () => {
    const text = (value: object): Frame => codec.decode(new TextEncoder().encode(JSON.stringify(value)).buffer, false)
    const auth = { type: 'auth', token: 'abc' }
    expect(text(auth)).toEqual({ kind: 'control', type: 'auth', fields: auth })
    expectRefusal(text({ pkg_id: 7, req_id: reqId, data: {} }), 'malformed_request')
    expectRefusal(text({ pkg_id: 7, req_id: reqId, data: { large: '\ud83d' } }), 'malformed_request')
    expectRefusal(text({ pkg_id: 7 }), 'malformed_request', 7, zeroUuid)
    expectRefusal(text([]), 'malformed_request', 0, zeroUuid)
  })
})

describe('encode', () => {
  const id = [0x12, 36, ...utf8(reqId)]

  it.each<[what: string, value: unknown, tail: number[]]>([
    ['an empty object', {}, [0x22, 2, ...utf8('{}')]],
    ['an empty list', [], [0x22, 2, ...utf8('[]')]],
    ['null as an empty object, and says so', null, [0x22, 2, ...utf8('{}'), 0x30, 1]],
    ['undefined as null', undefined, [0x22, 2, ...utf8('{}'), 0x30, 1]],
    ['text beyond ASCII', 'ü', [0x22, 4, ...utf8('"ü"')]],
    ['text of 126 characters', 'x'.repeat(126), [0x22, 0x80, 1, ...utf8(`"${'x'.repeat(126)}"`)]],
  ])('writes %s', (_what, value, tail) => {
    expect(bytesOf(codec.encodeReply(7, reqId, 0, null, value))).toEqual([0x08, 7, ...id, ...tail])
  })

  it('writes a status, and leaves out an unknown pkg_id', () => {
    const bytes = [...id, 0x18, 2, 0x22, 2, ...utf8('{}')]
    expect(bytesOf(codec.encodeReply(0, reqId, 2, null, {}))).toEqual(bytes)
    expect(bytesOf(codec.encodeReply(300, reqId, 2, null, {}))).toEqual([0x08, 0xac, 2, ...bytes])
  })

  it('writes which page it is, and that more packages follow [defect 36]', () => {
    const head = [0x08, 7, ...id, 0x22, 2, ...utf8('[]'), 0x2a]
    const page = { page: 1, per_page: 20, total: 300, pages: 0, next_cursor: 'ü=', has_more: true }
    const meta = [0x08, 1, 0x10, 20, 0x18, 0xac, 2, 0x2a, 3, ...utf8('ü='), 0x30, 1]
    expect(bytesOf(codec.encodeReply(7, reqId, 0, page, []))).toEqual([...head, meta.length, ...meta])
    expect(bytesOf(codec.encodeReply(7, reqId, 0, { more: true }, []))).toEqual([...head, 2, 0x38, 1])
  })

  it('writes the place of an event in its topic', () => {
    const head = [0x08, 7, ...id, 0x1a, 2, ...utf8('{}'), 0x22, 3, ...utf8('ü1')]
    expect(bytesOf(codec.encodeEvent(7, {}, { topic: 'ü1', cause: null }, reqId))).toEqual(head)
    const last = { topic: 'ü1', epoch: 'e', offset: Number.MAX_SAFE_INTEGER, cause: reqId }
    expect(bytesOf(codec.encodeEvent(7, {}, last, reqId))).toEqual([
      ...head,
      ...[0x2a, 1, 0x65, 0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x3a, 36],
      ...utf8(reqId),
    ])
    expect(bytesOf(codec.encodeEvent(7, null, null, reqId))).toEqual([...head.slice(0, -5), 0x40, 1])
  })
})
