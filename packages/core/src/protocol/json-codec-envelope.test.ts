import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonCodec, readUsualFrame } from './json-codec.ts'

const reqId = '3F2a9c41-7be0-4d5c-8a16-5b6d1f0e2c93'
const usual = { pkg_id: 1, req_id: reqId, method: '', data: { name: 'Ursula', nested: { at: [1, null, true] } } }

const decode = (text: string): unknown => {
  const bytes = new TextEncoder().encode(text)
  const frame = jsonCodec.decode(bytes.buffer, false)
  if (frame.kind !== 'refused') return frame
  const { code, message, details } = frame.error
  return { ...frame, error: { code, message, details } }
}
/** With a space in front the whole frame is parsed, and must be read the same. */
const expectSameAsWhole = (text: string): void => {
  expect(decode(text)).toEqual(decode(` ${text}`))
}

describe('readUsualFrame', () => {
  it('reads what JSON.stringify writes', () => {
    const { pkg_id: pkgId, req_id, method, data } = usual
    expect(readUsualFrame(JSON.stringify(usual))).toEqual({ kind: 'request', pkgId, reqId: req_id, method, data })
    expect(readUsualFrame(JSON.stringify({ pkg_id: 2147483647, req_id, data: {} }))).toEqual({
      kind: 'request',
      pkgId: 2147483647,
      reqId: req_id,
      method: '',
      data: {},
    })
    expect(readUsualFrame(JSON.stringify({ pkg_id: 1, req_id, method: null, data }))?.method).toBe('')
  })

  it.each([
    ['a pkg_id out of range', { ...usual, pkg_id: 2147483648 }],
    ['a pkg_id that is not whole', { ...usual, pkg_id: 1.5 }],
    ['a pkg_id of 0', { ...usual, pkg_id: 0 }],
    ['a req_id that is not a UUID', { ...usual, req_id: reqId.slice(1) }],
    ['a req_id with something behind it', { ...usual, req_id: `${reqId}0` }],
    ['a method', { ...usual, method: 'get' }],
    ['data that is an array', { ...usual, data: [{}] }],
    ['data that is null', { ...usual, data: null }],
    ['a key behind data', { ...usual, extra: {} }],
    ['keys in another order', { req_id: reqId, pkg_id: 1, data: {} }],
    ['names in upper case', { PKG_ID: 1, REQ_ID: reqId, DATA: {} }],
  ])('leaves %s to the parser of whole frames', (_, frame) => {
    const text = JSON.stringify(frame)
    expect(readUsualFrame(text)).toBeNull()
    expectSameAsWhole(text)
  })

  it.each([
    ['a pkg_id named again behind data', '"data":{},"pkg_id":{}}'],
    ['data named again', '"data":{"a":1},"data":{"b":2}}'],
    ['something behind the frame', '"data":{}}}'],
    ['an open data', '"data":{"a":{}}'],
    ['an open string', '"data":{"a":"}}'],
    ['a __proto__ in data', '"data":{"__proto__":{"a":1}}}'],
    ['a number too large', '"data":{"a":1e999}}'],
    ['half a surrogate pair', String.raw`"data":{"a":"\ud800"}}`],
    ['a byte order mark in a string', '"data":{"a":"\uFEFF"}}'],
  ])('answers like it for %s', (_, end) => {
    expectSameAsWhole(`{"pkg_id":1,"req_id":"${reqId}",${end}`)
  })

  it('refuses a frame that begins with a byte order mark', () => {
    expect(decode(`\uFEFF${JSON.stringify(usual)}`)).toMatchObject({
      kind: 'refused',
      reqId: expect.stringMatching(/^0/),
    })
  })

  it('reads every package as the parser of whole frames does', { timeout: 60_000 }, () => {
    const data = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
    const method = fc.option(fc.oneof(fc.constantFrom('', null, 'get'), fc.string()), { nil: undefined })
    const frames = fc.record({ pkg_id: fc.oneof(fc.integer(), fc.nat()), req_id: fc.uuid(), method, data })
    fc.assert(
      fc.property(frames, (frame) => expectSameAsWhole(JSON.stringify(frame))),
      { numRuns: 1000 },
    )
  })

  it('and every text that was one, but for a piece of it', { timeout: 60_000 }, () => {
    const pieces = fc.oneof(
      fc.constantFrom('}', '{', '"', ',', '\\', ' ', '0', '}}', ',"data":{}', '\uFEFF'),
      fc.string(),
    )
    const cut = fc.nat({ max: JSON.stringify(usual).length })
    fc.assert(
      fc.property(cut, fc.nat({ max: 3 }), pieces, (at, length, piece) => {
        const text = JSON.stringify(usual)
        expectSameAsWhole(text.slice(0, at) + piece + text.slice(at + length))
      }),
      { numRuns: 2000 },
    )
  })
})
