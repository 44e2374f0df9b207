import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { page } from '../call/reply.ts'
import { jsonCodec } from './json-codec.ts'
import { toJsonValue } from './json-value.ts'
import { findUnsafe } from './safe-value.ts'

const runs = { numRuns: 1000 }
// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })
const reqId = '3f2a9c41-7be0-4d5c-8a16-5b6d1f0e2c93'
const zero = '00000000-0000-0000-0000-000000000000'

const toBytes = (text: string): ArrayBuffer => {
  const bytes = new TextEncoder().encode(text)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}
const decode = (text: string) => jsonCodec.decode(toBytes(text), false)
const decodeValue = (value: unknown) => decode(JSON.stringify(value))

const anyJson = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' })
const data = fc
  .dictionary(fc.string({ unit: 'grapheme' }), anyJson, { maxKeys: 6 })
  .map((record) => JSON.parse(JSON.stringify(record)) as Record<string, unknown>)
  .filter((record) => findUnsafe(record) === null)
const pkgId = fc.oneof(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 100 }))
const uuid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((text) => text.toUpperCase()),
)
const envelope = fc.record(
  { pkg_id: pkgId, req_id: uuid, method: fc.oneof(fc.string(), fc.constant(null)), data },
  { requiredKeys: ['pkg_id', 'req_id'] },
)

describe('decode', () => {
  it('reads every valid envelope as what it says, however it is written', () => {
    const order = fc.shuffledSubarray(['pkg_id', 'req_id', 'method', 'data', 'extra'], { minLength: 5 })
    const spaces = fc.constantFrom(undefined, 1, '\t')
    fc.assert(
      fc.property(envelope, order, spaces, fc.boolean(), (sent, keys, indent, hasExtra) => {
        const source: Record<string, unknown> = hasExtra ? { ...sent, extra: [1] } : sent
        const written = Object.fromEntries(keys.filter((key) => key in source).map((key) => [key, source[key]]))
        expect(decode(JSON.stringify(written, null, indent))).toEqual({
          kind: 'request',
          pkgId: sent.pkg_id,
          reqId: sent.req_id,
          method: sent.method ?? '',
          data: sent.data ?? {},
        })
      }),
      runs,
    )
  })

  it('makes a frame of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, binary) => {
        const frame = jsonCodec.decode(bytes.slice().buffer, binary)
        expect(['request', 'control', 'refused']).toContain(frame.kind)
        if (binary) expect(frame).toMatchObject({ kind: 'refused', pkgId: 0, reqId: zero })
      }),
      runs,
    )
  })

  it('makes a frame of any JSON', () => {
    const part = fc.oneof(anyJson, pkgId, uuid, data)
    const near = fc.record({ pkg_id: part, req_id: part, method: part, data: part, type: part }, { requiredKeys: [] })
    fc.assert(
      fc.property(fc.oneof(anyJson, near), (value) => {
        const frame = decodeValue(value)
        if (frame.kind === 'control') {
          expect(frame.type).toBe((value as { type: unknown }).type)
          return
        }
        expect(frame.pkgId).toSatisfy((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 31)
        expect(frame.reqId).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i)
        if (frame.kind === 'refused') expect(['malformed_request', 'validation_error']).toContain(frame.error.code)
        else expect(frame.data).toBeTypeOf('object')
      }),
      runs,
    )
  })

  it('makes a frame of a mutated one, and the same one of the same text', () => {
    const mutation = fc.record({
      at: fc.nat(),
      cut: fc.nat({ max: 3 }),
      put: fc.string({ maxLength: 3, unit: 'binary' }),
    })
    fc.assert(
      fc.property(envelope, fc.array(mutation, { minLength: 1, maxLength: 4 }), (sent, mutations) => {
        let text = JSON.stringify(sent)
        for (const { at, cut, put } of mutations) {
          const start = at % (text.length + 1)
          text = text.slice(0, start) + put + text.slice(start + cut)
        }
        const frame = decode(text)
        const again = decode(` ${text}`)
        // A space in front takes the way of whole frames, which has to agree with the short way.
        expect({ ...again, error: null }).toEqual({ ...frame, error: null })
      }),
      runs,
    )
  })

  it.each([
    ['nothing', '', 0, zero, 'The frame is not JSON'],
    ['a list', [1], 0, zero, 'The frame is not an object'],
    ['null', null, 0, zero, 'The frame is not an object'],
    ['no pkg_id', { req_id: reqId }, 0, reqId, 'pkg_id must be an integer from 1 to 2147483647'],
    ['pkg_id 0', { pkg_id: 0, req_id: reqId }, 0, reqId, 'pkg_id must be an integer from 1 to 2147483647'],
    ['pkg_id 2^31', { pkg_id: 2 ** 31, req_id: reqId }, 0, reqId, 'pkg_id must be an integer from 1 to 2147483647'],
    ['pkg_id 1.5', { pkg_id: 1.5, req_id: reqId }, 0, reqId, 'pkg_id must be an integer from 1 to 2147483647'],
    ['pkg_id text', { pkg_id: '1', req_id: reqId }, 0, reqId, 'pkg_id must be an integer from 1 to 2147483647'],
    ['no req_id', { pkg_id: 7 }, 7, zero, 'req_id must be a UUID'],
    ['req_id text', { pkg_id: 7, req_id: 'abc' }, 7, zero, 'req_id must be a UUID'],
    ['method number', { pkg_id: 7, req_id: reqId, method: 1 }, 7, reqId, 'method must be a string or null'],
    ['data list', { pkg_id: 7, req_id: reqId, data: [] }, 7, reqId, 'data must be an object or null'],
    ['data text', { pkg_id: 7, req_id: reqId, data: 'x' }, 7, reqId, 'data must be an object or null'],
  ])('refuses %s with what could be read of it', (_name, value, pkgId, id, message) => {
    const frame = value === '' ? decode('') : decodeValue(value)
    expect(frame).toMatchObject({ kind: 'refused', pkgId, reqId: id, error: { code: 'malformed_request', message } })
  })

  it.each([
    ['__proto__', `{"a":{"__proto__":{}}}`, 'a.__proto__'],
    ['a number too large', `{"a":1e999}`, 'a'],
    ['half a pair', `{"a":"\\ud800"}`, 'a'],
    ['deep nesting', `{"a":${'['.repeat(70)}${']'.repeat(70)}}`, undefined],
  ])('refuses data with %s by validation_error', (_name, text, path) => {
    const frame = decode(`{"pkg_id":7,"req_id":"${reqId}","data":${text}}`)
    expect(frame).toMatchObject({ kind: 'refused', pkgId: 7, reqId, error: { code: 'validation_error' } })
    if (path !== undefined && frame.kind === 'refused') expect(frame.error.details).toMatchObject([{ path }])
  })

  it('reads what speaks to the connection', () => {
    expect(decodeValue({ type: 'auth', token: 'x' })).toEqual({
      kind: 'control',
      type: 'auth',
      fields: { type: 'auth', token: 'x' },
    })
    expect(decodeValue({ pkg_id: 1, req_id: reqId, type: 'auth' }).kind).toBe('request')
  })
})

describe('encodeReply', () => {
  const meta = fc.oneof(
    fc.constant(null),
    fc.tuple(fc.nat(), fc.integer({ min: 1, max: 1000 }), fc.nat()).map(([number, per_page, total]) => {
      return page([], { page: number, per_page, total }).meta
    }),
  )

  it('parses back to what it was made of', () => {
    fc.assert(
      fc.property(pkgId, uuid, fc.constantFrom(0, 1, 2, 3), meta, anyJson, (id, req_id, status, about, value) => {
        const text = jsonCodec.encodeReply(id, req_id, status as 0 | 1 | 2 | 3, about, toJsonValue(value)) as string
        expect(JSON.parse(text)).toEqual(
          JSON.parse(JSON.stringify({ pkg_id: id, req_id, status_code: status, meta: about, data: value })),
        )
      }),
      runs,
    )
  })

  it('has null for nothing', () => {
    expect(jsonCodec.encodeReply(1, reqId, 0, null, undefined)).toBe(
      `{"pkg_id":1,"req_id":"${reqId}","status_code":0,"meta":null,"data":null}`,
    )
  })

  it('throws for what has no form', () => {
    expect(() => jsonCodec.encodeReply(1, reqId, 0, null, { a: 1n })).toThrow(TypeError)
  })
})

describe('encodeEvent', () => {
  it('has the zero UUID, and no status', () => {
    fc.assert(
      fc.property(pkgId, anyJson, (id, value) => {
        expect(JSON.parse(jsonCodec.encodeEvent(id, value, null, zero) as string)).toEqual({
          pkg_id: id,
          req_id: zero,
          data: JSON.parse(JSON.stringify(value)),
        })
      }),
      runs,
    )
    expect(jsonCodec.encodeEvent(1, undefined, null, zero)).toBe(`{"pkg_id":1,"req_id":"${zero}","data":null}`)
  })
})
